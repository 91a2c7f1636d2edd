import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// The browser somebody signs in with, known again by a cookie of its own. A letter tells its owner of a new one.
struct SignInDevice: Sendable {
    static let cookie = HostCookie("kith_device")
    static let lifeSeconds = 400 * 86_400
    /// Browsers remembered for one person.
    static let countMax = 50

    let token: SessionToken
    /// Whether the browser has the cookie already.
    let isKnownToBrowser: Bool
    var browser: String?
    var system: String?

    init(_ request: Request) {
        let known = Self.cookie.value(in: request).flatMap { SessionToken(text: $0) }
        token = known ?? SessionToken()
        isKnownToBrowser = known != nil
        let agent = request.headers[.userAgent] ?? ""
        // The more telling name first: Edge says Chrome as well, and Chrome says Safari.
        browser = [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")]
            .first { agent.contains($0.0) }?.1
        system = [("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux")]
            .first { agent.contains($0.0) }?.1
    }

    /// Remembers the browser of somebody who signs in. The first one ever is no news.
    func note(for id: OperatorID, in write: Write) throws {
        let now = write.world.now()
        guard try !DeviceStore.setSeen(token.hash, of: id, at: now, on: write.connection) else { return }
        if try DeviceStore.count(of: id, on: write.connection) > 0 {
            try Mail.queue(.newSignIn(atMs: now.millisecondsSince1970, browser: browser, system: system), to: .operator_(id), in: write)
        }
        try DeviceStore.insert(token.hash, of: id, at: now, on: write.connection)
        try DeviceStore.forgetOldest(of: id, keeping: Self.countMax, on: write.connection)
    }

    func remember(in response: inout Response) {
        response.set(Self.cookie, value: token.text, maximumAgeSeconds: Self.lifeSeconds)
    }
}

enum DeviceStore {
    static func setSeen(_ hash: [UInt8], of id: OperatorID, at: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute("UPDATE operator_device SET last_seen_at = \(at) WHERE operator_id = \(id) AND device_hash = \(hash)") == 1
    }

    static func count(of id: OperatorID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM operator_device WHERE operator_id = \(id)") ?? 0
    }

    static func insert(_ hash: [UInt8], of id: OperatorID, at: Instant, on connection: any Connection) throws {
        try connection.execute(
            "INSERT INTO operator_device (operator_id, device_hash, first_seen_at, last_seen_at) VALUES (\(id), \(hash), \(at), \(at))")
    }

    static func forgetOldest(of id: OperatorID, keeping count: Int, on connection: any Connection) throws {
        try connection.execute(
            """
            DELETE FROM operator_device WHERE operator_id = \(id) AND device_hash NOT IN (
                SELECT device_hash FROM operator_device WHERE operator_id = \(id) ORDER BY last_seen_at DESC, device_hash LIMIT \(count))
            """)
    }
}
