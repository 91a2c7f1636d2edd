import Chronology
import Crypto
import Persistence

enum SecondFactorStore {
    static func find(_ id: OperatorID, on connection: any Connection) throws -> SecondFactor? {
        try connection.row(
            "SELECT operator_id, secret_sealed, on_since, step_used, failures, locked_until FROM second_factor WHERE operator_id = \(id)"
        ).map { row in
            SecondFactor(
                operatorID: try row.get(at: 0), secretSealed: try row.get(at: 1), onSince: try row.get(at: 2), stepUsed: try row.get(at: 3),
                failures: try row.get(at: 4), lockedUntil: try row.get(at: 5))
        }
    }

    static func begin(_ id: OperatorID, sealed: [UInt8], at: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO second_factor (operator_id, secret_sealed, created_at) VALUES (\(id), \(sealed), \(at))
            ON CONFLICT (operator_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, created_at = excluded.created_at, step_used = 0
            WHERE second_factor.on_since IS NULL
            """)
    }

    /// False when it was on already, or nothing was begun.
    static func turnOn(_ id: OperatorID, at: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute("UPDATE second_factor SET on_since = \(at) WHERE operator_id = \(id) AND on_since IS NULL") == 1
    }

    static func remove(_ id: OperatorID, on connection: any Connection) throws {
        try connection.executeAll([
            "DELETE FROM recovery_code WHERE operator_id = \(id)", "DELETE FROM second_factor WHERE operator_id = \(id)",
        ])
    }

    /// False when a code of this step, or a later one, was used before.
    static func use(step: Int64, of id: OperatorID, on connection: any Connection) throws -> Bool {
        try connection.execute(
            "UPDATE second_factor SET step_used = \(step), failures = 0, locked_until = NULL WHERE operator_id = \(id) AND step_used < \(step)") == 1
    }

    static func setFailures(_ id: OperatorID, _ failures: Int, lockedUntil: Instant?, on connection: any Connection) throws {
        try connection.execute("UPDATE second_factor SET failures = \(failures), locked_until = \(lockedUntil) WHERE operator_id = \(id)")
    }

    static func replaceRecovery(_ hashes: [[UInt8]], of id: OperatorID, on connection: any Connection) throws {
        try connection.executeAll(
            ["DELETE FROM recovery_code WHERE operator_id = \(id)"]
                + hashes.map { "INSERT INTO recovery_code (operator_id, code_hash) VALUES (\(id), \($0))" })
    }

    /// False when there is no such code, or it was used.
    static func useRecovery(_ hash: [UInt8], of id: OperatorID, at: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            "UPDATE recovery_code SET used_at = \(at) WHERE operator_id = \(id) AND code_hash = \(hash) AND used_at IS NULL") == 1
    }

    static func recoveryLeft(_ id: OperatorID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM recovery_code WHERE operator_id = \(id) AND used_at IS NULL") ?? 0
    }
}

extension TeamStore {
    /// The key under which a person's own fields are sealed; nil when it was destroyed.
    static func key(of id: OperatorID, vault: Vault, on connection: any Connection) throws -> SymmetricKey? {
        try connection.row("SELECT key_id FROM operator WHERE id = \(id)").flatMap { try vault.key(try $0.get(at: 0)) }
    }
}
