import Chronology
import SeededRandom
import Testing

@Suite struct InstantTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-22T10:15:30Z", 1_795_342_530_000),
        ("2026-11-22t10:15:30z", 1_795_342_530_000),
        ("2026-11-22T10:15:30.5Z", 1_795_342_530_500),
        ("2026-11-22T10:15:30.05Z", 1_795_342_530_050),
        ("2026-11-22T10:15:30.123456789Z", 1_795_342_530_123),
        ("2026-11-22T10:15:30.9999Z", 1_795_342_530_999),
        ("2026-11-22T10:15:30+01:00", 1_795_338_930_000),
        ("2026-11-22T10:15:30-00:30", 1_795_344_330_000),
        ("2026-11-22T10:15:30-00:00", 1_795_342_530_000),
        ("2024-02-29T23:59:59Z", 1_709_251_199_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("1969-12-31T23:30:00-01:00", 1_800_000),
    ] as [(String, Int64)])
    func reads(text: String, milliseconds: Int64) throws {
        #expect(try Instant(rfc3339: text).millisecondsSince1970 == milliseconds)
    }

    @Test(arguments: [
        "", "Z", "2026-11-22", "2026-11-22T10:15Z", "2026-11-22T10:15:30", "2026-11-22 10:15:30Z", "2026-11-22T10:15:30.Z",
        "2026-11-22T10:15:30.1234567890Z", "2026-11-22T10:15:30+0100", "2026-11-22T10:15:30+01", "2026-11-22T10:15:30Zx",
        " 2026-11-22T10:15:30Z", "+2026-11-22T10:15:30Z", "2026-1-22T10:15:30Z", "２026-11-22T10:15:30Z", "2026-11-22T10:15:30,5Z",
        "2026-11-22T10:15:30.00000000000000000000000000000000000000Z", "1795342530",
    ])
    func refusesOtherText(text: String) {
        #expect(throws: ChronologyFailure.malformed) { try Instant(rfc3339: text) }
    }

    @Test(arguments: [
        "2026-02-30T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T23:60:00Z", "2016-12-31T23:59:60Z",
        "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60",
    ])
    func refusesWhatDoesNotExist(text: String) {
        #expect(throws: ChronologyFailure.outOfRange) { try Instant(rfc3339: text) }
    }

    @Test func writesWhatItReads() throws {
        let seed: UInt64 = 1
        var random = SplitMix64(seed: seed)
        for _ in 0..<5_000 {
            let instant = Instant(millisecondsSince1970: Int64.random(in: 0...253_402_300_799_999, using: &random))
            #expect(try Instant(rfc3339: instant.rfc3339) == instant, "seed \(seed)")
        }
        #expect(Instant(millisecondsSince1970: 1_795_342_530_000).rfc3339 == "2026-11-22T10:15:30Z")
        #expect(Instant(millisecondsSince1970: 1_795_342_530_007).rfc3339 == "2026-11-22T10:15:30.007Z")
        #expect(Instant(millisecondsSince1970: -1).rfc3339 == "1969-12-31T23:59:59.999Z")
        #expect(Instant(millisecondsSince1970: .max).rfc3339 == "@9223372036854775807")
        #expect(Instant(millisecondsSince1970: .min).rfc3339 == "@-9223372036854775808")
    }

    @Test func addsWithoutWrapping() throws {
        let end = Instant(millisecondsSince1970: .max)
        let start = Instant(millisecondsSince1970: .min)
        #expect(throws: ChronologyFailure.overflow) { try end.adding(milliseconds: 1) }
        #expect(throws: ChronologyFailure.overflow) { try start.adding(milliseconds: -1) }
        #expect(throws: ChronologyFailure.overflow) { try end.milliseconds(since: start) }
        #expect(throws: ChronologyFailure.overflow) { try Instant.earliest.milliseconds(since: start) }
        #expect(try end.adding(milliseconds: -1) < end)
        #expect(end.millisecondsClamped(since: start) == .max)
        #expect(start.millisecondsClamped(since: end) == .min)
        #expect(Instant.latest.millisecondsClamped(since: .earliest) == 253_402_300_799_999)
    }
}
