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
    func note(for owner: DeviceOwner, in write: Write, profileURL: String = "") throws {
        let now = write.world.now()
        guard try !DeviceStore.setSeen(token.hash, of: owner, at: now, on: write.connection) else { return }
        if try DeviceStore.count(of: owner, on: write.connection) > 0 { try tell(owner, at: now, profileURL: profileURL, in: write) }
        try DeviceStore.insert(token.hash, of: owner, at: now, on: write.connection)
        try DeviceStore.forgetOldest(of: owner, keeping: Self.countMax, on: write.connection)
    }

    private func tell(_ owner: DeviceOwner, at now: Instant, profileURL: String, in write: Write) throws {
        let atMs = now.millisecondsSince1970
        switch owner {
        case .operator_(let id): try Mail.queue(.newSignIn(atMs: atMs, browser: browser, system: system), to: .operator_(id), in: write)
        case .member(let id):
            guard let member = try MemberStore.find(id, in: write.workspace.id, on: write.connection) else { return }
            try Mail.queue(
                .memberNewSignIn(atMs: atMs, browser: browser, system: system, url: profileURL), to: .person(member.personID), locale: member.locale,
                in: write)
        }
    }

    func remember(in response: inout Response) {
        response.set(Self.cookie, value: token.text, maximumAgeSeconds: Self.lifeSeconds)
    }
}

/// Whose browser it is: operators and members are remembered apart.
enum DeviceOwner: Sendable {
    case operator_(OperatorID)
    case member(MemberID)

    fileprivate var place: (table: String, column: String, id: String) {
        switch self {
        case .operator_(let id): ("operator_device", "operator_id", id.text)
        case .member(let id): ("member_device", "member_id", id.text)
        }
    }
}

enum DeviceStore {
    static func setSeen(_ hash: [UInt8], of owner: DeviceOwner, at: Instant, on connection: any Connection) throws -> Bool {
        let (table, column, id) = owner.place
        return try connection.execute(
            "UPDATE \(raw: table) SET last_seen_at = \(at) WHERE \(raw: column) = \(id) AND device_hash = \(hash)") == 1
    }

    static func count(of owner: DeviceOwner, on connection: any Connection) throws -> Int64 {
        let (table, column, id) = owner.place
        return try connection.value("SELECT count(*) FROM \(raw: table) WHERE \(raw: column) = \(id)") ?? 0
    }

    static func insert(_ hash: [UInt8], of owner: DeviceOwner, at: Instant, on connection: any Connection) throws {
        let (table, column, id) = owner.place
        try connection.execute(
            "INSERT INTO \(raw: table) (\(raw: column), device_hash, first_seen_at, last_seen_at) VALUES (\(id), \(hash), \(at), \(at))")
    }

    static func forgetOldest(of owner: DeviceOwner, keeping count: Int, on connection: any Connection) throws {
        let (table, column, id) = owner.place
        try connection.execute(
            """
            DELETE FROM \(raw: table) WHERE \(raw: column) = \(id) AND device_hash NOT IN (
                SELECT device_hash FROM \(raw: table) WHERE \(raw: column) = \(id) ORDER BY last_seen_at DESC, device_hash LIMIT \(count))
            """)
    }

    static func forget(_ owner: DeviceOwner, on connection: any Connection) throws {
        let (table, column, id) = owner.place
        try connection.execute("DELETE FROM \(raw: table) WHERE \(raw: column) = \(id)")
    }
}
