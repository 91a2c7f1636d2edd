import Chronology
import Persistence
import Web

/// Whom a company's letters come from, and whether its DNS says that they may.
struct MailDomain: Sendable, Hashable {
    enum State: String, Sendable, CaseIterable { case unchecked, verified, failing }

    var senderAddress: String
    /// A name that the domain's SPF record has to include.
    var spfInclude = ""
    var dkimSelector = ""
    /// Where the selector's record leads (a name), or the text that it has.
    var dkimValue = ""
    var returnPathHost = ""
    var returnPathTarget = ""
    var state = State.unchecked
    var findings: [MailFinding] = []
    var checkedAt: Instant?
    /// A word that nobody can guess, for the record that shows whose the domain is.
    var proof = ""

    static let proofBytes = 20
    static let takenCode = "mail_domain_taken"
    /// What stands in front of the domain in that record.
    static let proofLabel = "_kith"

    /// Of the record.
    var proofText: String { "kith-mail=\(proof)" }

    /// The last look that was answered saw the record: letters come from the address.
    var isProved: Bool { findings.contains { $0.code == .ownerFine } }

    /// What stands behind the @.
    var domain: String { senderAddress.split(separator: "@").last.map { $0.lowercased() } ?? "" }

    struct Record: Sendable, Hashable {
        var kind: MailFinding.Kind
        var type: String
        var name: String
        var value: String
    }

    /// What to enter in the domain's DNS.
    var records: [Record] {
        var records: [Record] = []
        if !proof.isEmpty { records.append(Record(kind: .owner, type: "TXT", name: "\(Self.proofLabel).\(domain)", value: proofText)) }
        records.append(Record(kind: .spf, type: "TXT", name: domain, value: spfInclude.isEmpty ? "v=spf1 … ~all" : "v=spf1 include:\(spfInclude) ~all"))
        if !dkimSelector.isEmpty {
            records.append(
                Record(kind: .dkim, type: isDKIMName ? "CNAME" : "TXT", name: "\(dkimSelector)._domainkey.\(domain)", value: dkimValue.isEmpty ? "v=DKIM1; …" : dkimValue))
        }
        records.append(Record(kind: .dmarc, type: "TXT", name: "_dmarc.\(domain)", value: "v=DMARC1; p=quarantine; rua=mailto:\(senderAddress)"))
        if !returnPathHost.isEmpty { records.append(Record(kind: .returnPath, type: "CNAME", name: returnPathHost, value: returnPathTarget)) }
        return records
    }

    /// A selector's expectation is a name when it reads like one.
    var isDKIMName: Bool { HostName(typed: dkimValue.replacing("_", with: "")) != nil }
}

/// One thing that a check of a mail domain says.
struct MailFinding: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable { case owner, spf, dkim, dmarc, returnPath }
    enum Level: String, Sendable, CaseIterable { case good, warning, bad }

    enum Code: String, Sendable, CaseIterable {
        case ownerFine, ownerMissing, ownerOther
        case spfFine, spfMissing, spfSeveral, spfWithoutInclude, spfTooManyLookups, spfPassesAll
        case dkimFine, dkimUnset, dkimMissing, dkimOther, dkimRevoked, dkimWeak
        case dmarcFine, dmarcMissing, dmarcSeveral, dmarcNone, dmarcBroken
        case returnPathFine, returnPathMissing, returnPathOther
        case unanswered
    }

    var kind: Kind
    var level: Level
    var code: Code
    /// What was found, or what went wrong.
    var found = ""

    var json: JSONValue { ["record": .text(kind.rawValue), "level": .text(level.rawValue), "code": .text(code.rawValue), "found": .text(found)] }

    init(_ kind: Kind, _ level: Level, _ code: Code, _ found: String = "") {
        (self.kind, self.level, self.code) = (kind, level, code)
        self.found = String(String.UnicodeScalarView(found.unicodeScalars.filter { $0.value >= 0x20 && $0.value < 0x7F }.prefix(300)))
    }

    init?(_ json: JSONValue) {
        func word(_ name: String) -> String { if case .text(let text)? = json[name] { text } else { "" } }
        guard let kind = Kind(rawValue: word("record")), let level = Level(rawValue: word("level")), let code = Code(rawValue: word("code")) else { return nil }
        self.init(kind, level, code, word("found"))
    }
}

/// What people enter.
struct MailDomainInput: Sendable {
    var senderAddress: String
    var spfInclude: String
    var dkimSelector: String
    var dkimValue: String
    var returnPathHost: String
    var returnPathTarget: String

    /// The first field that can't be taken; nil when all can.
    var fault: String? {
        guard Normalised.email(senderAddress) != nil else { return "senderAddress" }
        if !spfInclude.isEmpty, !Self.isName(spfInclude) { return "spfInclude" }
        if !dkimSelector.isEmpty, !Self.isName(dkimSelector + ".x") { return "dkimSelector" }
        if !dkimValue.isEmpty, dkimSelector.isEmpty || !dkimValue.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return "dkimValue" }
        if !returnPathHost.isEmpty, !Self.isName(returnPathHost) { return "returnPathHost" }
        if returnPathHost.isEmpty != returnPathTarget.isEmpty || (!returnPathTarget.isEmpty && !Self.isName(returnPathTarget)) { return "returnPathTarget" }
        return nil
    }

    /// Names of records may have underscores.
    private static func isName(_ text: String) -> Bool { HostName(typed: text.replacing("_", with: "")) != nil }
}

extension MailDomain {
    static func set(_ input: MailDomainInput, in write: Write) throws -> MailDomain {
        guard let address = Normalised.email(input.senderAddress), input.fault == nil else {
            throw Refusal.field(input.fault ?? "senderAddress", "Can't be taken.", code: "mail_domain_refused")
        }
        var domain = MailDomain(
            senderAddress: address, spfInclude: input.spfInclude.lowercased(), dkimSelector: input.dkimSelector.lowercased(), dkimValue: input.dkimValue,
            returnPathHost: input.returnPathHost.lowercased(), returnPathTarget: input.returnPathTarget.lowercased())
        guard try !MailDomainStore.isTaken(domain.domain, by: write.workspace, on: write.connection) else {
            throw Problem.conflict(code: takenCode, detail: "Letters of another workspace come from \(domain.domain). It must be removed there first.")
        }
        // Whose the domain is does not change with what else is entered.
        if let known = try MailDomainStore.find(write.workspace, on: write.connection), known.domain == domain.domain, !known.proof.isEmpty {
            domain.proof = known.proof
            domain.findings = known.findings.filter { $0.code == .ownerFine }
        } else {
            domain.proof = Base64URL.encode(write.world.random.bytes(proofBytes))
        }
        try MailDomainStore.put(domain, of: write.workspace, at: write.world.now(), on: write.connection)
        try write.audit("mail_domain.set", subject: write.workspace.id.text, JSONText(["domain": .text(domain.domain)]))
        return domain
    }

    static func remove(in write: Write) throws {
        guard try MailDomainStore.remove(write.workspace, on: write.connection) else { throw Refusal.unknown("mail domain") }
        try write.audit("mail_domain.remove", subject: write.workspace.id.text)
    }

    /// Notes what a check found, unless the domain was changed meanwhile.
    static func note(_ findings: [MailFinding], of checked: MailDomain, in write: Write) throws -> MailDomain {
        guard var domain = try MailDomainStore.find(write.workspace, on: write.connection) else { throw Refusal.unknown("mail domain") }
        guard domain.records == checked.records else { return domain }
        // Name servers have bad days: who proved it once is asked again later.
        let wasProved = domain.isProved
        domain.findings = findings.map { $0.kind == .owner && $0.code == .unanswered && wasProved ? MailFinding(.owner, .good, .ownerFine) : $0 }
        domain.checkedAt = write.world.now()
        domain.state = findings.contains { $0.level == .bad } ? .failing : .verified
        try MailDomainStore.put(domain, of: write.workspace, at: write.world.now(), on: write.connection)
        return domain
    }

    func json(_ installation: Installation) -> JSONValue {
        [
            "senderAddress": .text(senderAddress), "domain": .text(domain), "spfInclude": .text(spfInclude), "dkimSelector": .text(dkimSelector),
            "dkimValue": .text(dkimValue), "returnPathHost": .text(returnPathHost), "returnPathTarget": .text(returnPathTarget), "state": .text(state.rawValue),
            "records": .array(records.map { ["purpose": .text($0.kind.rawValue), "type": .text($0.type), "name": .text($0.name), "value": .text($0.value)] }),
            "findings": .array(findings.map(\.json)), "checkedAt": checkedAt.map { .text($0.rfc3339) } ?? .null,
        ]
    }
}

extension Installation {
    /// Asks the name servers about a workspace's mail domain now, and notes what they say.
    func checkMailDomain(in id: WorkspaceID, actor: Actor) async throws -> MailDomain {
        let found = try await main.read { connection -> MailDomain? in
            guard let workspace = try WorkspaceStore.find(id, on: connection) else { return nil }
            return try MailDomainStore.find(workspace, on: connection)
        }
        guard let domain = found else { throw Refusal.unknown("mail domain") }
        let dns = dns
        let findings = await MailDomainCheck(look: { await dns.look(up: $0, $1) }).check(domain)
        return try await write(id, actor: actor) { write in try MailDomain.note(findings, of: domain, in: write) }
    }
}
