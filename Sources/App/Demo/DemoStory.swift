import Attribution
import Chronology
import Foundation
import Money
import Persistence
import Web

/// Four months of an invented company, told day by day through the same verbs that the API calls: a program, members three levels
/// deep, links, clicks, leads, sales and refunds. The same seed tells the same story.
final class DemoStory {
    static let days = 120
    static let memberCount = 60
    /// Members of the first days.
    static let firstCount = 8
    static let linkCount = 120
    static let clickCount = 8_000
    static let leadCount = 900
    static let saleCount = 700
    static let refundCount = 40
    /// What was approved before these last days is no news any more.
    static let newsDays = 2
    /// People that the story needs keys for.
    private static let peopleCount = memberCount + leadCount + saleCount

    private let installation: Installation
    private let workspace: Workspace
    let random: RandomSource
    private let start: LocalDay
    private let zone = Zone("Europe/Berlin") ?? .utc

    /// What a step changes besides the database.
    struct Notes {
        var programID = ProgramID(stored: "")
        var people = DemoPeople()
        /// Who makes payouts, who approves them.
        var team: [OperatorID] = []
        var members: [Member] = []
        var links: [Link] = []
        var customers: [DemoCustomer] = []
        /// Those that were not returned.
        var sales: [(id: SaleID, invoice: String, amountMinor: Int64)] = []
        var withAccount: Set<MemberID> = []
        var payout: PayoutID?
        /// Commissions whose payment arrived.
        var paid: [CommissionID] = []
        var told = (clicks: 0, leads: 0, sales: 0, refunds: 0)
    }

    var notes = Notes()
    private var visitorsOfDay: [Click] = []

    /// Somebody who left their address, and bought or will.
    struct DemoCustomer {
        var externalID: String
        var person: DemoPerson
        var click: Click?
        var code: String?
    }

    init(_ installation: Installation, workspace: Workspace, seed: Int64) {
        self.installation = installation
        self.workspace = workspace
        // Another workspace of the same database tells the same story with other ids.
        let own = FactsHash.of([workspace.id.text]).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        random = RandomSource(SeededGenerator(state: UInt64(bitPattern: seed) ^ own))
        let today = zone.day(of: workspace.now(installation.world))
        start = (try? today.adding(days: Int64(-Self.days))) ?? today
    }

    func tell() async throws -> JSONValue {
        try await installation.vault.refill(atLeast: Self.peopleCount)
        let weights = (0..<Self.days).map(weight)
        try await perform(at: instant(day: -4, hour: 9)) { write, story in try story.open(in: write) }
        for number in 0..<Self.firstCount {
            try await perform(at: instant(day: -3 + number / 3, hour: 8 + number % 3 * 5, minute: 7 * number)) { write, story in
                try story.enroll(enroller: nil, in: write)
                if number == 0 { try story.giveCoupon(in: write) }
            }
        }
        var plan = DayPlan(weights: weights)
        for day in 0..<Self.days {
            let counts = plan.next(day)
            try await welcome(day: day)
            try await click(day: day, count: counts.clicks)
            try await perform(at: instant(day: day, hour: 23)) { write, story in
                try story.trade(day: day, leads: counts.leads, sales: counts.sales, refunds: counts.refunds, in: write)
                _ = try Commission.approveDue(isQuiet: day < Self.days - Self.newsDays, in: write)
            }
            try await pay(day: day)
        }
        try await installation.applyClicks()
        let told = notes.told
        return [
            "workspaceId": .text(workspace.id.text), "programId": .text(notes.programID.text), "members": .integer(Int64(notes.members.count)),
            "links": .integer(Int64(notes.links.count)), "clicks": .integer(Int64(told.clicks)), "leads": .integer(Int64(told.leads)),
            "sales": .integer(Int64(told.sales)), "refunds": .integer(Int64(told.refunds)),
        ]
    }

    // MARK: The calendar

    /// How busy a day is: weekends are quiet, the weeks before Christmas and the days around Black Friday are not, and it grows.
    private func weight(day: Int) -> Double {
        guard let date = try? start.adding(days: Int64(day)) else { return 1 }
        let week = [1.0, 1.05, 1.1, 1.05, 0.95, 0.7, 0.75][date.weekday - 1]
        let season: Double =
            switch date.iso8601.dropFirst(5).prefix(5) {
            case "11-20"..."11-30": 2.2
            case "11-01"..."12-24": 1.5
            case "08-01"..."08-31": 0.75
            default: 1
            }
        return week * season * (0.6 + 0.8 * Double(day) / Double(Self.days)) * (0.85 + 0.3 * Double(random.below(1_000)) / 1_000)
    }

    func instant(day: Int, hour: Int, minute: Int = 0) -> Instant {
        let date = (try? start.adding(days: Int64(day))) ?? start
        return (try? zone.start(of: date).adding(milliseconds: Int64(hour * 60 + minute) * 60_000 + Int64(random.below(60_000))))
            ?? zone.start(of: date)
    }

    /// Runs verbs as if it were `now`. A transaction that is tried again begins from the notes it began with.
    func perform(at now: Instant, by actor: Actor = .system("demo"), _ body: @escaping (Write, DemoStory) throws -> Void) async throws {
        let world = World(now: { now }, random: random)
        let box = UncheckedStory(story: self, body: body)
        let (workspace, vault) = (workspace, installation.vault)
        let before = UncheckedNotes(notes: notes)
        try await installation.gate.perform(workspace.id) { connection in
            box.story.notes = before.notes
            try box.body(Write(connection: connection, workspace: workspace, now: now, actor: actor, world: world, vault: vault), box.story)
        }
    }

    /// The story is told by one task that waits for each step, so nothing runs beside it.
    private struct UncheckedStory: @unchecked Sendable {
        let story: DemoStory
        let body: (Write, DemoStory) throws -> Void
    }

    private struct UncheckedNotes: @unchecked Sendable {
        // Values only, never changed after they were taken.
        let notes: Notes
    }

    // MARK: What happens

    /// The program, its rules, the first members and the partner's coupon.
    private func open(in write: Write) throws {
        let program = try Program.create(
            NewProgram(name: "Friends of Morgenrot", currency: "EUR", zone: zone, settings: Self.settings(random)), in: write)
        notes.programID = program.id
        notes.team = try hire(in: write)
        for (name, rate, level) in [("10 % to who shares", "0.10", 0), ("3 % to their enroller", "0.03", 1), ("1.5 % to the enroller’s enroller", "0.015", 2)] {
            let reader = try JSONReader([
                "name": .text(name), "event": "sale", "reward": ["kind": "percent", "rate": .text(rate)], "level": .integer(Int64(level)),
            ])
            let document = RuleDocument.read(reader)
            try reader.finish()
            _ = try Rule.create(document, program: program.id, in: write)
        }
        _ = try JoinPage.set(
            JoinPageInput(
                isOpen: true, approval: .byHand,
                welcome: "You like our coffee? Tell people who would like it too, and have a part in what they buy.",
                questions: [
                    JoinPage.Question(label: "Where would you tell people about us?", isRequired: true, choices: []),
                    JoinPage.Question(label: "How often do you drink coffee?", isRequired: false, choices: ["Every day", "Now and then", "Never"]),
                ]), for: program.id, in: write)
        _ = try Terms.publish(
            "You only recommend what you know.\n\nYou say that it is advertisement, wherever you share.\n\nYou send no unwanted mail.", for: program.id, in: write)
    }

    /// The partner's coupon.
    private func giveCoupon(in write: Write) throws {
        guard let partner = notes.members.first else { return }
        notes.links.append(
            try Link.create(
                NewLink(
                    programID: notes.programID, member: .id(partner.id), destination: "https://morgenrot.example/", code: freeCode("MORGENROT15"),
                    kind: .coupon, codeRate: try Rate("0.15"), codeNeedsReferral: false, variants: [], utm: []), in: write))
    }

    /// Members join over the first three months, at any time of the day; most were brought by somebody.
    private func welcome(day: Int) async throws {
        let wanted = min(Self.memberCount, Self.firstCount + (Self.memberCount - Self.firstCount) * day / (Self.days * 3 / 4))
        let missing = max(0, wanted - notes.members.count)
        for at in (0..<missing).map({ _ in instant(day: day, hour: 7 + Int(random.below(8) + random.below(8)), minute: Int(random.below(60))) }).sorted() {
            try await perform(at: at) { write, story in
                // Three levels at most: roots, whom they brought, and whom those brought.
                let members = story.notes.members
                let enrollers = members.filter { member in
                    guard let above = member.enrollerID else { return true }
                    return members.first { $0.id == above }?.enrollerID == nil
                }
                try story.enroll(enroller: story.random.below(10) < 8 ? story.pick(enrollers)?.id : nil, in: write)
            }
        }
        let wantedLinks = min(Self.linkCount, notes.members.count * 2)
        guard notes.links.count < wantedLinks else { return }
        try await perform(at: instant(day: day, hour: 22, minute: 30)) { write, story in
            while story.notes.links.count < wantedLinks, let member = story.pick(story.notes.members) { try story.addLink(of: member, in: write) }
        }
    }

    private func enroll(enroller: MemberID?, in write: Write) throws {
        let number = notes.members.count + 1
        let person = notes.people.make(random)
        var enrolment = Enrolment(
            programID: notes.programID, email: person.email, name: person.name, externalID: "M-\(1_000 + number)", enroller: enroller.map { .id($0) },
            kind: number % 5 == 0 ? .customer : .promoter, locale: person.country == "DE" || person.country == "AT" ? "de" : "en",
            country: person.country)
        enrolment.isQuiet = true
        let member = try Member.enroll(enrolment, in: write)
        notes.members.append(member)
        try addLink(of: member, in: write)
    }

    private func addLink(of member: Member, in write: Write) throws {
        let page = ["", "fruehstueck", "tee", "geschenke", "abo"][Int(random.below(5))]
        let channel = ["instagram", "newsletter", "whatsapp", "blog", "youtube"][Int(random.below(5))]
        notes.links.append(
            try Link.create(
                NewLink(
                    programID: notes.programID, member: .id(member.id), destination: "https://morgenrot.example/\(page)", codeNeedsReferral: false,
                    variants: [], utm: [("utm_source", channel), ("utm_medium", "referral")]), in: write))
    }

    /// The clicks of a day, straight into the click file; about one in sixteen is a crawler's.
    private func click(day: Int, count: Int) async throws {
        // Who joined today is clicked on from tomorrow.
        let morning = instant(day: day, hour: 0)
        let targets = notes.links.filter { $0.kind == .link && $0.createdAt < morning }
        guard !targets.isEmpty else { return }
        var clicks: [Click] = []
        for _ in 0..<count {
            // A few links get most of the attention.
            let spread = Double(random.below(1_000_000)) / 1_000_000
            let link = targets[min(targets.count - 1, Int(spread * spread * Double(targets.count)))]
            let at = instant(day: day, hour: 6 + Int(random.below(9) + random.below(9)), minute: Int(random.below(60)))
            let world = World(now: { at }, random: random)
            let isCrawler = random.below(16) == 0
            let agent = isCrawler ? Self.crawlers[Int(random.below(3))] : Self.browsers[Int(random.below(4))]
            let parameters = Installation.query(link.destination)
            clicks.append(
                Click(
                    id: world.newID(), workspaceID: workspace.id, programID: notes.programID, linkID: link.id, memberID: link.memberID, kind: .link,
                    visitorID: isCrawler ? nil : world.newID(VisitorKind.self).text, at: at, userAgent: agent,
                    referrer: isCrawler ? nil : Self.referrers[Int(random.below(5))], url: nil,
                    country: ["DE", "AT", "FR", "ES", "PL", "NL"][Int(random.below(6))], discard: isCrawler ? "crawler" : nil,
                    signals: Installation.signals(parameters)))
        }
        clicks.sort { ($0.at, $0.id) < ($1.at, $1.id) }
        let batch = clicks
        try await installation.clicks.write { connection in try ClickStore.append(batch, on: connection) }
        notes.told.clicks += batch.count
        visitorsOfDay = batch.filter { $0.discard == nil }
    }

    private func trade(day: Int, leads: Int, sales count: Int, refunds: Int, in write: Write) throws {
        var fresh: [DemoCustomer] = []
        for _ in 0..<leads {
            let number = notes.told.leads + 1
            let customer = DemoCustomer(
                externalID: "C-\(20_000 + number)", person: notes.people.make(host: "example.org", random), click: pick(visitorsOfDay),
                code: nil)
            let at = moment(after: customer.click, day: day)
            _ = try Lead.record(
                NewLead(
                    programID: notes.programID, clickID: customer.click?.id.text, code: nil, eventName: "sign-up", customerExternalID: customer.externalID,
                    customerEmail: customer.person.email, customerName: customer.person.name, mode: .wait, metadata: [], occurredAt: at,
                    country: customer.person.country),
                evidence: evidence(customer), in: write)
            fresh.append(customer)
            notes.told.leads += 1
        }
        notes.customers += fresh
        for _ in 0..<count { try sell(day: day, fresh: fresh, in: write) }
        for _ in 0..<refunds { try refund(day: day, in: write) }
    }

    private func sell(day: Int, fresh: [DemoCustomer], in write: Write) throws {
        let draw = random.below(10)
        let customer: DemoCustomer
        if draw < 6, let lead = pick(fresh) ?? pick(notes.customers) {
            customer = lead
        } else if draw < 8, let known = pick(notes.customers) {
            customer = known
        } else {
            // Nobody brought them, or the partner's coupon did.
            customer = DemoCustomer(
                externalID: "C-\(40_000 + notes.told.sales)", person: notes.people.make(host: "example.org", random), click: nil,
                code: draw == 8 ? notes.links.first { $0.kind == .coupon }?.code : nil)
        }
        let products = [("tea-darjeeling", "tea", 1_490), ("granola-nuts", "breakfast", 890), ("gift-box", "gifts", 4_900), ("subscription", "subscription", 2_900)]
        let items = (0...Int(random.below(3))).map { _ in
            let product = products[Int(random.below(4))]
            let quantity = Int64(1 + random.below(3))
            return Sale.Item(sku: product.0, category: product.1, quantity: quantity, amountMinor: Int64(product.2) * quantity)
        }
        let amount = items.reduce(0) { $0 + $1.amountMinor }
        let at = moment(after: customer.click, day: day)
        let invoice = "MR-\(100_000 + notes.told.sales)"
        var sale = NewSale(
            programID: notes.programID, customerExternalID: customer.externalID, customerEmail: customer.person.email, customerName: customer.person.name,
            amountMinor: amount, currency: Currency(code: "EUR") ?? Currency.all[0], invoiceID: invoice, clickID: customer.click?.id.text,
            code: customer.code, country: customer.person.country, items: items, occurredAt: at, metadata: [], factsHash: [])
        sale.factsHash = sale.hash
        let recorded = try Sale.record(sale, evidence: evidence(customer), in: write)
        notes.sales.append((recorded.sale.id, invoice, amount))
        notes.told.sales += 1
    }

    private func refund(day: Int, in write: Write) throws {
        guard !notes.sales.isEmpty else { return }
        let sale = notes.sales.remove(at: Int(random.below(UInt64(notes.sales.count))))
        let isWhole = random.below(3) == 0
        var refund = NewRefund(
            invoiceID: sale.invoice, refundID: "R-\(sale.invoice)", amountMinor: isWhole ? nil : max(1, sale.amountMinor / 2), reason: nil,
            occurredAt: write.now, factsHash: [])
        refund.factsHash = refund.hash
        _ = try Refund.record(refund, in: write)
        notes.told.refunds += 1
    }

    // MARK: Drawing

    /// Some minutes after the click, on the same day, or any time of the day.
    private func moment(after click: Click?, day: Int) -> Instant {
        let latest = instant(day: day, hour: 22, minute: 50)
        guard let click, click.at < latest, zone.day(of: click.at) == zone.day(of: latest) else {
            return instant(day: day, hour: 8 + Int(random.below(14)), minute: Int(random.below(60)))
        }
        let later = (try? click.at.adding(milliseconds: 60_000 + Int64(random.below(3_600_000)))) ?? click.at
        return min(later, latest)
    }

    private func evidence(_ customer: DemoCustomer) -> Evidence {
        customer.click.map { Evidence(namedClick: $0, visitorClicks: [$0]) } ?? .none
    }

    func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[Int(random.below(UInt64(elements.count)))]
    }

    /// Codes are unique in the whole installation: a second demo gets one with an ending.
    private func freeCode(_ word: String) -> String { "\(word)\(workspace.isTest ? "-TEST" : "")" }

    private static let browsers = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Firefox/144.0",
    ]
    private static let crawlers = [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "facebookexternalhit/1.1",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    ]
    private static let referrers: [String?] = [
        nil, "https://www.instagram.com/", "https://l.facebook.com/", "https://blog.example.net/fruehstueck", "https://www.youtube.com/",
    ]
}

/// How many of each kind a day gets, so that the totals come out exactly.
private struct DayPlan {
    let weights: [Double]
    private var given = (clicks: 0, leads: 0, sales: 0, refunds: 0)
    private var passed = 0.0

    init(weights: [Double]) { self.weights = weights }

    mutating func next(_ day: Int) -> (clicks: Int, leads: Int, sales: Int, refunds: Int) {
        passed += weights[day]
        let part = passed / weights.reduce(0, +)
        // Refunds follow sales by a week or two.
        let late = max(0, (part - 0.08) / 0.92)
        let due = (
            clicks: Int(Double(DemoStory.clickCount) * part + 0.5), leads: Int(Double(DemoStory.leadCount) * part + 0.5),
            sales: Int(Double(DemoStory.saleCount) * part + 0.5), refunds: Int(Double(DemoStory.refundCount) * late + 0.5)
        )
        defer { given = due }
        return (due.clicks - given.clicks, due.leads - given.leads, due.sales - given.sales, due.refunds - given.refunds)
    }
}
