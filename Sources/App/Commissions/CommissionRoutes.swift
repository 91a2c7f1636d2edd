import Chronology
import Money
import Persistence
import Web

enum CommissionRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/commissions", id: "listCommissions", "Commissions", tag: "Commissions", access: .right(.commissionsRead),
            parameters: APIParameter.page + [
                APIParameter("programId", .text), APIParameter("memberId", Schemas.memberReference), APIParameter("saleId", .text),
                APIParameter("state", .enumeration(Commission.State.allCases.map(\.rawValue))),
            ], answer: .page(.reference("Commission"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, CommissionKind.self)
            let filter = CommissionStore.Filter(
                program: try Query.id("programId", ProgramKind.self, in: request), member: try await Query.member("memberId", in: request, caller, installation),
                sale: try Query.id("saleId", SaleKind.self, in: request), state: try Query.word("state", Commission.State.self, in: request))
            let commissions = try await installation.main.read { connection in
                try CommissionStore.list(in: caller.workspaceID, filter, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(commissions, page, cursor: \.id.text, json: \.json)
        }
        api.read(
            "/commissions/{id}", id: "getCommission", "A commission", tag: "Commissions", access: .right(.commissionsRead),
            answer: .reference("Commission")
        ) { _, context, caller in
            let id: CommissionID = try context.id()
            let json = try await installation.main.read { connection -> JSONValue? in
                guard let commission = try CommissionStore.find(id, in: caller.workspaceID, on: connection),
                    case .object(let members) = commission.json
                else { return nil }
                return .object(members + [JSONMember("worth", .integer(try CommissionWorth.of(commission, on: connection).keptMinor))])
            }
            guard let json else { throw Refusal.unknown("commission") }
            return ListAnswer.one(json)
        }
        api.read(
            "/commissions/{id}/receipt", id: "getCommissionReceipt", "Why a commission is what it is", tag: "Commissions",
            access: .right(.commissionsRead), answer: .reference("CommissionReceipt")
        ) { _, context, caller in
            let id: CommissionID = try context.id()
            let json = try await installation.main.read { connection -> JSONValue? in
                guard let commission = try CommissionStore.find(id, in: caller.workspaceID, on: connection) else { return nil }
                let own: [JSONMember] = [
                    JSONMember("commission", commission.json), JSONMember("arithmetic", commission.explanation.value),
                    JSONMember(
                        "rule", try RuleStore.version(commission.ruleID, commission.ruleVersion, on: connection)?.json ?? .null),
                ]
                guard let sale = commission.saleID, let receipt = try Receipt.of(sale: sale, in: caller.workspaceID, on: connection),
                    case .object(let members) = receipt.json
                else {
                    let changes = try AdjustmentStore.changes(of: [commission.id], on: connection).map(\.receiptJSON)
                    return .object(own + (try commission.attribution(on: connection)) + [JSONMember("corrections", .array(changes))])
                }
                return .object(own + members)
            }
            guard let json else { throw Refusal.unknown("commission") }
            return ListAnswer.one(json)
        }
    }
}

extension Commission {
    /// Who is credited for the lead or click behind it, and which rules paid nothing for it.
    fileprivate func attribution(on connection: any Connection) throws -> [JSONMember] {
        switch cause {
        case .sale, .manual: return []
        case .lead:
            guard let lead = try LeadStore.find(LeadID(stored: causeID), in: workspaceID, on: connection) else { return [] }
            return [
                JSONMember("leadId", .text(lead.id.text)), JSONMember("attribution", lead.attribution.value),
                JSONMember("refusals", lead.refusals.value),
            ]
        case .click:
            // A click speaks for its own link's member alone.
            let share: JSONValue = [
                "memberId": .text(memberID.text), "sharePpm": 1_000_000, "touchId": .text(causeID), "reason": "onlyTouch",
            ]
            let touch: JSONValue = [
                "touchId": .text(causeID), "at": .text(occurredAt.rfc3339), "memberId": .text(memberID.text),
            ]
            return [
                JSONMember("clickId", .text(causeID)),
                JSONMember(
                    "attribution",
                    ["status": "attributed", "model": .null, "shares": .array([share]), "rejected": [], "touches": .array([touch])]),
            ]
        }
    }

    private var hasRule: Bool { cause != .manual }

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "memberId": .text(memberID.text),
            "saleId": saleID.map { .text($0.text) } ?? .null, "cause": .text(cause.rawValue), "amount": .integer(amountMinor),
            "reversedAmount": .integer(reversedMinor), "currency": .text(unit.code), "rule": hasRule ? .text(ruleID.text) : .null, "ruleId": hasRule ? .text(ruleID.text) : .null,
            "ruleVersion": hasRule ? .integer(Int64(ruleVersion)) : .null, "level": .integer(Int64(level)), "base": .integer(baseMinor),
            "rate": rate.map { .text($0) } ?? .null, "sharePpm": .integer(Int64(sharePPM)), "state": .text(state.rawValue),
            "holdUntil": .text(holdUntil.rfc3339), "occurredAt": .text(occurredAt.rfc3339),
            "correctsId": correctsID.map { .text($0.text) } ?? .null,
            "receiptUrl": .text("\(API.base)/commissions/\(id.text)/receipt"),
        ]
    }
}
