import Chronology
import Foundation
import Money
import Persistence
import Web

/// What a member's own tracker is told of what they earn: an address of theirs, with macros filled in. A program must allow it.
enum Postback {
    /// The events that members are told of.
    static let types: [EventType] = [.commissionCreated, .commissionApproved, .commissionReversed, .commissionPaid]

    enum Macro: String, CaseIterable, Sendable {
        case clickID = "{click_id}"
        case transactionID = "{transaction_id}"
        case commissionAmount = "{commission_amount}"
        case currency = "{currency}"
        case eventType = "{event_type}"
    }

    /// Why an address with macros can't be one; nil when it can.
    static func fault(_ text: String, _ addresses: WebhookURL) -> WebhookURL.Fault? {
        guard text.utf8.count <= WebhookEndpoint.urlBytesMax else { return .malformed }
        let filled = fill(text) { _ in "0" }
        guard !filled.contains("{"), !filled.contains("}") else { return .macroUnknown }
        // Whoever earns must not choose the host by it.
        if let start = text.firstIndex(of: "{"), text[..<start].split(separator: "/", omittingEmptySubsequences: false).count < 4 {
            guard let question = text[..<start].firstIndex(of: "?"), question < start else { return .macroUnknown }
        }
        return addresses.fault(filled)
    }

    /// Each macro replaced by its value, which is encoded so that it is a value and nothing else.
    static func fill(_ text: String, _ value: (Macro) -> String) -> String {
        var filled = text
        for macro in Macro.allCases { filled = filled.replacingOccurrences(of: macro.rawValue, with: LocalPath.encoded(value(macro))) }
        return filled
    }

    // MARK: Setting

    static func set(_ url: String, of member: Member, in write: Write) throws {
        guard try isAllowed(to: member.id, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Problem.conflict(
                code: "postbacks_not_allowed", detail: "No program of this member allows postbacks. Set memberPostbacks of one with PATCH /programs/{id}.")
        }
        guard let sealed = try seal(url, of: member.id, in: write.workspace.id, vault: write.vault, on: write.connection) else { throw Refusal.unknown("member") }
        if var known = try WebhookEndpointStore.find(member: member.id, in: write.workspace.id, on: write.connection) {
            known.urlSealed = sealed
            try WebhookEndpointStore.setTarget(known, on: write.connection)
            try WebhookEndpointStore.setState(known.id, .enabled, because: nil, on: write.connection)
        } else {
            try WebhookEndpointStore.insert(
                WebhookEndpoint(
                    id: write.world.newID(), workspaceID: write.workspace.id, kind: .postback, memberID: member.id, urlSealed: sealed, events: .types(types),
                    state: .enabled, sinceSequence: try EventStore.lastSequence(in: write.workspace.id, on: write.connection), createdAt: write.now),
                on: write.connection)
            try WebhookCursorStore.begin(in: write.workspace.id, on: write.connection)
        }
        try write.audit("postback.set", subject: member.id.text)
    }

    static func remove(of member: MemberID, in write: Write) throws {
        guard let known = try WebhookEndpointStore.find(member: member, in: write.workspace.id, on: write.connection) else { return }
        try WebhookEndpointStore.setState(known.id, .removed, because: nil, on: write.connection)
        try write.audit("postback.remove", subject: member.text)
    }

    /// Gives a member who has no tracker the one of somebody who is merged into them; what these earned before is still told to theirs. Nil when
    /// there was nothing to give.
    static func carry(from duplicate: MemberID, to kept: MemberID, in write: Write) throws -> WebhookID? {
        guard try WebhookEndpointStore.find(member: kept, in: write.workspace.id, on: write.connection) == nil,
            let known = try WebhookEndpointStore.find(member: duplicate, in: write.workspace.id, on: write.connection), known.state == .enabled,
            let url = try known.urlSealed.flatMap({ try url($0, of: duplicate, in: write.workspace.id, vault: write.vault, on: write.connection) }),
            let sealed = try seal(url, of: kept, in: write.workspace.id, vault: write.vault, on: write.connection)
        else { return nil }
        let tracker = WebhookEndpoint(
            id: write.world.newID(), workspaceID: write.workspace.id, kind: .postback, memberID: kept, urlSealed: sealed, events: .types(types),
            state: .enabled, sinceSequence: try EventStore.lastSequence(in: write.workspace.id, on: write.connection), createdAt: write.now)
        try WebhookEndpointStore.insert(tracker, on: write.connection)
        try write.audit("postback.set", subject: kept.text)
        return tracker.id
    }

    /// Whether `carry` would give something.
    static func isCarried(from duplicate: MemberID, to kept: MemberID, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try WebhookEndpointStore.find(member: kept, in: workspace, on: connection) == nil
            && WebhookEndpointStore.find(member: duplicate, in: workspace, on: connection)?.state == .enabled
    }

    /// Takes back what `carry` gave, where it is still as it was given.
    static func giveBack(_ id: WebhookID, of kept: MemberID, from duplicate: MemberID, in write: Write) throws {
        func address(_ member: MemberID) throws -> (id: WebhookID, url: String?)? {
            try WebhookEndpointStore.find(member: member, in: write.workspace.id, on: write.connection).map { endpoint in
                (endpoint.id, try endpoint.urlSealed.flatMap { try url($0, of: member, in: write.workspace.id, vault: write.vault, on: write.connection) })
            }
        }
        guard let given = try address(kept), given.id == id, given.url == (try address(duplicate))?.url else { return }
        try remove(of: kept, in: write)
    }

    /// Whether a program of the member's allows it.
    static func isAllowed(to member: MemberID, in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws -> Bool {
        try MemberStore.programs(of: member, on: connection).contains { id in
            try ProgramStore.find(id, in: workspace, at: now, on: connection)?.settings.allowsPostbacks ?? false
        }
    }

    // MARK: Sealing

    /// Nil when the member was erased.
    static func seal(_ url: String, of member: MemberID, in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> [UInt8]? {
        guard let person = try MemberStore.find(member, in: workspace, on: connection)?.personID,
            let key = try PersonStore.key(of: person, vault: vault, on: connection)
        else { return nil }
        return try Vault.seal(Array(url.utf8), under: key, for: place(member))
    }

    static func url(_ sealed: [UInt8], of member: MemberID, in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> String? {
        guard let person = try MemberStore.find(member, in: workspace, on: connection)?.personID,
            let key = try PersonStore.key(of: person, vault: vault, on: connection)
        else { return nil }
        return String(decoding: try Vault.open(sealed, under: key, for: place(member)), as: UTF8.self)
    }

    private static func place(_ member: MemberID) -> String { "\(member.text):postback" }

    // MARK: Telling

    /// Deliveries of the events that concern members with a tracker.
    static func deliver(_ events: [Event], at now: Instant, in write: Write) throws {
        let names = Set(types.map(\.rawValue))
        let earned = try events.filter { names.contains($0.type) }.compactMap { event -> (Event, Commission)? in
            guard let id = event.data.value["id"]?.string.flatMap({ CommissionID($0) }),
                let commission = try CommissionStore.find(id, in: write.workspace.id, on: write.connection)
            else { return nil }
            return (event, commission)
        }
        guard !earned.isEmpty else { return }
        let endpoints = try WebhookEndpointStore.postbacks(
            of: Set(earned.map(\.1.memberID)).sorted(), in: write.workspace.id, on: write.connection)
        guard !endpoints.isEmpty else { return }
        var allowed: [ProgramID: Bool] = [:]
        for (event, commission) in earned {
            guard let endpoint = endpoints[commission.memberID], event.sequence > endpoint.sinceSequence else { continue }
            if allowed[commission.programID] == nil {
                allowed[commission.programID] =
                    try ProgramStore.find(commission.programID, in: write.workspace.id, at: write.now, on: write.connection)?.settings.allowsPostbacks ?? false
            }
            guard allowed[commission.programID] == true else { continue }
            try WebhookDeliveryStore.insert(write.world.newID(), of: event, to: endpoint, at: now, on: write.connection)
        }
    }

    /// The member's address with what they asked for; nil when it or the commission is no more.
    static func url(of delivery: WebhookDelivery, to endpoint: WebhookEndpoint, vault: Vault, on connection: any Connection) throws -> String? {
        guard let member = endpoint.memberID, let sealed = endpoint.urlSealed,
            let url = try url(sealed, of: member, in: endpoint.workspaceID, vault: vault, on: connection),
            let event = try EventStore.find(delivery.eventID, in: delivery.workspaceID, on: connection),
            let id = event.data.value["id"]?.string.flatMap({ CommissionID($0) }),
            let commission = try CommissionStore.find(id, in: delivery.workspaceID, on: connection)
        else { return nil }
        let clickID = try PostbackStore.click(of: commission, on: connection) ?? ""
        let told = amountMinor(of: event, commission)
        return fill(url) { macro in
            switch macro {
            case .clickID: clickID
            case .transactionID: commission.id.text
            case .commissionAmount: Amount(minor: told).decimalText(exponent: exponent(of: commission.unit))
            case .currency: commission.unit.code
            case .eventType: event.type
            }
        }
    }

    private static func exponent(of unit: UnitCode) -> Int {
        switch unit.kind {
        case .currency(let currency), .credit(let currency): currency.exponent
        case .points: 0
        }
    }

    /// What is left of the commission, as the event said it.
    private static func amountMinor(of event: Event, _ commission: Commission) -> Int64 {
        func number(_ name: String) -> Int64? { if case .number(let number)? = event.data.value[name] { number.integer } else { nil } }
        return (number("amount") ?? commission.amountMinor) - (number("reversedAmount") ?? commission.reversedMinor)
    }
}

enum PostbackStore {
    /// The click that brought what a member is paid for, as far as it is theirs: not of those they enrolled.
    static func click(of commission: Commission, on connection: any Connection) throws -> String? {
        guard commission.level == 0 else { return nil }
        switch commission.cause {
        case .click: return commission.causeID
        case .lead: return try connection.row("SELECT click_id FROM lead WHERE id = \(commission.causeID)")?.get(at: 0)
        case .sale, .manual:
            guard let sale = commission.saleID,
                let attribution: String = try connection.value("SELECT attribution FROM sale WHERE id = \(sale)"),
                case .array(let shares)? = JSONText(text: attribution).value["shares"],
                let touch = shares.first(where: { $0["memberId"]?.string == commission.memberID.text })?["touchId"]?.string
            else { return nil }
            if ClickID(touch) != nil { return touch }
            return try connection.row("SELECT click_id FROM touch WHERE id = \(touch)")?.get(at: 0)
        }
    }
}
