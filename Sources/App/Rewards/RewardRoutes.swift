import Chronology
import HTTPTypes
import Persistence
import Rules
import Web

enum RewardRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/rewards", id: "listRewards", "Rewards: coupons, gifts and the like, and points and credit with them", tag: "Rewards",
            access: .right(.commissionsRead),
            parameters: APIParameter.page + [
                APIParameter("programId", .text), APIParameter("memberId", Schemas.memberReference),
                APIParameter("state", .enumeration(Reward.State.allCases.map(\.rawValue))), APIParameter("side", .enumeration(Reward.Side.allCases.map(\.rawValue))),
            ], answer: .page(.reference("IssuedReward"))
        ) { request, _, caller in
            let page = try PageRequest.from(request)
            if let cursor = page.startingAfter, RewardID(cursor) == nil, CommissionID(cursor) == nil {
                throw Refusal.field("startingAfter", "Must be the nextCursor of the page before.")
            }
            let filter = RewardStore.Filter(
                program: try Query.id("programId", ProgramKind.self, in: request),
                member: try await Query.member("memberId", in: request, caller, installation), state: try Query.word("state", Reward.State.self, in: request),
                side: try Query.word("side", Reward.Side.self, in: request))
            let rows = try await installation.main.read { connection in
                try RewardList.rows(in: caller.workspaceID, filter, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(rows, page, cursor: \.id, json: \.json)
        }
        api.read("/rewards/{id}", id: "getReward", "A reward", tag: "Rewards", access: .right(.commissionsRead), answer: .reference("IssuedReward")) {
            _, context, caller in
            let id: RewardID = try context.id()
            let json = try await installation.main.read { connection -> JSONValue? in
                guard let reward = try RewardStore.find(id, in: caller.workspaceID, on: connection) else { return nil }
                return try reward.json(on: connection)
            }
            guard let json else { throw Refusal.unknown("reward") }
            return ListAnswer.one(json)
        }
        addDecisions(to: &api)
        ReferralReportPages.addRoutes(to: &api)
    }

    private static func addDecisions(to api: inout API) {
        api.write(
            .post, "/rewards/{id}/choice", id: "chooseReward", "Take one of the kinds on offer: 0 is the rule's own, then its choices", tag: "Rewards",
            access: .right(.commissionsWrite), body: .object([.required("choice", .integer(0...Int64(RuleDocument.choicesMax)))]),
            answer: .reference("IssuedReward"), failures: [409],
            decode: { body, context in (id: try context.id(RewardKind.self), choice: body.integer("choice", in: 0...Int64(RuleDocument.choicesMax))) }
        ) { input, write in Answer(try Reward.choose(input.id, Int(input.choice), in: write).json(on: write.connection)) }
        api.write(
            .post, "/rewards/{id}/issuance", id: "issueReward", "Give a reward now, before its hold is over", tag: "Rewards",
            access: .right(.commissionsWrite), body: nil, answer: .reference("IssuedReward"), failures: [409],
            decode: { _, context in try context.id(RewardKind.self) }
        ) { id, write in Answer(try Reward.issue(id, in: write).json(on: write.connection)) }
        api.write(
            .post, "/rewards/{id}/redemption", id: "redeemReward", "Note that a reward was used", tag: "Rewards", access: .right(.commissionsWrite), body: nil,
            answer: .reference("IssuedReward"), failures: [409], decode: { _, context in try context.id(RewardKind.self) }
        ) { id, write in Answer(try Reward.redeem(id, in: write).json(on: write.connection)) }
        api.write(
            .post, "/rewards/{id}/refusal", id: "refuseReward", "Refuse a reward that is not given yet", tag: "Rewards", access: .right(.commissionsWrite),
            body: .object([.optional("reason", .string(maximumLength: Reward.reasonLengthMax))]), answer: .reference("IssuedReward"), failures: [409],
            decode: { body, context in
                (id: try context.id(RewardKind.self), reason: body.optionalText("reason", maximumLength: Reward.reasonLengthMax))
            }
        ) { input, write in Answer(try Reward.refuse(input.id, reason: input.reason ?? "byHand", in: write).json(on: write.connection)) }
    }
}

/// Rewards of both kinds as one list, by id: points and credit first.
struct RewardList {
    var id: String
    var json: JSONValue

    static func rows(in workspace: WorkspaceID, _ filter: RewardStore.Filter, after: String?, limit: Int, on connection: any Connection) throws -> [RewardList] {
        var rows: [RewardList] = []
        // A page that begins behind a reward has no commission any more.
        if RewardID(after ?? "") == nil {
            var cursor = after
            repeat {
                let page = try RewardStore.inTheLedger(in: workspace, program: filter.program, member: filter.member, after: cursor, limit: limit, on: connection)
                cursor = page.last?.id.text
                let json = try json(of: page, in: workspace, on: connection).filter { row in
                    (filter.state.map { row.json["state"]?.string == $0.rawValue } ?? true) && (filter.side.map { row.json["side"]?.string == $0.rawValue } ?? true)
                }
                rows += json
                if page.count < limit { break }
            } while rows.count < limit
        }
        if rows.count < limit {
            let behind = RewardID(after ?? "") == nil ? nil : after
            let rewards = try RewardStore.list(in: workspace, filter, after: behind, limit: limit - rows.count, on: connection)
            let codes = try CouponCodeStore.texts(of: rewards.compactMap(\.couponCodeID), on: connection)
            rows += rewards.map { RewardList(id: $0.id.text, json: $0.json(code: $0.couponCodeID.flatMap { codes[$0] })) }
        }
        return Array(rows.prefix(limit))
    }

    private static func json(of commissions: [Commission], in workspace: WorkspaceID, on connection: any Connection) throws -> [RewardList] {
        let sales = try SaleStore.find(commissions.compactMap(\.saleID), in: workspace, on: connection)
        let customers = Dictionary(sales.map { ($0.id, $0.customerID) }, uniquingKeysWith: { first, _ in first })
        return try commissions.map { commission in
            let rule = commission.cause == .manual ? nil : try RuleStore.version(commission.ruleID, commission.ruleVersion, on: connection)
            let side: Reward.Side = rule?.terms.recipient == .friend ? .friend : .member
            return RewardList(id: commission.id.text, json: commission.rewardJSON(side: side, customer: commission.saleID.flatMap { customers[$0] }))
        }
    }
}

extension Reward {
    func json(on connection: any Connection) throws -> JSONValue {
        let code = try couponCodeID.flatMap { try CouponCodeStore.find($0, in: workspaceID, on: connection)?.code }
        return json(code: code)
    }
}
