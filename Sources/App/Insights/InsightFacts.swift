import Chronology
import Persistence
import Web

/// Keeps the counts of days and the stages of people up to date. Each step looks at new events, finds the days and people they touch, and
/// works those out anew from the events themselves: a late sale or a refund goes to the day it belongs to, and a rebuild gives the same.
enum InsightFacts {
    /// Events looked at in one transaction.
    static let eventsMax = 300
    static let customersMax = 500
    static let workspacesMax = 20
    /// Customers are looked for again this long before the last that was seen: clocks of servers differ.
    static let overlapMs: Int64 = 600_000

    /// Whether there may be more.
    static func step(in write: Write) throws -> Bool {
        let connection = write.connection
        let workspace = write.workspace
        guard let cursor = try InsightCursorStore.find(workspace.id, on: connection), cursor.zone == workspace.timeZone else {
            try rebuild(in: write)
            return false
        }
        let events = try InsightCursorStore.events(in: workspace.id, after: cursor.position, limit: eventsMax, on: connection)
        let since = Instant(millisecondsSince1970: cursor.customersUntil.millisecondsSince1970 - overlapMs)
        let newcomers = try InsightFactStore.customers(in: workspace.id, since: since, limit: customersMax, on: connection)
        guard !events.isEmpty || !newcomers.fresh.isEmpty else { return false }
        var touched = Touched()
        touched.customers.formUnion(newcomers.fresh)
        for event in events { try touched.add(event, in: workspace.id, on: connection) }
        var days = Set(touched.instants.map { workspace.zone.day(of: $0) })
        let start = events.first?.createdAt ?? write.now
        for customer in touched.sold {
            let sales = try InsightFactStore.firstSales(of: customer, recordedBefore: start, on: connection)
            days.formUnion(sales.map { workspace.zone.day(of: $0) })
        }
        try FanStageStore.fill(members: touched.members.sorted(), customers: touched.customers.sorted(), in: workspace.id, on: connection)
        for day in days.sorted() { try InsightFactStore.fill(day, in: workspace, on: connection) }
        try InsightCursorStore.put(
            workspace.id, position: events.last?.sequence ?? cursor.position, zone: workspace.timeZone,
            customersUntil: newcomers.isMore ? newcomers.last ?? write.now : write.now, at: write.now, on: connection)
        return events.count == eventsMax || newcomers.isMore
    }

    /// Makes all counts of a workspace anew.
    static func rebuild(in write: Write) throws {
        let (connection, workspace) = (write.connection, write.workspace)
        let last = try EventStore.lastSequence(in: workspace.id, on: connection)
        try InsightFactStore.clear(workspace.id, on: connection)
        try FanStageStore.fillAll(in: workspace.id, on: connection)
        var days: Set<LocalDay> = []
        for number in try InsightFactStore.daysWithFacts(in: workspace.id, on: connection) {
            // A day of the zone overlaps at most three of UTC.
            for near in -1...1 { if let day = LocalDay(dayNumber: number + Int64(near)) { days.insert(day) } }
        }
        for day in days.sorted() { try InsightFactStore.fill(day, in: workspace, on: connection) }
        try InsightCursorStore.put(
            workspace.id, position: last, zone: workspace.timeZone, customersUntil: write.now, at: write.now, on: connection)
    }

    /// What events touch.
    private struct Touched {
        var instants: Set<Instant> = []
        var members: Set<String> = []
        var customers: Set<String> = []
        /// Customers whose first purchases may be others now.
        var sold: Set<String> = []

        mutating func add(_ event: InsightCursorStore.Noted, in workspace: WorkspaceID, on connection: any Connection) throws {
            switch EventType(rawValue: event.type) {
            case .saleCreated:
                guard let sale = try InsightFactStore.sale(event.subject, on: connection) else { return }
                instants.insert(sale.at)
                customers.insert(sale.customer)
                sold.insert(sale.customer)
            case .saleRefunded: instants.formUnion(try InsightFactStore.refunds(of: event.subject, on: connection))
            case .leadCreated:
                guard let lead = try InsightFactStore.lead(event.subject, on: connection) else { return }
                instants.insert(lead.at)
                customers.insert(lead.customer)
            case .commissionCreated, .commissionReversed, .commissionApproved, .holdPlaced, .holdReleased:
                if let at = try InsightFactStore.commission(event.subject, on: connection) { instants.insert(at) }
            case .memberCreated, .memberStageChanged:
                members.insert(event.subject)
                customers.formUnion(try InsightFactStore.customers(of: event.subject, on: connection))
            default: break
            }
        }
    }
}

extension Installation {
    /// Counts what is new in a workspace.
    func countInsights(in workspace: WorkspaceID) async throws {
        while try await write(workspace, actor: .system("insights"), { write in try InsightFacts.step(in: write) }) {}
    }

    /// Counts what is new anywhere.
    func countInsights() async throws {
        for workspace in try await main.read({ connection in try InsightCursorStore.due(limit: InsightFacts.workspacesMax, on: connection) }) {
            try await countInsights(in: workspace)
        }
    }

    /// Makes the counts of all workspaces anew. Answers how many workspaces.
    func rebuildInsights() async throws -> Int64 {
        let workspaces = try await main.read { connection in try WorkspaceStore.all(on: connection) }
        for workspace in workspaces { try await write(workspace.id, actor: .command) { write in try InsightFacts.rebuild(in: write) } }
        return Int64(workspaces.count)
    }
}
