/// What can be counted or summed: measures are made of these.
enum InsightTerm: String, Sendable, CaseIterable {
    case clicks, visits, impressions, leads, sales, broughtSales, newCustomers, broughtNewCustomers, shares, activeMembers
    case revenue, broughtRevenue, broughtMargin, refunds, commissionCost, costs
    /// From the beginning until the period's last day.
    case revenueSoFar, refundsSoFar, customersSoFar, buyersAgainSoFar
    /// Until the day before the period.
    case customersBefore
    case cohortCustomers, cohortReturned
    case stageCount, stageMoves
    case contentAnswers, satisfactionAnswers, promoterAnswers, detractorAnswers, recommendationAnswers

    var isMoney: Bool {
        switch self {
        case .revenue, .broughtRevenue, .broughtMargin, .refunds, .commissionCost, .costs, .revenueSoFar, .refundsSoFar: true
        default: false
        }
    }

    /// Where the rows lie, and what they can be told apart by.
    var dimensions: Set<InsightDimension> {
        switch self {
        case .clicks, .visits, .impressions: [.program, .channel, .device, .country, .day, .month]
        case .costs: [.program, .channel, .currency, .day, .month]
        case .shares: [.channel, .day, .month]
        case .leads: [.program, .channel, .device, .day, .month]
        case .sales, .broughtSales, .newCustomers, .broughtNewCustomers, .revenue, .broughtRevenue, .refunds, .commissionCost:
            [.program, .cameBy, .channel, .device, .country, .currency, .day, .month]
        case .broughtMargin: [.program, .cameBy, .channel, .device, .country, .currency, .day, .month]
        case .revenueSoFar, .refundsSoFar, .customersSoFar: [.program, .cameBy, .channel, .device, .country, .currency]
        case .customersBefore: [.program, .cameBy, .channel, .device, .country]
        case .buyersAgainSoFar, .activeMembers, .cohortCustomers, .cohortReturned: []
        case .stageCount, .stageMoves: [.stage]
        case .contentAnswers, .satisfactionAnswers, .promoterAnswers, .detractorAnswers, .recommendationAnswers: [.program, .channel, .stage, .day, .month]
        }
    }
}

/// By what rows are told apart.
enum InsightDimension: String, Sendable, CaseIterable {
    case program, cameBy, channel, device, country, currency, stage, day, month

    var definition: String {
        switch self {
        case .program: "The program's id."
        case .cameBy: "How a sale came: link, code, bound (an earlier sale or a person of the team bound the customer), orphan (the program's default member), nobody."
        case .channel: "`metadata.channel` of the click, visit, lead or sale; of a cost its channel; of a share where it was shared; of an answer where it was given. Empty: none was told."
        case .device: "`metadata.device` of the click, visit, lead or sale. Empty: none was told."
        case .country: "The country of the click, visit or sale. Empty: none was told."
        case .currency: "The currency of money, or the unit of commissions. Rows of different currencies are never added."
        case .stage: "prospect, customer, sharer or promoter."
        case .day: "A day of the workspace's time zone."
        case .month: "A month of the workspace's time zone."
        }
    }
}

/// What can be asked for, each with its exact meaning. `docs/metrics.md` is made from this.
enum InsightMeasure: String, Sendable, CaseIterable {
    case clicks, visits, impressions, shares, leads, sales, revenue, affiliateSales, affiliateRevenue, refunds, commissionCost, costs, payoutShare
    case newCustomers, activeMembers, referralRate, conversionRate, clickThroughRate, costPerAcquisition, returnOnInvestment, earningsPerClick
    case averageOrderValue, repeatPurchaseRate, kFactor, retention, customerLifetimeValue, stageCount, stageMoves
    case satisfaction, netPromoterScore

    enum Kind: String, Sendable { case count, money, ratio, moneyPerOne }

    /// What a value is: the sum of the first, by the sum of the second where there is one.
    var formula: (numerator: [(InsightTerm, Int64)], denominator: [InsightTerm]) {
        switch self {
        case .clicks: ([(.clicks, 1)], [])
        case .visits: ([(.visits, 1)], [])
        case .impressions: ([(.impressions, 1)], [])
        case .shares: ([(.shares, 1)], [])
        case .leads: ([(.leads, 1)], [])
        case .sales: ([(.sales, 1)], [])
        case .revenue: ([(.revenue, 1)], [])
        case .affiliateSales: ([(.broughtSales, 1)], [])
        case .affiliateRevenue: ([(.broughtRevenue, 1)], [])
        case .refunds: ([(.refunds, 1)], [])
        case .commissionCost: ([(.commissionCost, 1)], [])
        case .costs: ([(.costs, 1)], [])
        case .payoutShare: ([(.commissionCost, 1)], [.revenue])
        case .newCustomers: ([(.newCustomers, 1)], [])
        case .activeMembers: ([(.activeMembers, 1)], [])
        case .referralRate: ([(.broughtSales, 1)], [.sales])
        case .conversionRate: ([(.broughtSales, 1)], [.clicks])
        case .clickThroughRate: ([(.clicks, 1)], [.impressions])
        case .costPerAcquisition: ([(.costs, 1), (.commissionCost, 1)], [.newCustomers])
        case .returnOnInvestment: ([(.broughtMargin, 1), (.costs, -1), (.commissionCost, -1)], [.costs, .commissionCost])
        case .earningsPerClick: ([(.commissionCost, 1)], [.clicks])
        case .averageOrderValue: ([(.revenue, 1)], [.sales])
        case .repeatPurchaseRate: ([(.buyersAgainSoFar, 1)], [.customersSoFar])
        case .kFactor: ([(.broughtNewCustomers, 1)], [.customersBefore])
        case .retention: ([(.cohortReturned, 1)], [.cohortCustomers])
        case .customerLifetimeValue: ([(.revenueSoFar, 1), (.refundsSoFar, -1)], [.customersSoFar])
        case .stageCount: ([(.stageCount, 1)], [])
        case .stageMoves: ([(.stageMoves, 1)], [])
        case .satisfaction: ([(.contentAnswers, 1)], [.satisfactionAnswers])
        case .netPromoterScore: ([(.promoterAnswers, 1), (.detractorAnswers, -1)], [.recommendationAnswers])
        }
    }

    var terms: [InsightTerm] { formula.numerator.map { $0.0 } + formula.denominator }

    var kind: Kind {
        let (numerator, denominator) = formula
        let isMoney = numerator.contains { $0.0.isMoney }
        if denominator.isEmpty { return isMoney ? .money : .count }
        return isMoney && !denominator.contains(where: \.isMoney) ? .moneyPerOne : .ratio
    }

    var isMoney: Bool { terms.contains(where: \.isMoney) }

    /// What all its parts can be told apart by.
    var dimensions: Set<InsightDimension> {
        var shared = terms.first?.dimensions ?? []
        for term in terms.dropFirst() {
            var more = term.dimensions
            // What is counted has no currency: the whole count stands beside each currency's money.
            if isMoney, !term.isMoney { more.insert(.currency) }
            shared.formIntersection(more)
        }
        if isMoney { shared.insert(.currency) }
        return shared
    }

    var definition: String {
        switch self {
        case .clicks: "Clicks on members' links and advertisements that count (no crawlers, prefetches or stuffing), by the day of the click."
        case .visits: "Visits told by `POST /track/visit`, without crawlers."
        case .impressions: "Showings told by `POST /track/impression`."
        case .shares: "Shares told by `POST /members/{id}/shares`."
        case .leads: "Leads that count, by the day they happened; a deferred lead counts when its customer is named again."
        case .sales: "Sales, by the day they happened, whoever brought them; a refund takes none away."
        case .revenue: "What was sold, by the day of the sale, before refunds."
        case .affiliateSales: "Sales that came by a link, a code or a customer bound by an earlier sale or a person of the team."
        case .affiliateRevenue: "What was sold by affiliate sales, before refunds."
        case .refunds: "What was given back, by the day of the refund. A refund without its sale waits and does not count."
        case .commissionCost: "Commissions of clicks, leads, sales and by hand, less what was reversed of them, by the day of what they are for."
        case .costs: "What the company told it spent (`POST /costs`), by its day."
        case .payoutShare: "Commission cost ÷ revenue."
        case .newCustomers: "Customers whose first sale in the workspace lies in the period."
        case .activeMembers: "Members who were credited for a sale of the period or shared in it."
        case .referralRate: "Affiliate sales ÷ sales."
        case .conversionRate: "Affiliate sales ÷ clicks."
        case .clickThroughRate: "Clicks ÷ impressions."
        case .costPerAcquisition: "(Costs + commission cost) ÷ new customers."
        case .returnOnInvestment: "(Affiliate revenue × the program's margin rate − costs − commission cost) ÷ (costs + commission cost). A program without a margin rate counts whole revenue."
        case .earningsPerClick: "Commission cost ÷ clicks: what members earn for a click."
        case .averageOrderValue: "Revenue ÷ sales."
        case .repeatPurchaseRate: "Of all customers with a sale by the period's last day, the part with two or more by then."
        case .kFactor: "New customers of the period whose first sale came by a link, a code or a binding ÷ customers there were before it."
        case .retention: "One-year retention: of the customers whose first sale was 24 to 12 months before the day after the period, the part with another sale in those last 12 months."
        case .customerLifetimeValue: "(Revenue − refunds from the beginning until the period's last day) ÷ customers with a sale by then. What was, not what is expected."
        case .stageCount: "People who stand in a stage at the end of the period: members as their moves say; of the company's other customers those with a purchase are customers, the rest prospects."
        case .stageMoves: "Moves of people into a stage within the period."
        case .satisfaction: "Answers of 4 and 5 ÷ all answers to surveys of satisfaction, by the day of the answer; told apart by stage, by where people stood when they answered."
        case .netPromoterScore: "(Answers of 9 and 10 − answers of 0 to 6) ÷ all answers to surveys of recommendation, by the day of the answer: from −1 to 1, where 0.25 is a score of 25."
        }
    }
}
