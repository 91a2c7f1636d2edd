import Chronology
import Crypto
import Persistence
import Web

/// Who sends events: a shop or payment provider with rules of its own, or a program of the company's.
enum Vendor: String, Sendable, CaseIterable {
    case stripe, shopify
    case wooCommerce = "woocommerce"
    /// A signed webhook of any program, read by a mapping that the operator makes.
    case generic
    /// An address that any program may call with GET.
    case postback

    /// Those whose secret is the vendor's; the others get one from us.
    var givesSecret: Bool { self != .postback }

    /// An id of the vendor's that can't be taken for another's or for the company's own.
    func namespaced(_ id: String) -> String { "\(rawValue):\(id)" }

    /// Whether an id is, or passes for, one of a vendor's.
    static func isNamespaced(_ id: String) -> Bool {
        let folded = id.lowercased()
        return allCases.contains { folded.hasPrefix($0.namespaced("")) }
    }
}

/// A vendor that may tell sales of a workspace, for one of its programs.
struct Integration: Sendable {
    var workspaceID: WorkspaceID
    var vendor: Vendor
    var programID: ProgramID
    /// The secrets that count now, the newest first.
    var secrets: [String]
    var mapping: GenericMapping?
    var createdAt: Instant
    var updatedAt: Instant

    /// A replaced secret counts this much longer, as long as vendors sign with both (Stripe: 24 hours).
    static let formerMs: Int64 = 24 * 3_600_000
    static let secretLengthMax = 500
    /// A shorter secret can be found by trying.
    static let secretBytesMin = 16
}

/// What seals secrets and raw payloads: a key of the installation's, apart from all others.
struct InboundSeal: Sendable {
    private let key: SymmetricKey

    init(_ secrets: Secrets) { key = secrets.key("integrations") }

    func seal(_ plain: [UInt8], for place: String) throws -> [UInt8] { try Vault.seal(plain, under: key, for: place) }

    func open(_ sealed: [UInt8], for place: String) throws -> [UInt8] { try Vault.open(sealed, under: key, for: place) }
}

extension Installation {
    var inboundSeal: InboundSeal { InboundSeal(secrets) }
}

extension Integration {
    /// Connects a vendor, or changes how. Another secret leaves the one before good for a day.
    static func connect(
        _ vendor: Vendor, program: ProgramID, secret: String?, mapping: GenericMapping? = nil, seal: InboundSeal, in write: Write
    ) throws -> Integration {
        guard try ProgramStore.exists(program, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("program", field: "programId") }
        let known = try IntegrationStore.find(vendor, in: write.workspace.id, at: write.world.now(), seal: seal, on: write.connection)
        guard let kept = secret ?? known?.secrets.first else {
            throw Refusal.field("webhookSecret", "Is required: it proves that events come from \(vendor.rawValue).")
        }
        if vendor == .generic {
            guard mapping ?? known?.mapping != nil else { throw Refusal.field("mapping", "Is required: it says where our fields stand in your events.") }
        }
        try check(kept, isNew: secret != nil, mapping: mapping ?? known?.mapping)
        let row = Integration(
            workspaceID: write.workspace.id, vendor: vendor, programID: program, secrets: [kept], mapping: mapping ?? known?.mapping,
            createdAt: known?.createdAt ?? write.now, updatedAt: write.now)
        let former = known?.secrets.first { !$0.utf8.elementsEqual(kept.utf8) }
        let until = try write.world.now().adding(milliseconds: formerMs)
        try IntegrationStore.put(row, former: former.map { ($0, until) }, seal: seal, on: write.connection)
        try write.audit(
            "integration.connect", subject: vendor.rawValue,
            JSONText(["programId": .text(program.text), "newSecret": .boolean(known == nil || former != nil)]))
        return row
    }

    private static func check(_ secret: String, isNew: Bool, mapping: GenericMapping?) throws {
        if isNew, secret.utf8.count < secretBytesMin {
            throw Refusal.field("webhookSecret", "Must be a text of \(secretBytesMin) to \(secretLengthMax) bytes: a shorter one can be found by trying.")
        }
        if mapping?.signature == .standard, isNew ? WebhookSignature.standardKey(secret) == nil : WebhookSignature.standardKeys(secret).isEmpty {
            throw Refusal.field("webhookSecret", "Must be Base64 of at least \(secretBytesMin) bytes, bare or behind whsec_, as Standard Webhooks wants it.")
        }
    }

    /// Events are refused from now on; what they led to stays.
    static func disconnect(_ vendor: Vendor, in write: Write) throws {
        guard try IntegrationStore.delete(vendor, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("integration") }
        try write.audit("integration.disconnect", subject: vendor.rawValue)
    }

    /// Where the vendor's events go.
    func address(_ installation: Installation) -> String {
        switch vendor {
        case .postback:
            "\(installation.baseURL)\(API.base)/track/postback/\(workspaceID.text)/\(secrets.first ?? "")"
        default: "\(installation.baseURL)\(API.base)/integrations/\(vendor.rawValue)/webhook/\(workspaceID.text)"
        }
    }

    /// What programs see of it: never the secret. The address of a postback holds one, so it is told only to those who may set it.
    func json(_ installation: Installation, showsSecret: Bool) -> JSONValue {
        var members: [JSONMember] = [
            JSONMember("vendor", .text(vendor.rawValue)), JSONMember("programId", .text(programID.text)),
            JSONMember("webhookUrl", vendor != .postback || showsSecret ? .text(address(installation)) : .null),
            JSONMember("createdAt", .text(createdAt.rfc3339)), JSONMember("updatedAt", .text(updatedAt.rfc3339)),
        ]
        if let mapping { members.append(JSONMember("mapping", mapping.json)) }
        return .object(members)
    }
}

enum IntegrationStore {
    private static let columns = "vendor, program_id, secret_sealed, former_sealed, former_until, mapping, created_at, updated_at"

    static func put(_ integration: Integration, former: (secret: String, until: Instant)?, seal: InboundSeal, on connection: any Connection) throws {
        let place = place(integration.workspaceID, integration.vendor)
        let secret = try integration.secrets.first.map { try seal.seal(Array($0.utf8), for: place) }
        let formerSealed = try former.map { try seal.seal(Array($0.secret.utf8), for: place) }
        let mapping = integration.mapping.map { JSONText($0.json).text }
        try connection.execute(
            """
            INSERT INTO integration (workspace_id, \(raw: columns))
            VALUES (\(integration.workspaceID), \(integration.vendor.rawValue), \(integration.programID), \(secret), \(formerSealed), \(former?.until),
                    \(mapping), \(integration.createdAt), \(integration.updatedAt))
            ON CONFLICT (workspace_id, vendor) DO UPDATE SET program_id = excluded.program_id, secret_sealed = excluded.secret_sealed,
                former_sealed = coalesce(excluded.former_sealed, integration.former_sealed),
                former_until = coalesce(excluded.former_until, integration.former_until), mapping = excluded.mapping, updated_at = excluded.updated_at
            """)
    }

    static func delete(_ vendor: Vendor, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.execute("DELETE FROM integration WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue)") > 0
    }

    /// `now` is real time: it decides whether the former secret still counts.
    static func find(
        _ vendor: Vendor, in workspace: WorkspaceID, at now: Instant, seal: InboundSeal, on connection: any Connection
    ) throws -> Integration? {
        try connection.row("SELECT \(raw: columns) FROM integration WHERE workspace_id = \(workspace) AND vendor = \(vendor.rawValue)")
            .flatMap { try read($0, workspace, at: now, seal) }
    }

    static func list(in workspace: WorkspaceID, at now: Instant, seal: InboundSeal, on connection: any Connection) throws -> [Integration] {
        try connection.rows("SELECT \(raw: columns) FROM integration WHERE workspace_id = \(workspace) ORDER BY vendor")
            .compactMap { try read($0, workspace, at: now, seal) }
    }

    private static func read(_ row: Row, _ workspace: WorkspaceID, at now: Instant, _ seal: InboundSeal) throws -> Integration? {
        guard let vendor = Vendor(rawValue: try row.get(at: 0)) else { return nil }
        let place = place(workspace, vendor)
        var secrets: [String] = []
        if let sealed: [UInt8] = try row.get(at: 2) { secrets.append(String(decoding: try seal.open(sealed, for: place), as: UTF8.self)) }
        if let sealed: [UInt8] = try row.get(at: 3), let until: Instant = try row.get(at: 4), until > now {
            secrets.append(String(decoding: try seal.open(sealed, for: place), as: UTF8.self))
        }
        let mapping: String? = try row.get(at: 5)
        return Integration(
            workspaceID: workspace, vendor: vendor, programID: try row.get(at: 1), secrets: secrets,
            mapping: mapping.flatMap { GenericMapping(stored: JSONText(text: $0).value) }, createdAt: try row.get(at: 6), updatedAt: try row.get(at: 7))
    }

    private static func place(_ workspace: WorkspaceID, _ vendor: Vendor) -> String { "integration:\(workspace.text):\(vendor.rawValue)" }
}
