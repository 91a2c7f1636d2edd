import Web

/// A field of a form with all that stands around it.
struct FormField: PageModel {
    struct Choice: Sendable {
        var value: String
        var label: String
        var help: String?
        var isChosen = false
    }

    enum Control: Sendable {
        /// `type` is that of HTML: text, email, number, date, search.
        case line(type: String, value: String)
        case select([Choice])
        case area(String, rows: Int)
        case checks([Choice])
        case radios([Choice])
        /// A file that the browser sends; its text is the field's.
        case file(accept: String)
    }

    var name: String
    var label: String
    var help: String?
    var error: String?
    var control: Control
    var isRequired = false
    var isMono = false
    var lengthMax = 200
    /// What stands behind a line: a unit, a sign.
    var suffix: String?
    /// Tells fields of one name in two forms of a page apart.
    var place = ""
    /// Where scripts run, it is seen with these choices alone.
    var shown: Shown?

    /// Values of a field of choices above.
    struct Shown: Sendable {
        var field: String
        var values: [String]
    }

    static func line(
        _ name: String, _ label: String, _ value: String, type: String = "text", help: String? = nil, error: String? = nil, isRequired: Bool = false,
        isMono: Bool = false, lengthMax: Int = 200, suffix: String? = nil
    ) -> FormField {
        FormField(
            name: name, label: label, help: help, error: error, control: .line(type: type, value: value), isRequired: isRequired, isMono: isMono,
            lengthMax: lengthMax, suffix: suffix)
    }

    var page: PageObject {
        let id = "field-" + (place.isEmpty ? "" : place + "-") + name.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
        var described: [String] = []
        if help != nil { described.append(id + "-help") }
        if error != nil { described.append(id + "-error") }
        var page: PageObject = [
            "id": .text(id), "name": .text(name), "label": .text(label), "help": PageValue(help), "error": PageValue(error),
            "described": .text(described.joined(separator: " ")), "required": .flag(isRequired), "mono": .flag(isMono),
            "maximum": isWritten ? .text(String(lengthMax)) : nil, "suffix": PageValue(suffix), "shown": PageValue(shown.map { PageObject(["field": .text($0.field), "values": .text($0.values.joined(separator: " "))]) }), "line": nil, "select": nil, "area": nil, "checks": nil, "radios": nil, "file": nil,
        ]
        switch control {
        case .line(let type, let value): page["line"] = ["type": .text(type), "value": .text(value)]
        case .select(let choices): page["select"] = ["choices": .list(choices.map { choice($0, id) })]
        case .area(let text, let rows): page["area"] = ["value": .text(text), "rows": .text(String(rows))]
        case .checks(let choices): page["checks"] = ["choices": .list(choices.map { choice($0, id) })]
        case .file(let accept): page["file"] = ["accept": .text(accept)]
        case .radios(let choices): page["radios"] = ["choices": .list(choices.map { choice($0, id) })]
        }
        return page
    }

    /// Only what is written has a length: a day or a number has none.
    private var isWritten: Bool {
        switch control {
        case .line(let type, _): type != "date" && type != "time" && type != "number" && type != "color"
        case .file: false
        default: true
        }
    }

    private func choice(_ choice: Choice, _ id: String) -> PageValue {
        [
            "id": .text("\(id)-\(choice.value.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined())"), "value": .text(choice.value),
            "label": .text(choice.label), "help": PageValue(choice.help), "chosen": .flag(choice.isChosen),
        ]
    }
}

/// A form: fields, what is sent with them unseen, and its buttons.
struct PageForm: PageModel {
    struct Button: Sendable {
        var label: String
        var name: String?
        var value: String?
        var style = "btn-primary"
    }

    var action: String
    var method = "post"
    var hidden: [(String, String)] = []
    var fields: [FormField] = []
    var buttons: [Button]
    var cancel: (url: String, label: String)?
    /// Beside the buttons.
    var note: String?
    /// Buttons alone, in a row with others.
    var isInline = false
    var csrfToken: String

    private var hasFile: Bool { fields.contains { if case .file = $0.control { true } else { false } } }

    var page: PageObject {
        [
            "action": .text(action), "method": .text(method), "class": .text(isInline ? "d-inline" : "form-page"), "inline": .flag(isInline),
            "upload": .flag(hasFile),
            "csrf": PageValue(method == "post" ? PageObject(["token": .text(csrfToken)]) : nil),
            "hidden": PageValue(hidden.map { PageObject(["name": .text($0.0), "value": .text($0.1)]) }), "fields": PageValue(fields),
            "buttons": PageValue(
                buttons.map {
                    PageObject([
                        "label": .text($0.label), "style": .text($0.style),
                        "named": PageValue($0.name.map { name in PageObject(["name": .text(name)]) }), "value": .text($0.value ?? ""),
                    ])
                }),
            "cancel": PageValue(cancel.map { PageObject(["url": .text($0.url), "label": .text($0.label)]) }), "note": PageValue(note),
        ]
    }
}
