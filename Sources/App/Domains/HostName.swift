import Foundation

/// A host name as it is stored and compared: lower case, no port, no dot at the end, other letters as punycode. Never an address of numbers.
struct HostName: Sendable, Hashable, CustomStringConvertible {
    static let lengthMax = 253

    let text: String
    var description: String { text }

    /// What a browser or anybody else sent as the host of a request. Nil for whatever is no name.
    init?(authority: String) {
        guard authority.utf8.count <= Self.lengthMax + 7 else { return nil }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.count == 1 || (parts[1].utf8.count <= 5 && parts[1].utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        self.init(ascii: String(parts[0]))
    }

    /// What a person typed: letters of all scripts.
    init?(typed: String) {
        guard typed.utf8.count <= 4 * Self.lengthMax, !typed.unicodeScalars.contains(where: { $0.value < 0x21 || $0.value == 0x7F }) else { return nil }
        let folded = typed.lowercased().precomposedStringWithCompatibilityMapping.lowercased()
        // The dots of East Asian scripts part labels as well.
        let labels = folded.split(omittingEmptySubsequences: false, whereSeparator: { ".。．｡".contains($0) })
        var ascii: [String] = []
        for label in labels {
            if label.utf8.allSatisfy({ $0 < 0x80 }) {
                ascii.append(String(label))
            } else {
                guard label.unicodeScalars.allSatisfy({ $0.value < 0x80 ? Self.isPlain(UInt8($0.value)) : $0.properties.isAlphabetic || $0.properties.numericType != nil || $0.properties.generalCategory == .nonspacingMark }),
                    let encoded = Punycode.encode(label.unicodeScalars.map(\.value))
                else { return nil }
                ascii.append("xn--" + encoded)
            }
        }
        self.init(ascii: ascii.joined(separator: "."))
    }

    private init?(ascii: String) {
        var host = ascii.lowercased()
        if host.hasSuffix(".") { host.removeLast() }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, host.utf8.count <= Self.lengthMax,
            labels.allSatisfy({ (1...63).contains($0.utf8.count) && !$0.hasPrefix("-") && !$0.hasSuffix("-") && $0.utf8.allSatisfy(Self.isPlain) }),
            // No top level is a number: 10.0.0.1, 0x7f.1 and their kin are addresses.
            let last = labels.last, let first = last.utf8.first, !(first >= 0x30 && first <= 0x39)
        else { return nil }
        text = host
    }

    private static func isPlain(_ byte: UInt8) -> Bool { (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2D }
}

/// Other letters in the letters of host names: RFC 3492.
enum Punycode {
    static func encode(_ scalars: [UInt32]) -> String? {
        guard scalars.count <= 63 else { return nil }
        var output = scalars.filter { $0 < 0x80 }.compactMap { UInt8(exactly: $0) }
        let basicCount = output.count
        var handled = basicCount
        if basicCount > 0 { output.append(0x2D) }
        var (next, delta, bias) = (UInt32(128), UInt32(0), UInt32(72))
        while handled < scalars.count {
            guard let least = scalars.filter({ $0 >= next }).min() else { return nil }
            let (grown, isTooLarge) = (least - next).multipliedReportingOverflow(by: UInt32(handled + 1))
            guard !isTooLarge, delta <= UInt32.max - grown else { return nil }
            delta += grown
            next = least
            for scalar in scalars {
                if scalar < next { delta += 1 }
                guard scalar == next else { continue }
                var rest = delta
                var step = UInt32(36)
                while true {
                    let threshold = step <= bias ? 1 : step >= bias + 26 ? 26 : step - bias
                    if rest < threshold { break }
                    output.append(digit(threshold + (rest - threshold) % (36 - threshold)))
                    rest = (rest - threshold) / (36 - threshold)
                    step += 36
                }
                output.append(digit(rest))
                bias = adapt(delta, UInt32(handled + 1), isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            next += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func digit(_ value: UInt32) -> UInt8 { UInt8(value < 26 ? value + 0x61 : value - 26 + 0x30) }

    private static func adapt(_ delta: UInt32, _ count: UInt32, isFirst: Bool) -> UInt32 {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var step = UInt32(0)
        while delta > 455 {
            delta /= 35
            step += 36
        }
        return step + 36 * delta / (delta + 38)
    }
}
