import NIOCore
import Testing

@testable import Web

@Suite struct JSONParserTests {
    @Test(arguments: [
        #"{"a":1,"b":[true,false,null],"c":{"d":"é\u00e9\ud83d\ude00"}}"#, "[]", "{}", " 1 ", "-0", "1.50", "1e2", #""\n""#,
        String(repeating: "[", count: 32) + String(repeating: "]", count: 32),
    ])
    func accepts(_ text: String) throws {
        _ = try JSONValue.parse(Array(text.utf8), maximumBytes: 1000)
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "01", "-", "1.", ".5",
        "1e", "+1", "NaN", "Infinity", "'a'", "tru", "truex", "1 2", "{} {}", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"\\x\"", "\"\n\"", "\"abc", "\u{FEFF}{}", "// c\n1", "\"\u{0}\"", "[1}", "{\"a\":1]",
        String(repeating: "[", count: 33) + String(repeating: "]", count: 33), String(repeating: "[", count: 900),
        String(repeating: "9", count: 65), "{\"\u{212A}\":1,\"K\":2}",
    ])
    func refuses(_ text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array(text.utf8), maximumBytes: 1000) }
    }

    @Test(arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0xFF]] as [[UInt8]])
    func refusesBytesThatAreNotUTF8(_ bytes: [UInt8]) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(bytes, maximumBytes: 1000) }
    }

    @Test func refusesDocumentsOverTheLimit() {
        #expect(throws: JSONSyntaxError(offset: 3, reason: "the document is larger than 3 bytes")) {
            try JSONValue.parse(Array("1234".utf8), maximumBytes: 3)
        }
    }

    @Test(arguments: [("1", 1), ("-5", -5), ("9223372036854775807", Int64.max), ("1.0", nil), ("1e2", nil), ("9223372036854775808", nil), ("100.0000000000000001", nil)] as [(String, Int64?)])
    func readsIntegersFromTheToken(_ text: String, _ expected: Int64?) throws {
        guard case .number(let number) = try JSONValue.parse(Array(text.utf8), maximumBytes: 100) else { return #expect(Bool(false)) }
        #expect(number.integer == expected)
        #expect(number.token == text)
    }

    @Test func writesWhatItRead() throws {
        let text = #"{"b":1.50,"a":"q\"\\\n\u0001é","l":[null,true,{"x":[]}]}"#
        #expect(String(decoding: try JSONValue.parse(Array(text.utf8), maximumBytes: 1000).bytes, as: UTF8.self) == text)
    }

    /// Random bytes never crash the reader, and what it accepts it also accepts again after writing.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
    func survivesNoise(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\":,\\u0019aedtruefalsn \n-.+".utf8)
        for _ in 0..<4000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            guard let value = try? JSONValue.parse(bytes, maximumBytes: 100) else { continue }
            #expect(try JSONValue.parse(value.bytes, maximumBytes: 1000) == value, "seed \(seed), \(bytes)")
        }
    }
}

/// SplitMix64: a failing seed can be played again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
