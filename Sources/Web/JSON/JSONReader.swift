public import NIOCore

/// Takes the fields of a JSON object one by one, gathers every mistake with its path, and refuses what nobody asked for.
///
/// A getter that finds a mistake notes it and returns a stand-in; `finish()` throws before such a value can be used:
///
///     let input = try JSONReader.read(buffer, maximumBytes: 65_536) { body in
///         NewMember(name: body.text("name", maximumLength: 200), age: body.optionalInteger("age", in: 0...150))
///     }
public final class JSONReader {
    /// The object's members as they were sent.
    public let members: [JSONMember]
    private let path: String
    private let notes: Notes
    private var taken: Set<String> = []

    /// The mistakes of a whole document, shared by the readers of its parts.
    private final class Notes { var errors: [FieldError] = [] }

    /// Reads the body, lets `fields` take its fields and refuses the document when there was any mistake.
    /// - Throws: a `Problem`: 400 for text that is not JSON, 422 with every wrong field.
    public static func read<Input>(
        _ buffer: ByteBuffer, maximumBytes: Int, _ fields: (JSONReader) throws -> Input
    ) throws -> Input {
        let reader = try JSONReader(buffer, maximumBytes: maximumBytes)
        let input = try fields(reader)
        try reader.finish()
        return input
    }

    /// A reader of a document that must be an object.
    /// - Throws: a `Problem`: 400 when it isn't JSON, 422 when it is no object or names a field twice.
    public convenience init(_ buffer: ByteBuffer, maximumBytes: Int) throws {
        let value: JSONValue
        do {
            value = try JSONValue.parse(buffer, maximumBytes: maximumBytes)
        } catch {
            throw error.problem
        }
        try self.init(value)
    }

    /// A reader of a value that must be an object.
    public convenience init(_ value: JSONValue) throws {
        guard case .object(let members) = value else {
            throw Problem.unprocessable(errors: [FieldError(field: "", message: "The body must be an object.")])
        }
        self.init(members: members, path: "", notes: Notes())
    }

    private init(members: [JSONMember], path: String, notes: Notes) {
        self.members = members
        self.path = path
        self.notes = notes
    }

    /// Refuses fields nobody took, then throws everything that was noted.
    public func finish() throws {
        noteUnknownFields()
        if !notes.errors.isEmpty { throw Problem.unprocessable(errors: notes.errors) }
    }

    /// Notes a mistake that only the caller can see, for instance two fields that contradict each other.
    public func note(_ field: String, _ message: String) {
        notes.errors.append(FieldError(field: joined(field), message: message))
    }

    /// Whether a mistake was noted anywhere in the document so far.
    public var hasErrors: Bool { !notes.errors.isEmpty }

    /// Whether the field was sent, even as `null`.
    public func has(_ field: String) -> Bool { member(field) != nil }

    /// Whether the field was sent as `null`; it then counts as taken.
    public func isNull(_ field: String) -> Bool {
        guard member(field) == .null else { return false }
        taken.insert(field)
        return true
    }

    // MARK: Texts

    /// A text of 1 (0 with `allowsEmpty`) to `maximumLength` Unicode scalars.
    public func text(_ field: String, maximumLength: Int, allowsEmpty: Bool = false) -> String {
        required(field, standIn: "") { self.text($0, maximumLength: maximumLength, allowsEmpty: allowsEmpty) }
    }

    public func optionalText(_ field: String, maximumLength: Int, allowsEmpty: Bool = false) -> String? {
        optional(field) { self.text($0, maximumLength: maximumLength, allowsEmpty: allowsEmpty) }
    }

    /// A name: a text of 1 to `maximumLength` Unicode scalars on one line, without control characters.
    public func name(_ field: String, maximumLength: Int) -> String {
        required(field, standIn: "") { name($0, maximumLength: maximumLength) }
    }

    public func optionalName(_ field: String, maximumLength: Int) -> String? {
        optional(field) { name($0, maximumLength: maximumLength) }
    }

    /// An array of texts; a missing field is an empty list.
    public func textList(_ field: String, maximumCount: Int, maximumLength: Int) -> [String] {
        optional(field) { value in
            guard case .array(let elements) = value, elements.count <= maximumCount else {
                return .refused("Must be a list of at most \(maximumCount) texts.")
            }
            var texts: [String] = []
            for element in elements {
                switch self.text(element, maximumLength: maximumLength, allowsEmpty: false) {
                case .accepted(let text): texts.append(text)
                case .refused: return .refused("Must be a list of texts of 1 to \(maximumLength) characters each.")
                }
            }
            return .accepted(texts)
        } ?? []
    }

    // MARK: Numbers and flags

    /// A whole number without fraction or exponent, even `1.0` and `1e2` are refused.
    public func integer(_ field: String, in range: ClosedRange<Int64> = Int64.min...Int64.max) -> Int64 {
        required(field, standIn: range.lowerBound) { self.integer($0, in: range) }
    }

    public func optionalInteger(_ field: String, in range: ClosedRange<Int64> = Int64.min...Int64.max) -> Int64? {
        optional(field) { self.integer($0, in: range) }
    }

    public func boolean(_ field: String) -> Bool { required(field, standIn: false, boolean) }

    public func optionalBoolean(_ field: String) -> Bool? { optional(field, boolean) }

    // MARK: Choices

    /// One of the raw values of an enumeration.
    public func oneOf<Choice: RawRepresentable & CaseIterable>(_ field: String, _ type: Choice.Type = Choice.self) throws -> Choice
    where Choice.RawValue == String {
        try custom(field, choice)
    }

    public func optionalOneOf<Choice: RawRepresentable & CaseIterable>(_ field: String, _ type: Choice.Type = Choice.self) -> Choice?
    where Choice.RawValue == String {
        optional(field, choice)
    }

    // MARK: Own types

    /// What a custom reading of a field makes of a value.
    public enum Reading<Value> {
        case accepted(Value)
        /// The message says what is allowed, as a sentence.
        case refused(String)

        /// The same reading of another value.
        public func map<Other>(_ body: (Value) -> Other) -> Reading<Other> {
            switch self {
            case .accepted(let value): .accepted(body(value))
            case .refused(let message): .refused(message)
            }
        }
    }

    /// A required field of the caller's own type.
    /// - Throws: everything noted so far, when the field is missing or refused, because no stand-in is known.
    public func custom<Value>(_ field: String, _ read: (JSONValue) -> Reading<Value>) throws -> Value {
        if let value = optional(field, missing: "Is required.", read) { return value }
        throw Problem.unprocessable(errors: notes.errors)
    }

    /// A required field of the caller's own type, with a value that stands in until `finish()` throws.
    public func custom<Value>(_ field: String, standIn: Value, _ read: (JSONValue) -> Reading<Value>) -> Value {
        required(field, standIn: standIn, read)
    }

    public func optionalCustom<Value>(_ field: String, _ read: (JSONValue) -> Reading<Value>) -> Value? {
        optional(field, read)
    }

    /// The value as it was sent; nil when missing or `null`.
    public func raw(_ field: String) -> JSONValue? { optional(field) { .accepted($0) } }

    // MARK: Parts

    /// A required object. When it is missing the mistake is noted and `fields` sees an object without members.
    public func object<Value>(_ field: String, _ fields: (JSONReader) throws -> Value) throws -> Value {
        if let value = try optionalObject(field, missing: "Is required.", fields) { return value }
        do {
            return try fields(JSONReader(members: [], path: joined(field), notes: Notes()))
        } catch {
            throw Problem.unprocessable(errors: notes.errors)
        }
    }

    public func optionalObject<Value>(_ field: String, _ fields: (JSONReader) throws -> Value) rethrows -> Value? {
        try optionalObject(field, missing: nil, fields)
    }

    /// A list of objects; a missing field is an empty list.
    public func array<Element>(
        _ field: String, count range: ClosedRange<Int>, _ fields: (JSONReader) throws -> Element
    ) rethrows -> [Element] {
        let message = "Must be a list of \(range.lowerBound) to \(range.upperBound) objects."
        let objects: [[JSONMember]]? = optional(field, missing: range.lowerBound > 0 ? "Is required." : nil) { value in
            guard case .array(let elements) = value, range.contains(elements.count) else { return .refused(message) }
            var objects: [[JSONMember]] = []
            for element in elements {
                guard case .object(let members) = element else { return .refused(message) }
                objects.append(members)
            }
            return .accepted(objects)
        }
        var result: [Element] = []
        for (index, members) in (objects ?? []).enumerated() {
            let reader = JSONReader(members: members, path: "\(joined(field))[\(index)]", notes: notes)
            result.append(try fields(reader))
            reader.noteUnknownFields()
        }
        return result
    }

    // MARK: How the getters work

    private func optionalObject<Value>(
        _ field: String, missing: String?, _ fields: (JSONReader) throws -> Value
    ) rethrows -> Value? {
        let members: [JSONMember]? = optional(field, missing: missing) { value in
            guard case .object(let members) = value else { return .refused("Must be an object.") }
            return .accepted(members)
        }
        guard let members else { return nil }
        let reader = JSONReader(members: members, path: joined(field), notes: notes)
        let value = try fields(reader)
        reader.noteUnknownFields()
        return value
    }

    private func required<Value>(_ field: String, standIn: Value, _ read: (JSONValue) -> Reading<Value>) -> Value {
        optional(field, missing: "Is required.", read) ?? standIn
    }

    private func optional<Value>(_ field: String, missing: String? = nil, _ read: (JSONValue) -> Reading<Value>) -> Value? {
        taken.insert(field)
        guard let value = member(field), value != .null else {
            if let missing { note(field, missing) }
            return nil
        }
        switch read(value) {
        case .accepted(let value): return value
        case .refused(let message):
            note(field, message)
            return nil
        }
    }

    private func text(_ value: JSONValue, maximumLength: Int, allowsEmpty: Bool) -> Reading<String> {
        let minimum = allowsEmpty ? 0 : 1
        guard case .text(let text) = value, (minimum...maximumLength).contains(text.unicodeScalars.count) else {
            return .refused("Must be a text of \(minimum) to \(maximumLength) characters.")
        }
        guard allowsEmpty || !text.unicodeScalars.allSatisfy(\.properties.isWhitespace) else { return .refused("Must not be blank.") }
        return .accepted(text)
    }

    private func name(_ value: JSONValue, maximumLength: Int) -> Reading<String> {
        let reading = text(value, maximumLength: maximumLength, allowsEmpty: false)
        guard case .accepted(let text) = reading, !OneLine.isOne(text) else { return reading }
        return .refused("Must be one line without control characters.")
    }

    private func integer(_ value: JSONValue, in range: ClosedRange<Int64>) -> Reading<Int64> {
        guard case .number(let number) = value, let integer = number.integer, range.contains(integer) else {
            return .refused("Must be a whole number from \(range.lowerBound) to \(range.upperBound), without fraction or exponent.")
        }
        return .accepted(integer)
    }

    private func boolean(_ value: JSONValue) -> Reading<Bool> {
        guard case .boolean(let flag) = value else { return .refused("Must be true or false.") }
        return .accepted(flag)
    }

    private func choice<Choice: RawRepresentable & CaseIterable>(_ value: JSONValue) -> Reading<Choice> where Choice.RawValue == String {
        if case .text(let text) = value, let choice = Choice.allCases.first(where: { $0.rawValue.utf8.elementsEqual(text.utf8) }) {
            return .accepted(choice)
        }
        return .refused("Must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
    }

    private func noteUnknownFields() {
        for member in members where !taken.contains(where: { $0.utf8.elementsEqual(member.name.utf8) }) {
            note(String(member.name.unicodeScalars.prefix(100).map(Character.init)), "Is not a known field.")
        }
    }

    /// Compares bytes: `==` on String would take U+212A for the letter K.
    private func member(_ field: String) -> JSONValue? {
        members.first { $0.name.utf8.elementsEqual(field.utf8) }?.value
    }

    private func joined(_ field: String) -> String { path.isEmpty ? field : "\(path).\(field)" }
}
