import Chronology
import Crypto
import Persistence
import Web

/// A person's second factor: on, or being set up.
struct SecondFactor: Sendable {
    var operatorID: OperatorID
    var secretSealed: [UInt8]
    var onSince: Instant?
    var stepUsed: Int64
    var failures: Int
    var lockedUntil: Instant?

    var isOn: Bool { onSince != nil }
}

extension SecondFactor {
    /// Wrong codes before it waits; it opens again by itself.
    static let failuresMax = 5
    static let lockMs: Int64 = 15 * 60_000
    /// A phone's clock may be wrong by this many half minutes, either way.
    static let stepsAround: Int64 = 1
    static let recoveryCodes = 10

    enum Check: Sendable, Equatable {
        case accepted
        /// A recovery code was used; so many are left.
        case recovered(left: Int64)
        case refused
        case locked
    }

    /// Whether a code is right, once: what was accepted is used up. The count of wrong ones stands when this returns, so callers must
    /// not roll it back.
    static func check(_ text: String, of id: OperatorID, vault: Vault, at now: Instant, on connection: any Connection) throws -> Check {
        guard let factor = try SecondFactorStore.find(id, on: connection), let secret = try factor.secret(vault, on: connection) else { return .refused }
        if let until = factor.lockedUntil, until > now { return .locked }
        let typed = text.lowercased().filter { $0.isLetter || $0.isNumber }
        if typed.utf8.count == TimedCode.digits, let step = matching(typed, secret, around: TimedCode.step(at: now)) {
            if try SecondFactorStore.use(step: step, of: id, on: connection) { return .accepted }
        } else if factor.isOn, typed.utf8.count == RecoveryCode.length,
            try SecondFactorStore.useRecovery(RecoveryCode.hash(typed, of: id, vault), of: id, at: now, on: connection)
        {
            try SecondFactorStore.setFailures(id, 0, lockedUntil: nil, on: connection)
            return .recovered(left: try SecondFactorStore.recoveryLeft(id, on: connection))
        }
        let isFull = factor.failures + 1 >= failuresMax
        try SecondFactorStore.setFailures(
            id, isFull ? 0 : factor.failures + 1, lockedUntil: isFull ? try now.adding(milliseconds: lockMs) : nil, on: connection)
        return isFull ? .locked : .refused
    }

    private static func matching(_ typed: String, _ secret: [UInt8], around step: Int64) -> Int64? {
        var found: Int64?
        // Every step is reckoned, so that the time says nothing.
        for candidate in (step - stepsAround)...(step + stepsAround)
        where ConstantTime.equal(Array(TimedCode.text(secret: secret, step: candidate).utf8), Array(typed.utf8)) {
            found = candidate
        }
        return found
    }

    /// Begins to set it up with a new secret. What is on stays on.
    static func begin(for id: OperatorID, in write: Write) throws {
        guard try SecondFactorStore.find(id, on: write.connection)?.isOn != true else { throw alreadyOn }
        guard let key = try TeamStore.key(of: id, vault: write.vault, on: write.connection) else { throw Problem.notFound() }
        let secret = write.world.random.bytes(TimedCode.secretBytes)
        try SecondFactorStore.begin(
            id, sealed: try Vault.seal(secret, under: key, for: place(id)), at: write.world.now(), on: write.connection)
    }

    /// Turns it on after a right code; answers fresh recovery codes, which are shown once.
    static func turnOn(for id: OperatorID, in write: Write) throws -> [String] {
        guard try SecondFactorStore.turnOn(id, at: write.world.now(), on: write.connection) else { throw alreadyOn }
        let codes = try renewRecoveryCodes(for: id, in: write)
        try write.audit("second_factor.on", subject: id.text)
        try Mail.queue(.secondFactorOn, to: .operator_(id), in: write)
        return codes
    }

    /// New recovery codes; the old ones end.
    static func renewRecoveryCodes(for id: OperatorID, in write: Write) throws -> [String] {
        let codes = (0..<recoveryCodes).map { _ in RecoveryCode.make(write.world) }
        try SecondFactorStore.replaceRecovery(codes.map { RecoveryCode.hash(RecoveryCode.plain($0), of: id, write.vault) }, of: id, on: write.connection)
        try write.audit("second_factor.recovery_codes", subject: id.text)
        return codes
    }

    static func turnOff(for id: OperatorID, in write: Write) throws {
        let wasOn = try SecondFactorStore.find(id, on: write.connection)?.isOn == true
        try SecondFactorStore.remove(id, on: write.connection)
        guard wasOn else { return }
        try write.audit("second_factor.off", subject: id.text)
        try Mail.queue(.secondFactorOff, to: .operator_(id), in: write)
    }

    func secret(_ vault: Vault, on connection: any Connection) throws -> [UInt8]? {
        guard let key = try TeamStore.key(of: operatorID, vault: vault, on: connection) else { return nil }
        return try Vault.open(secretSealed, under: key, for: Self.place(operatorID))
    }

    private static func place(_ id: OperatorID) -> String { "\(id.text):second-factor" }

    private static let alreadyOn = Problem.conflict(
        code: "second_factor_on", detail: "The second factor is on already. Turn it off before you set up another phone.")
}

/// Codes for when the phone is lost: 16 letters and digits, 80 bits.
enum RecoveryCode {
    static let length = 16

    static func make(_ world: World) -> String {
        let text = String(decoding: world.random.bytes(length).map { Base32.digits[Int($0 & 31)] }, as: UTF8.self)
        return stride(from: 0, to: length, by: 4).map { String(text.dropFirst($0).prefix(4)) }.joined(separator: "-")
    }

    static func plain(_ code: String) -> String { code.filter { $0 != "-" } }

    static func hash(_ plain: String, of id: OperatorID, _ vault: Vault) -> [UInt8] { vault.lookupHash(nil, "recovery", "\(id.text):\(plain)") }
}

enum ConstantTime {
    static func equal(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
