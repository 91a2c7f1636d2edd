import Chronology
import Money
import Persistence
import Rules
import Web

/// The arithmetic of receipts: each commission is reckoned anew from what it was given for, by the version of the rule that it names.
/// What a rule asked of a buyer (conditions) is not judged again: the company's own facts are sealed, and totals move on.
struct CommissionVerification {
    /// Rules and lines of enrollers remembered at a time.
    private static let rememberedMax = 5_000

    private let workspace: WorkspaceID
    private let connection: any Connection
    private var findings: [Verification.Found] = []
    private var rules: [String: Rule] = [:]
    private var lines: [String: [MemberID]] = [:]

    static func findings(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        var check = CommissionVerification(workspace: workspace, connection: connection)
        var together: [Commission] = []
        try CommissionStore.forEach(in: workspace, on: connection) { read in
            guard check.findings.count < Verification.findingsMax else { return }
            switch read {
            case .success(let commission):
                if let first = together.first, first.causeID != commission.causeID {
                    try check.verify(together)
                    together = []
                }
                together.append(commission)
            case .failure(let unreadable):
                check.findings.append(
                    Verification.Found(
                        kind: "commissionUnreadable", workspace: workspace.text, subject: unreadable.id, detail: unreadable.reason))
            }
        }
        try check.verify(together)
        return check.findings
    }

    private init(workspace: WorkspaceID, connection: any Connection) {
        self.workspace = workspace
        self.connection = connection
    }

    /// What a cause was, as far as commissions follow from it.
    private struct Event {
        var sale: Sale?
        /// The sale of the commission that it corrects.
        var corrected: Sale?
        var credit: [MemberID: Int64] = [:]
        var hasCode = false
    }

    /// All commissions of one cause.
    private mutating func verify(_ commissions: [Commission]) throws {
        guard let first = commissions.first, let event = try event(of: first) else { return }
        for commission in commissions {
            verify(commission, event)
            try verifyReversal(commission, event)
        }
        for (_, lines) in Dictionary(grouping: commissions.filter { $0.cause != .manual }, by: { "\($0.ruleID) \($0.ruleVersion)" }).sorted(by: { $0.key < $1.key }) {
            guard let first = lines.first else { continue }
            guard let rule = try rule(first.ruleID, first.ruleVersion) else {
                add("ruleMissing", first, "names the rule \(first.ruleID) version \(first.ruleVersion), which is not there or cannot be read")
                continue
            }
            for line in lines { try verify(line, rule, event) }
            try verifySplit(lines.sorted { $0.line < $1.line }, rule)
        }
    }

    /// Nil when it is not there, which is a finding.
    private mutating func event(of commission: Commission) throws -> Event? {
        switch commission.cause {
        case .click:
            // The click file is another database: the link's member alone is credited.
            return Event(credit: [commission.memberID: 1_000_000])
        case .manual:
            guard let adjustment = try AdjustmentStore.find(AdjustmentID(stored: commission.causeID), in: workspace, on: connection) else {
                add("causeMissing", commission, "was given by \(commission.causeID), which is not there")
                return nil
            }
            if adjustment.amountMinor != commission.amountMinor || adjustment.memberID != commission.memberID || adjustment.unit != commission.unit {
                add("adjustmentWrong", commission, "is of \(commission.amountMinor), what was given by hand is \(adjustment.amountMinor)")
            }
            try verifyLink(commission, adjustment)
            do {
                return Event(corrected: try commission.saleID.flatMap { try SaleStore.find($0, in: workspace, on: connection) })
            } catch {
                if (error as? DatabaseFailure)?.isOfTheServer == true { throw error }
                add("saleUnreadable", commission, "corrects what was given for the sale \(commission.saleID?.text ?? ""), which cannot be read")
                return nil
            }
        case .lead:
            guard let lead = try LeadStore.find(LeadID(stored: commission.causeID), in: workspace, on: connection) else {
                add("causeMissing", commission, "was given for the lead \(commission.causeID), which is not there")
                return nil
            }
            return Event(credit: Self.credit(lead.attribution.value), hasCode: Self.hasCode(lead.attribution.value))
        case .sale:
            if commission.saleID?.text != commission.causeID {
                add("causeWrong", commission, "was given for \(commission.causeID), and says it belongs to the sale \(commission.saleID?.text ?? "none")")
            }
            let sale: Sale?
            do {
                sale = try SaleStore.find(SaleID(stored: commission.causeID), in: workspace, on: connection)
            } catch {
                if (error as? DatabaseFailure)?.isOfTheServer == true { throw error }
                add("saleUnreadable", commission, "was given for the sale \(commission.causeID), which cannot be read")
                return nil
            }
            guard let sale else {
                add("causeMissing", commission, "was given for the sale \(commission.causeID), which is not there")
                return nil
            }
            let attribution = sale.attribution.value
            return Event(sale: sale, credit: Self.credit(attribution), hasCode: Self.hasCode(attribution))
        }
    }

    private static func credit(_ attribution: JSONValue) -> [MemberID: Int64] {
        var credit: [MemberID: Int64] = [:]
        for share in attribution["shares"]?.elements ?? [] {
            guard let member = share["memberId"]?.string, let ppm = share["sharePpm"]?.int64 else { continue }
            credit[MemberID(stored: member), default: 0] &+= ppm
        }
        return credit
    }

    /// A code may bring a rate of its own.
    private static func hasCode(_ attribution: JSONValue) -> Bool {
        attribution["touches"]?.elements.contains { $0["kind"]?.string == "friendCode" || $0["kind"]?.string == "coupon" } ?? false
    }

    // MARK: One commission

    /// A correction belongs to the commission that it says: the same member, program, unit, sale and level.
    private mutating func verifyLink(_ commission: Commission, _ adjustment: Adjustment) throws {
        if adjustment.commissionID != commission.id {
            add("correctionWrong", commission, "was given by hand, which says it made \(adjustment.commissionID)")
        }
        if adjustment.correctsID != commission.correctsID {
            let named = (commission.correctsID?.text ?? "none", adjustment.correctsID?.text ?? "none")
            add("correctionWrong", commission, "says it corrects \(named.0), what was done by hand says \(named.1)")
        }
        guard let id = commission.correctsID else {
            if commission.saleID != nil || commission.level != 0 { add("causeWrong", commission, "was given by hand, and says it belongs to a sale") }
            return
        }
        guard let root = try CommissionStore.find(id, in: workspace, on: connection) else {
            add("correctionWrong", commission, "corrects \(id), which is not there")
            return
        }
        if root.memberID != commission.memberID || root.programID != commission.programID || root.unit != commission.unit || root.saleID != commission.saleID
            || root.level != commission.level
        {
            add("correctionWrong", commission, "is of another member, program, unit, level or sale than \(id), which it corrects")
        }
        if try CorrectionPartStore.last(of: [commission.id], on: connection).isEmpty {
            add("correctionWrong", commission, "nothing says what it kept when it was made")
        }
    }

    /// What every commission shares with its event, and its receipt with it.
    private mutating func verify(_ commission: Commission, _ event: Event) {
        if let sale = event.sale, commission.occurredAt != sale.occurredAt || commission.programID != sale.programID {
            add("causeWrong", commission, "differs from its sale in time or program")
        }
        guard commission.cause != .manual else {
            if commission.baseMinor != commission.amountMinor || commission.rate != nil || commission.sharePPM != 1_000_000 {
                add("receiptWrong", commission, "was given by hand, and says it was reckoned")
            }
            return
        }
        let receipt = commission.explanation.value
        func number(_ name: String) -> Int64? { receipt[name]?.int64 }
        let says = number("cappedTo") ?? number("amount")
        if says != commission.amountMinor || (number("base") ?? 0) != commission.baseMinor || receipt["rate"]?.string != commission.rate
            || number("sharePpm") != Int64(commission.sharePPM) || receipt["purpose"]?.string != commission.purpose.rawValue
        {
            add("receiptWrong", commission, "is not what its explanation says")
        }
    }

    /// By the rule: level, time, unit, share, base, rate, amount.
    private mutating func verify(_ commission: Commission, _ rule: Rule, _ event: Event) throws {
        let terms = rule.terms
        if rule.programID != commission.programID || terms.level != commission.level {
            add("ruleWrong", commission, "is of level \(commission.level), its rule of level \(terms.level), or of another program")
        }
        if !(terms.event.rawValue == commission.cause.rawValue || (terms.event == .recurring && commission.cause == .sale)) {
            add("ruleWrong", commission, "was given for a \(commission.cause.rawValue), its rule is for \(terms.event.rawValue)")
        }
        if !terms.isInForce(at: commission.occurredAt) { add("ruleWrong", commission, "is of \(commission.occurredAt.rfc3339), when its rule was not in force") }
        try verifyShare(commission, terms, event)
        if let sale = event.sale { verifyBase(commission, terms, sale, hasCode: event.hasCode) }
        verifyAmount(commission, terms, pieces: event.sale.map(Self.pieces) ?? 1)
    }

    private mutating func verifyShare(_ commission: Commission, _ terms: CommissionRule, _ event: Event) throws {
        let share = Int64(commission.sharePPM)
        guard terms.recipient == .member else {
            // The friend gets the whole, and is nobody of those who brought them.
            if share != 1_000_000 || event.credit[commission.memberID] != nil {
                add("shareWrong", commission, "is the friend's, and has \(share) ppm, or is paid to who brought them")
            }
            return
        }
        guard commission.level > 0 else {
            if event.credit[commission.memberID] != share {
                add("shareWrong", commission, "has \(share) ppm, the attribution gives the member \(event.credit[commission.memberID] ?? 0)")
            }
            return
        }
        // An enroller is set once, but may be set late: who led there later is not among the parts.
        var parts: [Int64] = []
        for (member, ppm) in event.credit where try enroller(of: member, level: commission.level) == commission.memberID { parts.append(ppm) }
        let whole = parts.reduce(0, &+)
        if parts.isEmpty || share > whole || (parts.count == 1 && share != whole) {
            add("shareWrong", commission, "has \(share) ppm as enroller of level \(commission.level), those who lead there have \(whole)")
        }
    }

    private mutating func verifyBase(_ commission: Commission, _ terms: CommissionRule, _ sale: Sale, hasCode: Bool) {
        let items = sale.items.reduce(Int128(0)) { $0 + Int128($1.amountMinor) }
        switch terms.reward {
        case .percent(let rate):
            let isWhole = terms.isPerItem ? Int128(commission.baseMinor) <= items : commission.baseMinor == sale.amountMinor
            if !isWhole { add("baseWrong", commission, "is paid on \(commission.baseMinor), the sale is \(sale.amountMinor)") }
            if commission.rate != rate.text && !(commission.level == 0 && hasCode) {
                add("rateWrong", commission, "is paid at \(commission.rate ?? "none"), its rule says \(rate.text)")
            }
            if commission.unit != .currency(sale.currency) { add("unitWrong", commission, "is in \(commission.unit.code), the sale in \(sale.currency.code)") }
        case .tiered(let table):
            if commission.purpose == .reward {
                if Int128(commission.baseMinor) > (terms.isPerItem ? items : Int128(sale.amountMinor)) {
                    add("baseWrong", commission, "is paid on \(commission.baseMinor), the sale is \(sale.amountMinor)")
                }
                let known = [Rate.zero.text] + table.tiers.map(\.rate.text)
                if let rate = commission.rate, !known.contains(rate) { add("rateWrong", commission, "is paid at \(rate), which is no tier's") }
            }
            if commission.unit != .currency(sale.currency) { add("unitWrong", commission, "is in \(commission.unit.code), the sale in \(sale.currency.code)") }
        default:
            if commission.baseMinor != 0 || commission.rate != nil { add("baseWrong", commission, "has a base or a rate, its rule pays a fixed amount") }
        }
    }

    private static func pieces(_ sale: Sale) -> Int64 {
        Int64(clamping: sale.items.reduce(Int128(0)) { $0 + Int128(max(0, $1.quantity)) })
    }

    /// Before its cap.
    private func uncapped(_ commission: Commission) -> Int64 {
        commission.explanation.value["amount"]?.int64 ?? commission.amountMinor
    }

    /// Within what splitting by largest remainder and rounding once can move: less than 1.5 units.
    private mutating func verifyAmount(_ commission: Commission, _ terms: CommissionRule, pieces: Int64) {
        let amount = uncapped(commission)
        let mayBeLess = terms.cap != nil || commission.explanation.value["budget"] == .boolean(true)
        if commission.amountMinor != amount, !mayBeLess || commission.amountMinor > amount {
            add("amountWrong", commission, "is \(commission.amountMinor) of \(amount), and no cap of its rule says so")
        }
        let share = Int128(commission.sharePPM)
        let million = Int128(SharePPM.whole.ppm)
        let billion = Int128(Rate.billionthsPerWhole)
        switch terms.reward {
        case .percent:
            guard let rate = commission.rate.flatMap({ try? Rate($0) }) else { return }
            check(commission, amount, Int128(commission.baseMinor) * Int128(rate.billionths) * share, over: billion * million)
        case .tiered(let table) where table.mode == .marginal:
            var exact: Int128 = 0
            var base: Int128 = 0
            for slice in commission.explanation.value["slices"]?.elements ?? [] {
                guard let part = slice["base"]?.int64, let rate = slice["rate"]?.string.flatMap({ try? Rate($0) }) else { continue }
                base += Int128(part)
                exact += Int128(part) * Int128(rate.billionths)
            }
            if base != Int128(commission.baseMinor) { add("baseWrong", commission, "is paid on \(commission.baseMinor), its slices sum to \(base)") }
            check(commission, amount, exact, over: billion)
        case .tiered:
            guard let rate = commission.rate.flatMap({ try? Rate($0) }) else { return }
            let most = Int128(commission.baseMinor) * Int128(rate.billionths)
            if Int128(amount) * billion * 2 > most * 2 + 3 * billion { add("amountWrong", commission, "is \(amount), more than \(commission.baseMinor) × \(rate.text)") }
        case .flat(let fixed, _), .points(let fixed, _), .credit(let fixed, _):
            if let unit = terms.reward.unit, unit != commission.unit { add("unitWrong", commission, "is in \(commission.unit.code), its rule pays \(unit.code)") }
            guard terms.isPerItem else { return check(commission, amount, Int128(fixed.minor) * share, over: million) }
            let most = Int128(fixed.minor).multipliedReportingOverflow(by: Int128(pieces) * share)
            if !most.overflow, Int128(amount) * million * 2 > most.partialValue * 2 + 3 * million {
                add("amountWrong", commission, "is \(amount), more than \(pieces) × \(fixed.minor)")
            }
        default: add("ruleWrong", commission, "is of a rule that pays nothing in money")
        }
    }

    private mutating func check(_ commission: Commission, _ amount: Int64, _ exact: Int128, over divisor: Int128) {
        let difference = Int128(amount) * divisor - exact
        let isFar = (difference < 0 ? -difference : difference) * 2 >= divisor * 3
        if isFar { add("amountWrong", commission, "is \(amount); base, rate and share give \((try? Rounding.halfEven(exact, over: divisor)) ?? 0)") }
    }

    /// Where all parts of a rule's pay are there, each is exactly what the split gives.
    private mutating func verifySplit(_ lines: [Commission], _ rule: Rule) throws {
        for (base, group) in Dictionary(grouping: lines.filter { $0.purpose == .reward }, by: \.baseMinor) {
            guard group.reduce(0, { $0 + $1.sharePPM }) == SharePPM.whole.ppm else { continue }
            let expected: [Int64]
            switch rule.terms.reward {
            case .percent:
                let rates = group.compactMap { $0.rate.flatMap { try? Rate($0) } }
                guard rates.count == group.count else { continue }
                let weights = zip(rates, group).map { $0.billionths * Int64($1.sharePPM) }
                let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
                guard sum > 0 else { continue }
                let total = try Rounding.halfEven(Int128(base) * sum, over: Int128(Rate.billionthsPerWhole) * Int128(SharePPM.whole.ppm))
                expected = try Allocation.largestRemainder(total: total, weights: weights)
            case .flat(let fixed, _), .points(let fixed, _), .credit(let fixed, _):
                guard !rule.terms.isPerItem else { continue }
                expected = try Allocation.largestRemainder(total: fixed.minor, weights: group.map { Int64($0.sharePPM) })
            default: continue
            }
            for (commission, amount) in zip(group, expected) where uncapped(commission) != amount {
                add("amountWrong", commission, "is \(uncapped(commission)); base, rate and shares give \(amount)")
            }
        }
    }

    /// What refunds took: the same part of every commission of the sale, where no tier and no hand moved it otherwise.
    private mutating func verifyReversal(_ commission: Commission, _ event: Event) throws {
        guard [.pending, .approved, .held, .paid, .reversed].contains(commission.state) else { return }
        guard let sale = event.sale ?? event.corrected, sale.amountMinor > 0 else {
            guard let part = try CorrectionPartStore.last(of: [commission.id], on: connection)[commission.id] else { return }
            if part.keptMinor != commission.keptMinor { addKept(commission, part.keptMinor) }
            return
        }
        let expected = try Allocation.proportion(of: Amount(minor: commission.amountMinor), part: sale.refundedMinor, whole: sale.amountMinor).minor
        guard expected != commission.reversedMinor || commission.cause == .manual else { return }
        if let part = try CorrectionPartStore.last(of: [commission.id], on: connection)[commission.id] {
            let kept = try part.keptMinor(of: sale)
            if kept != commission.keptMinor, try !VerifyStore.isOfTier(commission, on: connection) { addKept(commission, kept) }
            return
        }
        guard expected != commission.reversedMinor, try !VerifyStore.isMovedOtherwise(commission, on: connection) else { return }
        add("reversalWrong", commission, "has \(commission.reversedMinor) taken back; \(sale.refundedMinor) of \(sale.amountMinor) refunded give \(expected)")
    }

    private mutating func addKept(_ commission: Commission, _ keptMinor: Int64) {
        add("reversalWrong", commission, "keeps \(commission.keptMinor); what somebody made it worth and what came back since give \(keptMinor)")
    }

    // MARK: Looked up

    private mutating func rule(_ id: RuleID, _ version: Int) throws -> Rule? {
        let key = "\(id) \(version)"
        if let known = rules[key] { return known }
        do {
            guard let rule = try RuleStore.version(id, version, on: connection) else { return nil }
            if rules.count >= Self.rememberedMax { rules = [:] }
            rules[key] = rule
            return rule
        } catch {
            if (error as? DatabaseFailure)?.isOfTheServer == true { throw error }
            return nil
        }
    }

    private mutating func enroller(of member: MemberID, level: Int) throws -> MemberID? {
        let key = "\(member) \(level)"
        let line: [MemberID]
        if let known = lines[key] {
            line = known
        } else {
            line = try MemberStore.enrollers(above: member, limit: level, on: connection)
            if lines.count >= Self.rememberedMax { lines = [:] }
            lines[key] = line
        }
        return line.dropFirst(level - 1).first
    }

    private mutating func add(_ kind: String, _ commission: Commission, _ detail: String) {
        guard findings.count < Verification.findingsMax else { return }
        findings.append(Verification.Found(kind: kind, workspace: workspace.text, subject: commission.id.text, detail: detail))
    }
}

extension RewardTerms {
    /// The unit that a fixed reward is in.
    fileprivate var unit: UnitCode? {
        switch self {
        case .flat(_, let currency): .currency(currency)
        case .credit(_, let currency): .credit(currency)
        case .points(_, let unit): unit
        default: nil
        }
    }
}
