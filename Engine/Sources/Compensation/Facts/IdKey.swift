/// An id as a key. Two ids are one when their bytes are the same; texts of Swift are equal already when they look alike (é as one
/// character, and as e with an accent).
public struct IdKey: Hashable, Sendable {
    public let text: String
    public init(_ text: String) { self.text = text }

    public static func == (one: IdKey, other: IdKey) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }
    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

extension String {
    /// Below 0, 0, above 0: byte by byte.
    func compareBytes(_ other: String) -> Int {
        if utf8.elementsEqual(other.utf8) { return 0 }
        return utf8.lexicographicallyPrecedes(other.utf8) ? -1 : 1
    }
}
