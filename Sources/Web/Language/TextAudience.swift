/// Those who read a part of the catalogue. A language is offered to them when it has every text of that part, and to nobody else:
/// a page half in English helps nobody.
public struct TextAudience: Sendable, Hashable {
    public let name: String
    /// Keys, or what keys begin with.
    let beginnings: [String]

    /// - Parameter beginnings: whole keys, or beginnings of keys that end with a dot.
    public init(name: String, _ beginnings: [String]) {
        self.name = name
        self.beginnings = beginnings
    }

    /// Whoever may come upon any text.
    public static let everybody = TextAudience(name: "everybody", [""])

    func reads(_ key: String) -> Bool { beginnings.contains { $0 == key || ($0.isEmpty || $0.hasSuffix(".")) && key.hasPrefix($0) } }
}
