import Mustache

/// What a template may show: finished texts, flags, lists and objects. Numbers, money and dates are formatted before.
///
/// `nothing`, an empty text, `false` and an empty list are falsy in sections.
/// A field that is present but empty never falls through to the field of an outer object.
public indirect enum PageValue: Sendable, Equatable {
    case nothing
    case text(String)
    /// Markup that is already safe. Its field's name must be `content` or end in `HTML`; only such names may stand in `{{{…}}}`.
    case html(TrustedHTML)
    case flag(Bool)
    case list([PageValue])
    case object(PageObject)

    public init(_ text: String?) { self = text.map { .text($0) } ?? .nothing }
    public init(_ flag: Bool) { self = .flag(flag) }
    public init(_ object: PageObject?) { self = object.map { .object($0) } ?? .nothing }
    public init(_ objects: [PageObject]) { self = .list(objects.map { .object($0) }) }
    public init(_ texts: [String]) { self = .list(texts.map { .text($0) }) }
    public init(_ model: some PageModel) { self = .object(model.page) }
    public init(_ models: [some PageModel]) { self = .list(models.map { .object($0.page) }) }
}

/// A page, or a part of one, as its template sees it.
public protocol PageModel: Sendable {
    /// Every field the template names, also the empty ones.
    var page: PageObject { get }
}

/// The fields of a page or of a part of it.
public struct PageObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    private var fields: [String: PageValue]

    public init(_ fields: [String: PageValue] = [:]) { self.fields = fields }

    public init(dictionaryLiteral elements: (String, PageValue)...) {
        fields = Dictionary(elements) { _, last in last }
    }

    public subscript(name: String) -> PageValue? {
        get { fields[name] }
        set { fields[name] = newValue }
    }

    /// The names of all fields, sorted.
    public var names: [String] { fields.keys.sorted() }

    /// These fields with those of another object, which win.
    public func merging(_ other: PageObject) -> PageObject {
        PageObject(fields.merging(other.fields) { _, new in new })
    }
}

/// Markup that was made by a template or by code that escapes.
public struct TrustedHTML: Sendable, Equatable {
    public let markup: String

    public init(markup: String) { self.markup = markup }
}

extension PageValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(booleanLiteral value: Bool) { self = .flag(value) }
    public init(arrayLiteral elements: PageValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, PageValue)...) {
        self = .object(PageObject(Dictionary(elements) { _, last in last }))
    }
    public init(nilLiteral: ()) { self = .nothing }
}

// MARK: What swift-mustache sees

extension PageObject {
    /// Whether a field of this name may hold markup: `content` of a frame, and names that end in `HTML`.
    static func holdsMarkup(_ name: String) -> Bool { name == "content" || name.hasSuffix("HTML") }
}

/// An object whose fields are turned into swift-mustache's shapes when a template asks for them.
struct PageFields: MustacheParent {
    let object: PageObject

    func child(named name: String) -> Any? {
        guard let value = object[name] else { return nil }
        if PageObject.holdsMarkup(name), case .text(let text) = value { return PageText(text: HTMLEscaping.escape(text)) }
        return value.rendered
    }
}

extension PageValue {
    /// The value in the shapes that swift-mustache tells apart. Lists and objects inside are turned only when a template enters them.
    var rendered: Any {
        switch self {
        case .nothing: PageText(text: "")
        case .text(let text): PageText(text: text)
        case .html(let html): PageText(text: html.markup)
        case .flag(let flag): flag
        case .list(let values): values.map(\.rendered)
        case .object(let object): PageFields(object: object)
        }
    }
}

/// A text that is falsy when it is empty and that has no fields, so that look-ups go on outside without reflection.
private struct PageText: MustacheCustomRenderable, MustacheParent {
    let text: String

    var renderText: String { text }
    var isNull: Bool { text.isEmpty }
    func child(named: String) -> Any? { nil }
}
