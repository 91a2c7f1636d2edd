import Attribution
import Chronology
import Money
import Persistence
import Web

/// Who is credited for an event of a customer, with every reason, as receipts show it.
struct Credit: Sendable {
    var decision: AttributionDecision
    /// The touches that were considered, for the receipt.
    var touches: [Touch]
    /// The kept touches' and clicks' links, by touch id.
    var links: [String: LinkID]
    var couponUsed: String?

    /// The members' parts, merged: each member once, in the order of their first share.
    var creditedMembers: [(memberID: MemberID, share: SharePPM, rateOverride: Rate?)] {
        var order: [String] = []
        var ppm: [String: Int] = [:]
        var rates: [String: Rate] = [:]
        for share in decision.shares {
            if ppm[share.memberID] == nil { order.append(share.memberID) }
            ppm[share.memberID, default: 0] += share.share.ppm
            if let rate = share.rateOverride { rates[share.memberID] = rate }
        }
        return order.compactMap { id in
            SharePPM(ppm: ppm[id] ?? 0).map { (MemberID(stored: id), $0, rates[id]) }
        }
    }
}

extension Credit {
    /// Decides who is credited: the binding of the customer, or else the touches that count, or else the program's default member.
    static func decide(
        _ customer: Customer, program: Program, at instant: Instant, evidence: Evidence, in write: Write
    ) throws -> Credit {
        let gathered = try gather(customer, program: program, evidence: evidence, in: write)
        if let binding = try BindingStore.latest(at: instant, program: program.id, customer: customer.id, on: write.connection), binding.holds(at: instant) {
            return Credit(decision: bound(binding, gathered.touches), touches: gathered.touches, links: gathered.links)
        }
        var decision = attribute(gathered.touches, saleAt: instant, programID: program.id.text, policy: try program.settings.policy())
        if decision.shares.isEmpty, let orphan = program.settings.orphanMemberID, !decision.isTakenByPaidAd {
            decision = AttributionDecision(
                status: .attributed, model: nil,
                shares: [AttributionShare(memberID: orphan.text, share: .whole, touchID: "", reason: .orphanDefault)],
                rejected: decision.rejected)
        }
        return Credit(decision: decision, touches: gathered.touches, links: gathered.links)
    }

    private static func bound(_ binding: CustomerBinding, _ touches: [Touch]) -> AttributionDecision {
        let reason: ShareReason = binding.source == .assignment ? .assignedByHand : .boundCustomer
        return AttributionDecision(
            status: .attributed, model: nil,
            shares: binding.shares.compactMap { share in
                SharePPM(ppm: share.ppm).map {
                    AttributionShare(memberID: share.memberID.text, share: $0, touchID: "", reason: reason)
                }
            },
            rejected: touches.sorted { ($0.at, $0.id) < ($1.at, $1.id) }.map { Rejection(touchID: $0.id, reason: .customerBound) })
    }

    private struct Gathered {
        var touches: [Touch] = []
        var links: [String: LinkID] = [:]
    }

    /// The customer's kept touches and the clicks of their browsers, each once.
    private static func gather(_ customer: Customer, program: Program, evidence: Evidence, in write: Write) throws -> Gathered {
        let kept = try TouchStore.of(customer.id, on: write.connection)
        let named = Set(kept.compactMap(\.clickID))
        let discards = Dictionary(
            (evidence.visitorClicks + [evidence.namedClick].compactMap { $0 }).map { ($0.id, $0.discard) }, uniquingKeysWith: { first, _ in first })
        let clicks = evidence.visitorClicks.filter { !named.contains($0.id) }
        let memberIDs = Set(kept.compactMap(\.memberID) + clicks.compactMap(\.memberID))
        let members = try MemberStore.find(Array(memberIDs), on: write.connection)
        var own: Set<MemberID> = []
        let buyer = members.isEmpty ? nil : try CustomerMemberStore.member(of: customer.id, on: write.connection)
        for (id, member) in members
        where try member.personID == customer.personID || id == buyer
            || !PersonStore.sharedTraits(of: member.personID, and: customer.personID, on: write.connection).isEmpty
        {
            own.insert(id)
        }
        let linkIDs = kept.compactMap(\.linkID)
        let terms = try LinkStore.codeTerms(linkIDs, on: write.connection)

        var result = Gathered()
        for touch in kept {
            let isCode = touch.kind == .friendCode || touch.kind == .coupon
            let term = touch.linkID.flatMap { terms[$0] }
            result.touches.append(
                Touch(
                    id: touch.clickID?.text ?? touch.id.text, at: touch.at, kind: touch.kind, memberID: touch.memberID?.text,
                    programID: touch.programID.text, requiresReferral: isCode && (term?.needsReferral ?? false),
                    isOwnPurchase: touch.memberID.map(own.contains) ?? false,
                    discarded: isCode && term?.expiresAt.map { $0 <= touch.at } ?? false
                        ? .expiredCode : discard(of: touch.memberID, members, click: touch.clickID.flatMap { discards[$0] ?? nil }),
                    rateOverride: isCode ? term?.rate : nil))
            if let link = touch.linkID { result.links[touch.clickID?.text ?? touch.id.text] = link }
        }
        for click in clicks {
            result.touches.append(
                Touch(
                    id: click.id.text, at: click.at, kind: click.kind, memberID: click.memberID?.text, programID: click.programID.text,
                    isOwnPurchase: click.memberID.map(own.contains) ?? false,
                    discarded: discard(of: click.memberID, members, click: click.discard)))
            if let link = click.linkID { result.links[click.id.text] = link }
        }
        return result
    }

    private static func discard(of member: MemberID?, _ members: [MemberID: Member], click: String?) -> DiscardReason? {
        // Too many clicks from one address are not counted, but an office or a whole carrier may stand behind it: they still lead.
        if let click, click != ClickClassifier.addressVelocity { return DiscardReason(rawValue: click) ?? .fraud }
        guard let member, let status = members[member]?.status else { return nil }
        return status == .active || status == .inactive ? nil : .inactiveMember
    }
}

extension AttributionDecision {
    fileprivate var isTakenByPaidAd: Bool {
        if case .unattributed(.paidAd) = status { true } else { false }
    }
}

extension LinkStore {
    /// What codes say of themselves, by link.
    static func codeTerms(
        _ ids: [LinkID], on connection: any Connection
    ) throws -> [LinkID: (rate: Rate?, needsReferral: Bool, expiresAt: Instant?)] {
        guard !ids.isEmpty else { return [:] }
        var terms: [LinkID: (rate: Rate?, needsReferral: Bool, expiresAt: Instant?)] = [:]
        for row in try connection.rows("SELECT id, code_rate, code_needs_referral, expires_at FROM link WHERE id IN \(list: ids)") {
            let rate: String? = try row.get(at: 1)
            terms[try row.get(at: 0)] = (try rate.map { try Rate($0) }, try row.get(at: 2), try row.get(at: 3))
        }
        return terms
    }
}
