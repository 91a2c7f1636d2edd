/// Takes the fields of a form one by one and keeps what was typed together with what is wrong with it, to show the form again.
/// Faults are values, so that the page can say them in the reader's language.
public final class FormReader {
    /// What is wrong with a field.
    public enum Fault: Sendable, Equatable {
        case missing
        case tooLong(maximumLength: Int)
        case notAWholeNumber(ClosedRange<Int64>)
        case notAChoice
        /// A rule of the feature; the text is a key of the message catalogue.
        case other(messageKey: String)
    }

    private let fields: FormFields
    /// The first fault of each field.
    public private(set) var faults: [String: Fault] = [:]

    public init(_ fields: FormFields) { self.fields = fields }

    /// Whether every field taken so far is acceptable.
    public var isValid: Bool { faults.isEmpty }

    /// What was typed, to show it again.
    public func typed(_ field: String) -> String { fields[field] ?? "" }

    /// Notes a fault that only the caller can see.
    public func note(_ field: String, _ fault: Fault) {
        if faults[field] == nil { faults[field] = fault }
    }

    /// A text that must not be empty; an empty text stands in for a faulty one.
    public func text(_ field: String, maximumLength: Int) -> String {
        if let text = optionalText(field, maximumLength: maximumLength) { return text }
        note(field, .missing)
        return ""
    }

    /// A text, nil when it is empty or missing.
    public func optionalText(_ field: String, maximumLength: Int) -> String? {
        guard let text = fields[field], !text.isEmpty else { return nil }
        if text.unicodeScalars.count > maximumLength { note(field, .tooLong(maximumLength: maximumLength)) }
        return text
    }

    public func integer(_ field: String, in range: ClosedRange<Int64>) -> Int64 {
        guard let text = fields[field], !text.isEmpty else {
            note(field, .missing)
            return range.lowerBound
        }
        guard let value = Int64(text), range.contains(value) else {
            note(field, .notAWholeNumber(range))
            return range.lowerBound
        }
        return value
    }

    /// Whether a check box was set.
    public func flag(_ field: String) -> Bool { fields[field] != nil }

    /// One of the raw values of an enumeration; nil when it is none of them, which is noted.
    public func oneOf<Choice: RawRepresentable>(_ field: String, _ type: Choice.Type = Choice.self) -> Choice? where Choice.RawValue == String {
        if let choice = fields[field].flatMap({ Choice(rawValue: $0) }) { return choice }
        note(field, fields[field] == nil ? .missing : .notAChoice)
        return nil
    }
}
