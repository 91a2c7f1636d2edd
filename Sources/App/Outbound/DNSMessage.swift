/// A question to a name server and its answer, as bytes: RFC 1035.
enum DNSMessage {
    enum Kind: UInt16, Sendable { case a = 1, cname = 5, txt = 16, aaaa = 28 }

    enum Content: Sendable, Hashable {
        case text(String)
        case name(String)
        case address(String)
    }

    struct Record: Sendable, Hashable {
        var name: String
        var content: Content
    }

    struct Answer: Sendable {
        var id: UInt16
        /// 0 fine, 2 the server failed, 3 there is no such name.
        var code: UInt8
        var isCut: Bool
        var question: (name: String, kind: UInt16)
        var records: [Record]
    }

    static let recordsMax = 200

    static func question(_ name: String, _ kind: Kind, id: UInt16) -> [UInt8]? {
        let labels = name.split(separator: ".")
        guard !labels.isEmpty, name.utf8.count <= 253, labels.allSatisfy({ (1...63).contains($0.utf8.count) }) else { return nil }
        var bytes = two(id) + two(0x0100) + two(1) + two(0) + two(0) + two(1)
        for label in labels { bytes += [UInt8(label.utf8.count)] + label.utf8 }
        bytes += [0] + two(kind.rawValue) + two(1)
        // An answer of 1232 bytes fits into one packet everywhere.
        return bytes + [0] + two(41) + two(1232) + [0, 0, 0, 0] + two(0)
    }

    /// Nil for what is no answer.
    static func read(_ bytes: [UInt8]) -> Answer? {
        var reader = Reader(bytes: bytes)
        guard let id = reader.two(), let flags = reader.two(), flags & 0x8000 != 0, let questions = reader.two(), questions == 1, let answers = reader.two(),
            reader.two() != nil, reader.two() != nil, let asked = reader.name(), let kind = reader.two(), reader.two() != nil
        else { return nil }
        var answer = Answer(id: id, code: UInt8(flags & 15), isCut: flags & 0x0200 != 0, question: (asked, kind), records: [])
        for _ in 0..<min(Int(answers), recordsMax) {
            guard let name = reader.name(), let kind = reader.two(), reader.two() != nil, reader.two() != nil, reader.two() != nil, let length = reader.two() else {
                return answer.isCut ? answer : nil
            }
            let end = reader.place + Int(length)
            guard end <= bytes.count else { return answer.isCut ? answer : nil }
            if let content = reader.content(kind, until: end) { answer.records.append(Record(name: name, content: content)) }
            reader.place = end
        }
        return answer
    }

    private static func two(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

    private struct Reader {
        let bytes: [UInt8]
        var place = 0

        mutating func two() -> UInt16? {
            guard place + 2 <= bytes.count else { return nil }
            defer { place += 2 }
            return UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
        }

        /// A name, whose end may stand earlier in the message. Each jump leads backwards, so it ends.
        mutating func name() -> String? {
            var labels: [String] = []
            var length = 0
            var (position, after) = (place, Int?.none)
            while true {
                guard position < bytes.count else { return nil }
                let head = Int(bytes[position])
                if head == 0 {
                    place = after ?? position + 1
                    return labels.joined(separator: ".").lowercased()
                }
                if head & 0xC0 == 0xC0 {
                    guard position + 1 < bytes.count else { return nil }
                    let target = (head & 0x3F) << 8 | Int(bytes[position + 1])
                    guard target < position else { return nil }
                    after = after ?? position + 2
                    position = target
                    continue
                }
                guard head <= 63, position + 1 + head <= bytes.count else { return nil }
                length += head + 1
                guard length <= 255 else { return nil }
                labels.append(String(decoding: bytes[(position + 1)..<(position + 1 + head)], as: UTF8.self))
                position += 1 + head
            }
        }

        mutating func content(_ kind: UInt16, until end: Int) -> Content? {
            let data = bytes[place..<end]
            switch Kind(rawValue: kind) {
            case .a where data.count == 4: return .address(data.map { String($0) }.joined(separator: "."))
            case .aaaa where data.count == 16:
                return .address(stride(from: place, to: end, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":"))
            case .cname: return name().map { .name($0) }
            case .txt:
                var text: [UInt8] = []
                var position = place
                while position < end {
                    let count = Int(bytes[position])
                    guard position + 1 + count <= end else { return nil }
                    text += bytes[(position + 1)..<(position + 1 + count)]
                    position += 1 + count
                }
                return .text(String(decoding: text, as: UTF8.self))
            default: return nil
            }
        }
    }
}
