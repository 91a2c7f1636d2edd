import Chronology
import Hummingbird
import Persistence
import Web

/// A member's own rewards: what they have, what is coming, and what they may choose.
enum PortalRewards {
    static let rewardsMax = 100

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/rewards", gate) { visit in try await show(visit) }
        api.portalForm("/portal/rewards", gate) { visit, fields in try await choose(visit, fields) }
    }

    private static func choose(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        guard let id = fields["rewardId"].flatMap({ RewardID($0) }), let choice = fields["choice"].flatMap({ Int($0) }) else { throw Problem.notFound() }
        let member = visit.member.id
        do {
            try await visit.write { write in try Reward.choose(id, choice, by: member, in: write) }
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            return try await show(visit, refused: visit.language("portalRewards.refused"))
        }
        return visit.seeOther("/portal/rewards")
    }

    private static func show(_ visit: PortalVisit, refused: String? = nil) async throws -> Response {
        let (member, language) = (visit.member.id, visit.language)
        let (rewards, codes) = try await visit.installation.main.read { connection in
            let rewards = try RewardStore.ownedBy(member, limit: rewardsMax, on: connection)
            return (rewards, try CouponCodeStore.texts(of: rewards.compactMap(\.couponCodeID), on: connection))
        }
        let model = PortalRewardModel(rewards: rewards, codes: codes, language: language)
        return try visit.page(
            "portal-rewards", title: language("portalRewards.title"), tab: .earnings, status: refused == nil ? .ok : .conflict,
            [
                "lead": .text(language(rewards.isEmpty ? "portalRewards.lead.none" : "portalRewards.lead.some")), "refused": PageValue(refused),
                "hasRewards": .flag(!rewards.isEmpty), "rewards": PageValue(model.lines), "choices": PageValue(model.choices(visit.csrfToken)),
            ])
    }
}

/// A member's rewards as lists of the portal and of the widget show them.
struct PortalRewardModel {
    var rewards: [Reward]
    var codes: [CouponCodeID: String]
    var language: PageLanguage

    private var words: RewardWords { RewardWords(language: language) }

    var lines: [PageObject] {
        rewards.map { reward in
            let isGood = reward.state == .issued || reward.state == .redeemed
            let day = ["day": language.day(reward.occurredAt), "until": language.day(reward.holdUntil)]
            let why = reward.state == .pending ? "pending" : reward.side == .friend ? "welcome" : reward.cause.rawValue
            return [
                "title": .text(words.what(reward)), "why": .text(language("portalRewards.why.\(why)", day)),
                "code": PageValue(reward.state == .issued ? reward.couponCodeID.flatMap { codes[$0] } : nil), "tone": .text(isGood ? "good" : ""),
                "state": .text(language("rewards.state.\(reward.state.rawValue)")),
            ]
        }
    }

    /// Those whose receiver may say what they are.
    func choices(_ token: String) -> [PageObject] {
        rewards.filter { $0.state == .choosing }.map { reward in
            let kinds = [reward.terms.value] + reward.choices.value.elements
            return [
                "id": .text(reward.id.text), "title": .text(words.what(reward)), "csrfToken": .text(token),
                "kinds": PageValue(
                    kinds.enumerated().map { PageObject(["value": .text(String($0)), "label": .text(words.what($1)), "chosen": .flag($0 == 0)]) }),
            ]
        }
    }
}

extension Reward {
    /// A member takes one of the kinds on offer, of a reward of their own.
    static func choose(_ id: RewardID, _ choice: Int, by member: MemberID, in write: Write) throws {
        guard try RewardStore.ownedBy(member, limit: PortalRewards.rewardsMax, on: write.connection).contains(where: { $0.id == id }) else {
            throw Problem.notFound()
        }
        _ = try choose(id, choice, in: write)
    }
}

extension RewardStore {
    /// What a member has: for sharing, and as a friend, also from before a merge. The newest first.
    static func ownedBy(_ member: MemberID, limit: Int, on connection: any Connection) throws -> [Reward] {
        let selves = try MemberMergeStore.selves([member], on: connection).keys.sorted()
        return try connection.rows(
            """
            SELECT \(raw: columns) FROM reward WHERE id IN (
                SELECT id FROM reward WHERE member_id IN \(list: selves) AND side = 'member'
                UNION SELECT r.id FROM customer_member c JOIN reward r ON r.customer_id = c.customer_id WHERE c.member_id IN \(list: selves) AND r.side = 'friend')
            ORDER BY id DESC LIMIT \(limit)
            """
        ).map(read)
    }
}
