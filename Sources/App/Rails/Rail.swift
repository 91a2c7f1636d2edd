import Chronology
import Crypto
import Persistence
import Web

/// A way in which money leaves that needs settings of the company's: a provider that is called, or a file with the company's numbers in it.
enum RailKind: String, Sendable, CaseIterable {
    case paypal, stripe, external
    /// Files: American banks, and Wise.
    case nacha, wise

    /// Those that Kith calls itself.
    static let providers: [RailKind] = [.paypal, .stripe, .external]

    /// The kind of account that it pays to.
    var accountKind: PayoutAccount.Kind {
        switch self {
        case .paypal: .paypal
        case .stripe: .stripe
        case .external: .external
        case .nacha: .ach
        case .wise: .wise
        }
    }

    var isProvider: Bool { Self.providers.contains(self) }
}

/// A rail as a workspace has connected it.
struct Rail: Sendable {
    var kind: RailKind
    var settings: RailSettings
    /// What proves who we are, or signs; nil for files.
    var secret: String?
    var secretVersion: Int64 = 1
    var troubleCode: String?
    var troubleAt: Instant?
    var createdAt: Instant
    var updatedAt: Instant

    static let secretLengthMax = 500
}

/// What seals providers' secrets: a key of the installation's, apart from all others.
struct RailSeal: Sendable {
    private let key: SymmetricKey

    init(_ secrets: Secrets) { key = secrets.key("rails") }

    func seal(_ text: String, for place: String) throws -> [UInt8] { try Vault.seal(Array(text.utf8), under: key, for: place) }

    func open(_ sealed: [UInt8], for place: String) throws -> String {
        String(decoding: try Vault.open(sealed, under: key, for: place), as: UTF8.self)
    }
}

extension Installation {
    var railSeal: RailSeal { RailSeal(secrets) }
}

extension Rail {
    /// Connects a rail, or changes it. A secret that is not said stays as it is; the external rail gets one from us, shown once.
    static func connect(
        _ kind: RailKind, _ settings: RailSettings, secret: String?, newSecret: Bool = false, seal: RailSeal, in write: Write
    ) throws -> (rail: Rail, shownSecret: String?) {
        let known = try RailStore.find(kind, in: write.workspace.id, seal: seal, on: write.connection)
        var (kept, shown) = (secret ?? known?.secret, String?.none)
        if kind == .external, known == nil || newSecret {
            let made = WebhookSecret.make(write.world).text
            (kept, shown) = (made, made)
        }
        if kind == .paypal || kind == .stripe {
            guard let kept else { throw Refusal.field("secret", "Is required: \(kind.rawValue) knows you by it.") }
            try check(kind, settings, kept, in: write)
        }
        // Who is known under another id now does not know what was sent under the first.
        if let known, known.settings.identity != settings.identity, try RailCallStore.hasOpen(kind, in: write.workspace.id, on: write.connection) {
            throw Problem.conflict(
                code: "rail_in_use",
                detail: "Payments are under way by \(kind.rawValue) under its settings of now: wait until they have ended, or only change the secret.")
        }
        let rail = Rail(
            kind: kind, settings: settings, secret: kept,
            secretVersion: (known?.secretVersion ?? 0) + (kept == known?.secret && known != nil ? 0 : 1), createdAt: known?.createdAt ?? write.now, updatedAt: write.now)
        try RailStore.put(rail, in: write.workspace.id, seal: seal, on: write.connection)
        // What stopped for want of the right secret goes on.
        try RailCallStore.wake(kind, in: write.workspace.id, at: write.world.now(), on: write.connection)
        try write.audit("rail.connect", subject: kind.rawValue, JSONText(["newSecret": .boolean(secret != nil || shown != nil)]))
        return (rail, shown)
    }

    /// Test workspaces never move real money, and others never play money.
    private static func check(_ kind: RailKind, _ settings: RailSettings, _ secret: String, in write: Write) throws {
        let isTest = write.workspace.isTest
        switch kind {
        case .stripe:
            let isTestKey = secret.hasPrefix("sk_test_") || secret.hasPrefix("rk_test_")
            guard isTestKey || secret.hasPrefix("sk_live_") || secret.hasPrefix("rk_live_") else {
                throw Refusal.field("secret", "Must be a secret or restricted key of Stripe's: sk_ or rk_.")
            }
            guard isTestKey == isTest else {
                throw Refusal.field("secret", isTest ? "A test workspace takes a test key (sk_test_) alone." : "Must be a live key (sk_live_): this workspace pays people.")
            }
        case .paypal:
            guard settings.isSandbox == isTest else {
                throw Refusal.field("sandbox", isTest ? "A test workspace takes PayPal's sandbox alone." : "Must be false: this workspace pays people.")
            }
        case .external, .nacha, .wise: break
        }
    }

    /// Nothing is sent by it from now on. What is under way must have ended: nobody could be asked about it.
    static func disconnect(_ kind: RailKind, in write: Write) throws {
        guard try !RailCallStore.hasOpen(kind, in: write.workspace.id, on: write.connection) else {
            throw Problem.conflict(code: "rail_in_use", detail: "Payments are under way by \(kind.rawValue): wait until they have ended.")
        }
        guard try RailStore.delete(kind, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("rail") }
        try write.audit("rail.disconnect", subject: kind.rawValue)
    }

    /// What a program's payouts take when nobody says another; nil: a person chooses.
    static func choose(_ kind: RailKind?, for program: ProgramID, in write: Write) throws {
        guard try ProgramStore.exists(program, in: write.workspace.id, on: write.connection) else { throw Refusal.unknownProgram() }
        guard kind?.isProvider != false else { throw Refusal.field("rail", "Must be paypal, stripe, external or null.") }
        try RailStore.choose(kind, for: program, on: write.connection)
        try write.audit("rail.choose", subject: program.text, JSONText(["rail": kind.map { .text($0.rawValue) } ?? .null]))
    }

    /// The kinds of account that members may enter.
    static func offer(_ kinds: Set<PayoutAccount.Kind>, in write: Write) throws {
        guard !kinds.isEmpty else { throw Refusal.field("kinds", "Must name one kind of account at least.") }
        try RailStore.offer(kinds, in: write.workspace.id, on: write.connection)
        try write.audit("rail.offer", subject: write.workspace.id.text, JSONText(["kinds": .array(kinds.map(\.rawValue).sorted().map { .text($0) })]))
    }

    /// What programs see of it: never the secret.
    var json: JSONValue {
        .object(
            [
                JSONMember("rail", .text(kind.rawValue)), JSONMember("settings", settings.json),
                JSONMember("troubleCode", troubleCode.map { .text($0) } ?? .null),
                JSONMember("troubleAt", troubleAt.map { .text($0.rfc3339) } ?? .null), JSONMember("createdAt", .text(createdAt.rfc3339)),
                JSONMember("updatedAt", .text(updatedAt.rfc3339)),
            ])
    }
}
