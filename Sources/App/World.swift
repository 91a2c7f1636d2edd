import CSodium
import Chronology
import Foundation
import Persistence
import Synchronization

/// The edges of the program: time, chance, and what it is stored in. A seeded world makes a run repeatable.
struct World: Sendable {
    /// Real time: for sessions, limits, key expiry and ids. What a workspace calls "now" is `Workspace.now(in:)`.
    var now: @Sendable () -> Instant
    var random: RandomSource
    /// Stands between the program and its main database: a simulation puts faults there.
    var storage: @Sendable (any Database) -> any Database = { $0 }

    static func real() -> World {
        World(
            now: { Instant(millisecondsSince1970: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))) },
            random: RandomSource(SystemRandom()))
    }

    /// Time that only moves when told, and numbers from a seed.
    static func seeded(_ seed: UInt64, start: Instant) -> World {
        World(now: { start }, random: RandomSource(SeededGenerator(state: seed)))
    }

    /// A new id, sortable by the time it was made.
    func newID<Kind>(_ kind: Kind.Type = Kind.self) -> Identifier<Kind> {
        let (high, low) = random.pair()
        return Identifier(
            stored: Kind.prefix + Base32.sortable(milliseconds: now().millisecondsSince1970, high: UInt16(truncatingIfNeeded: high), low: low))
    }
}

/// Random numbers that may be asked for from anywhere.
final class RandomSource: Sendable {
    private let generator: Mutex<any RandomNumberGenerator & Sendable>

    init(_ generator: any RandomNumberGenerator & Sendable) { self.generator = Mutex(generator) }

    func pair() -> (UInt64, UInt64) { generator.withLock { ($0.next(), $0.next()) } }

    func bytes(_ count: Int) -> [UInt8] {
        generator.withLock { source in (0..<count).map { _ in UInt8(truncatingIfNeeded: source.next()) } }
    }

    func below(_ bound: UInt64) -> UInt64 { generator.withLock { source in bound == 0 ? 0 : source.next(upperBound: bound) } }
}

/// The system's random numbers, fetched many at a time: a redirect needs five, and the kernel is slow to ask.
struct SystemRandom: RandomNumberGenerator, Sendable {
    private static let wordCount = 256
    private var words: [UInt64] = []

    mutating func next() -> UInt64 {
        if let word = words.popLast() { return word }
        words = [UInt64](repeating: 0, count: Self.wordCount)
        words.withUnsafeMutableBytes { bytes in if let start = bytes.baseAddress { randombytes_buf(start, bytes.count) } }
        return words.removeLast()
    }
}

/// SplitMix64: small, seeded, the same on every machine.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
