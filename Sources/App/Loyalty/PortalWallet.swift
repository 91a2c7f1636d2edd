import Chronology
import HTTPTypes
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// What a member can spend, each unit apart; what they can have for it, and what they took.
enum PortalWallet {
    static let path = "/portal/wallet"
    static let movementsMax = 20
    static let redemptionsMax = 20
    static let lapsesMax = 3
    /// Programs of the same company that a member is shown to join.
    static let othersMax = 10

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/wallet", gate) { visit in try await show(visit) }
        api.portalForm("/portal/wallet", gate) { visit, fields in try await redeem(visit, fields) }
    }

    private static func redeem(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        guard let id = fields["item"].flatMap({ SpendItemID($0) }) else { throw Problem.notFound() }
        let member = visit.member.id
        let seen = fields["after"] ?? ""
        do {
            try await visit.write { write in
                // A second tap on the same page asks for what the first one got.
                let newest = try SpendStore.redemptions(of: member, limit: 1, on: write.connection).first
                if let newest, newest.id.text != seen, newest.itemID == id { return }
                guard let current = try MemberStore.find(member, in: write.workspace.id, on: write.connection) else { throw Problem.notFound() }
                _ = try Redemption.make(id, for: current, in: write)
            }
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            let known = ["insufficient_balance", "sold_out", "item_archived", "not_enrolled"]
            let key = known.contains(problem.code) ? problem.code : "other"
            return try await show(visit, refused: visit.language("portalWallet.refused.\(key)"))
        }
        return visit.seeOther("\(path)?done=taken#taken")
    }

    private static func show(_ visit: PortalVisit, refused: String? = nil) async throws -> Response {
        let (member, workspace, now, language) = (visit.member, visit.workspaceID, visit.now, visit.language)
        let csrfToken = visit.csrfToken
        let model = try await visit.installation.main.read { connection -> PortalWalletModel in
            let programs = Set(try MemberStore.programs(of: member.id, on: connection))
            let others = try JoinStore.open(in: workspace, limit: othersMax + programs.count, on: connection).filter { !programs.contains($0.programID) }
            let redemptions = try SpendStore.redemptions(of: member.id, limit: redemptionsMax, on: connection)
            return PortalWalletModel(
                wallet: try WalletSummary.load(member.id, in: workspace, on: connection),
                standing: try StandingSummary.load(member.id, in: workspace, at: now, on: connection),
                items: try SpendStore.offered(in: workspace, on: connection).filter { programs.contains($0.programID) }, redemptions: redemptions,
                others: member.status == .active ? try others.prefix(othersMax).compactMap { page in
                    try ProgramStore.find(page.programID, in: workspace, at: now, on: connection).map { (page, $0.name) }
                } : [],
                ways: try programs.sorted().flatMap { try EarnActionStore.offered(by: $0, on: connection) },
                names: try SpendStore.names(of: Array(Set(redemptions.map(\.itemID))), on: connection),
                movements: try WalletMovementStore.of(member.id, before: nil, limit: movementsMax, on: connection), refused: refused, csrfToken: csrfToken,
                language: language)
        }
        let notice = visit.query["done"] == "taken" ? language("portalWallet.done") : nil
        return try visit.page(
            "portal-wallet", title: language("portalWallet.title"), tab: .earnings, notice: notice, status: refused == nil ? .ok : .conflict, model.page)
    }
}

struct PortalWalletModel: PageModel {
    var wallet: WalletSummary
    var standing: StandingSummary
    var items: [SpendItem]
    var redemptions: [Redemption]
    /// What the same company has besides, which anybody may ask to join.
    var others: [(page: JoinPage, name: String)]
    var ways: [EarnAction]
    var names: [SpendItemID: String]
    var movements: [WalletMovement]
    var refused: String?
    var csrfToken: String
    var language: PageLanguage

    var page: PageObject {
        [
            "refused": PageValue(refused), "hasUnits": .flag(!wallet.parts.isEmpty), "units": PageValue(wallet.parts.map(unit)),
            "tiers": PageValue(standing.parts.map(tier)),
            "hasBadges": .flag(!standing.badges.isEmpty), "badges": PageValue(standing.badges.map { badge($0.badge, $0.awardedAt) }),
            "hasWays": .flag(!ways.isEmpty), "ways": PageValue(ways.map(way)), "hasOthers": .flag(!others.isEmpty),
            "others": PageValue(others.map(other)), "hasItems": .flag(!items.isEmpty), "items": PageValue(items.map(item)), "hasTaken": .flag(!redemptions.isEmpty),
            "taken": PageValue(redemptions.map(taken)), "hasMoved": .flag(!movements.isEmpty), "moved": PageValue(movements.map(moved)),
        ]
    }

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("portalWallet.\(key)", values) }

    private func unit(_ part: WalletSummary.Part) -> PageObject {
        let (balance, unit) = (part.balance, part.balance.unit)
        var lines = part.lapses.prefix(PortalWallet.lapsesMax).map { lapse -> PageObject in
            ["label": .text(say("lapses", ["day": language.day(lapse.at)])), "amount": .text(language.money(lapse.amountMinor, unit))]
        }
        for (key, amount) in [("pending", balance.pending), ("held", balance.held), ("spent", balance.paid), ("debt", balance.debt)] where amount > .zero {
            lines.append(["label": .text(say(key)), "amount": .text(language.money(amount.minor, unit))])
        }
        return ["code": .text(unit.code), "available": .text(language.money(balance.available.minor, unit)), "lines": PageValue(lines)]
    }

    private func tier(_ part: StandingSummary.Part) -> PageObject {
        [
            "program": .text(part.program.name), "name": .text(part.tier?.name ?? say("noTier")),
            "benefits": PageValue(part.tier.flatMap { $0.benefits.isEmpty ? nil : $0.benefits }), "keep": PageValue(part.keep.map { keep($0, part.program) }),
            "next": PageValue(part.next.map { next($0.tier, $0.value, part.program) }),
        ]
    }

    private func next(_ tier: MemberTier, _ value: Int64, _ program: Program) -> PageObject {
        let (hundredfold, isTooLarge) = max(0, value).multipliedReportingOverflow(by: 100)
        let percent = isTooLarge ? 100 : min(100, hundredfold / tier.entry)
        let entry = worth(tier.entry, tier.measure, program)
        let wanted = tier.days.map { say("within", ["value": entry, "days": String($0)]) } ?? entry
        return [
            "label": .text(say("next", ["tier": tier.name])), "have": .text(say("have", ["have": worth(value, tier.measure, program), "wanted": wanted])),
            "width": .text("\(percent)%"), "bar": .text(say("bar", ["percent": String(percent), "tier": tier.name])),
            "missing": .text(say("missing", ["value": worth(max(0, tier.entry - value), tier.measure, program)])),
        ]
    }

    /// What keeps the tier, and how much of it is there.
    private func keep(_ keep: (tier: MemberTier, wanted: Int64, value: Int64), _ program: Program) -> String {
        let values = ["value": worth(keep.wanted, keep.tier.measure, program), "have": worth(keep.value, keep.tier.measure, program)]
        guard let days = keep.tier.days else { return say("keep", values) }
        return say("keepWithin", values.merging(["days": String(days)]) { $1 })
    }

    private func worth(_ value: Int64, _ measure: Measure, _ program: Program) -> String { language.worth(value, measure, in: program.currency) }

    private func badge(_ badge: Badge, _ at: Instant) -> PageObject {
        [
            "name": .text(badge.name), "description": .text(badge.description), "at": .text(language.day(at)),
            "gift": PageValue(badge.gift.map { language.money($0.minor, $0.unit) }),
        ]
    }

    private func way(_ action: EarnAction) -> PageObject {
        [
            "name": .text(action.name), "description": PageValue(action.description.isEmpty ? nil : action.description),
            "often": .text(language.often(action.times, in: action.days)), "amount": .text(language.money(action.amountMinor, action.unit)),
        ]
    }

    private func other(_ other: (page: JoinPage, name: String)) -> PageObject {
        [
            "name": .text(other.name), "welcome": PageValue(other.page.welcome.isEmpty ? nil : String(other.page.welcome.prefix(200))),
            "url": .text("/join/\(LocalPath.encoded(other.page.slug))"), "label": .text(say("join")), "named": .text(say("joinNamed", ["program": other.name])),
        ]
    }

    private func item(_ item: SpendItem) -> PageObject {
        let available = wallet.parts.first { $0.balance.unit == item.unit }?.balance.available.minor ?? 0
        let isOut = item.stock == 0
        let short = item.costMinor - available
        let why = isOut ? say("soldOut") : short > 0 ? say("short", ["amount": language.money(short, item.unit)]) : nil
        return [
            "name": .text(item.name),
            "description": .text(item.value.map { say("gives", ["amount": language.money($0.minor, $0.unit)]) } ?? item.description),
            "cost": .text(language.money(item.costMinor, item.unit)), "why": PageValue(why),
            "take": why == nil
                ? [
                    "id": .text(item.id.text), "after": .text(redemptions.first?.id.text ?? ""), "csrfToken": .text(csrfToken), "label": .text(say("take")),
                    "name": .text(say("takeNamed", ["item": item.name, "cost": language.money(item.costMinor, item.unit)])),
                ] : nil,
        ]
    }

    private func taken(_ redemption: Redemption) -> PageObject {
        [
            "name": .text(names[redemption.itemID] ?? ""), "note": .text(redemption.note ?? language.day(redemption.requestedAt)),
            "amount": .text(language.money(redemption.costMinor, redemption.unit)),
            "state": ["tone": .text(redemption.state == .fulfilled ? "good" : ""), "label": .text(say("state.\(redemption.state.rawValue)"))],
        ]
    }

    private func moved(_ movement: WalletMovement) -> PageObject {
        [
            "title": .text(say("kind.\(movement.kind.rawValue)")), "why": .text(movement.reason ?? language.day(movement.madeAt)),
            "amount": .text(language.money(movement.amountMinor, movement.unit)),
        ]
    }
}
