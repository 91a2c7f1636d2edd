import Chronology
import Persistence
import Web

/// Keeps the counts of days and the stages of people up to date, a bounded part in each transaction, so that sales come in between. New events
/// say which days and people they touch; those are worked out anew from the events themselves: a late sale or a refund goes to the day it belongs
/// to, each day is counted once however many events touched it, and a rebuild gives the same.
enum InsightFacts {
    /// Events looked at in one transaction.
    static let eventsMax = 300
    static let customersMax = 500
    static let workspacesMax = 20
    /// Members or customers worked out in one transaction.
    static let fansMax = 200
    /// Customers are looked for again this long before the last that was seen: clocks of servers differ.
    static let overlapMs: Int64 = 600_000

    enum Part: Sendable {
        /// The workspace has never been counted, or its days are others now.
        case rebuild
        case more, done
    }

    /// Does one part of what there is to do.
    static func step(in write: Write) throws -> Part {
        let connection = write.connection
        let workspace = write.workspace
        guard let cursor = try InsightCursorStore.find(workspace.id, on: connection), cursor.zone == workspace.timeZone else { return .rebuild }
        if let kind = cursor.rebuild { return try recount(kind, after: cursor.rebuildAfter, in: write) }
        if try note(since: cursor, in: write) { return .more }
        return try count(in: write) ? .more : .done
    }

    // MARK: What is new

    /// Writes down what new events touch. Answers whether there were any.
    private static func note(since cursor: InsightCursorStore.Cursor, in write: Write) throws -> Bool {
        let (connection, workspace) = (write.connection, write.workspace)
        let events = try InsightCursorStore.events(in: workspace.id, after: cursor.position, limit: eventsMax, on: connection)
        let since = Instant(millisecondsSince1970: cursor.customersUntil.millisecondsSince1970 - overlapMs)
        let newcomers = try InsightFactStore.customers(in: workspace.id, since: since, limit: customersMax, on: connection)
        let isNews = !events.isEmpty || !newcomers.fresh.isEmpty
        guard isNews else { return false }
        var touched = Touched()
        for event in events { try touched.add(event, in: workspace.id, on: connection) }
        var days = Set(touched.instants.map { workspace.zone.day(of: $0) })
        let start = events.first?.createdAt ?? write.now
        for customer in touched.sold {
            let sales = try InsightFactStore.firstSales(of: customer, recordedBefore: start, on: connection)
            days.formUnion(sales.map { workspace.zone.day(of: $0) })
        }
        try InsightTodoStore.add(.day, days.map(\.iso8601), in: workspace.id, on: connection)
        try InsightTodoStore.add(.member, Array(touched.members), in: workspace.id, on: connection)
        // Newcomers are worked out at once: they are found by having no stage yet.
        try FanStageStore.fill(members: [], customers: newcomers.fresh, in: workspace.id, on: connection)
        try InsightTodoStore.add(.customer, Array(touched.customers), in: workspace.id, on: connection)
        try InsightCursorStore.put(
            workspace.id, position: events.last?.sequence ?? cursor.position, zone: workspace.timeZone,
            customersUntil: newcomers.isMore ? newcomers.last ?? write.now : write.now, at: write.now, on: connection)
        return true
    }

    /// Works out one day, or some people. Answers whether there was anything to do.
    private static func count(in write: Write) throws -> Bool {
        let (connection, workspace) = (write.connection, write.workspace)
        for kind in InsightTodoStore.Kind.allCases {
            let items = try InsightTodoStore.next(kind, in: workspace.id, limit: kind == .day ? 1 : fansMax, on: connection)
            guard !items.isEmpty else { continue }
            switch kind {
            case .member: try FanStageStore.fill(members: items, customers: [], in: workspace.id, on: connection)
            case .customer: try FanStageStore.fill(members: [], customers: items, in: workspace.id, on: connection)
            case .day: for day in try items.map({ try LocalDay(iso8601: $0) }) { try InsightFactStore.fill(day, in: workspace, on: connection) }
            }
            try InsightTodoStore.remove(kind, items, in: workspace.id, on: connection)
            return true
        }
        return false
    }

    // MARK: All of it anew

    /// What a rebuild begins with, read before it: the last event, and the days on which anything happened or was counted.
    struct Extent: Sendable {
        var position: Int64
        var days: [LocalDay]

        static func load(_ workspace: WorkspaceID, on connection: any Connection) throws -> Extent {
            let position = try EventStore.lastSequence(in: workspace, on: connection)
            var days = Set(try InsightFactStore.daysCounted(in: workspace, on: connection))
            for number in try InsightFactStore.daysWithFacts(in: workspace, on: connection) {
                // A day of the zone overlaps at most three of UTC.
                for near in -1...1 { if let day = LocalDay(dayNumber: number + Int64(near)) { days.insert(day) } }
            }
            return Extent(position: position, days: days.sorted())
        }
    }

    /// From here on steps make all counts of a workspace anew. What comes after `extent` was read is new to them.
    static func begin(_ extent: Extent, in write: Write) throws {
        try InsightTodoStore.add(.day, extent.days.map(\.iso8601), in: write.workspace.id, on: write.connection)
        try InsightCursorStore.put(
            write.workspace.id, position: extent.position, zone: write.workspace.timeZone, customersUntil: write.now, rebuild: .member, at: write.now,
            on: write.connection)
    }

    /// Works out the next members, then the next customers.
    private static func recount(_ kind: InsightTodoStore.Kind, after: String, in write: Write) throws -> Part {
        let (connection, workspace) = (write.connection, write.workspace.id)
        let fans = try InsightFactStore.fans(kind, in: workspace, after: after, limit: fansMax, on: connection)
        try FanStageStore.fill(members: kind == .member ? fans : [], customers: kind == .customer ? fans : [], in: workspace, on: connection)
        let isOver = fans.count < fansMax
        let next: InsightTodoStore.Kind? = isOver ? (kind == .member ? .customer : nil) : kind
        try InsightCursorStore.setRebuild(workspace, next, after: isOver ? "" : fans.last ?? "", on: connection)
        return .more
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
    /// Counts what is new in a workspace, part by part.
    func countInsights(in workspace: WorkspaceID) async throws {
        while true {
            switch try await write(workspace, actor: .system("insights"), { write in try InsightFacts.step(in: write) }) {
            case .more: continue
            case .done: return
            case .rebuild: try await beginRebuild(of: workspace, actor: .system("insights"))
            }
        }
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
        for workspace in workspaces {
            try await beginRebuild(of: workspace.id, actor: .command)
            try await countInsights(in: workspace.id)
        }
        return Int64(workspaces.count)
    }

    private func beginRebuild(of workspace: WorkspaceID, actor: Actor) async throws {
        let extent = try await main.read { connection in try InsightFacts.Extent.load(workspace, on: connection) }
        try await write(workspace, actor: actor) { write in try InsightFacts.begin(extent, in: write) }
    }
}
