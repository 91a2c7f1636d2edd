import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// The list of links, one link, and its QR codes.
enum LinkPages {
    static let rowsPerPage = 50
    static let fileRowsMax = 10_000
    static let clicksShown = 20
    static let recentDays: Int64 = 30
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/links", .linksRead, gate) { visit in try await list(visit) }
        api.page("/links.csv", .linksRead, gate) { visit in try await file(visit) }
        LinkForm.add(to: &api, gate: gate)
        api.page("/links/{id}", .linksRead, gate) { visit in try await show(visit) }
        api.page("/links/{id}/qr.svg", .linksRead, gate) { visit in
            let drawing = try QRCode(try await find(visit).url(baseURL: visit.installation.publicURL(of: visit.workspaceID))).svg
            return picture("image/svg+xml", ByteBuffer(string: drawing))
        }
        api.page("/links/{id}/qr.png", .linksRead, gate) { visit in
            let code = try QRCode(try await find(visit).url(baseURL: visit.installation.publicURL(of: visit.workspaceID)))
            return picture("image/png", ByteBuffer(bytes: try code.png(moduleSize: 8)))
        }
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let after = visit.query["startingAfter"].flatMap { LinkID($0) }
        let before = visit.query["endingBefore"].flatMap { LinkID($0) }
        let wanted = LinkPageStore.Filter(
            find: String((visit.query["q"] ?? "").prefix(200)), program: try visit.query.id("program", ProgramKind.self))
        let since = visit.language.zone.day(of: visit.now).plus(days: -recentDays)
        let first = max(1, visit.query["first"].flatMap { Int64($0) } ?? 1)
        let facts = try await visit.installation.main.read { connection -> LinkListFacts in
            var filter = wanted
            if !filter.find.isEmpty {
                filter.members = try LinkPageStore.members(named: filter.find, in: workspace, vault: vault, on: connection)
            }
            var ids = try LinkPageStore.ids(
                in: workspace, filter, cursor: before ?? after, isBackwards: before != nil, limit: rowsPerPage + 1, on: connection)
            let hasMore = ids.count > rowsPerPage
            if hasMore { if before != nil { ids.removeFirst() } else { ids.removeLast() } }
            let links = try ids.compactMap { try LinkStore.find($0, in: workspace, on: connection) }
            let clicks = try LinkPageStore.clicks(in: workspace, since: since, on: connection)
            return LinkListFacts(
                links: links, sales: try LinkPageStore.salesByLink(ids, on: connection),
                names: try PersonNames.load(members: links.compactMap(\.memberID), vault: vault, on: connection),
                programs: try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection).map { ($0.id, $0.name) },
                count: try LinkPageStore.count(in: workspace, filter, on: connection), recentClicks: clicks.count,
                bestCode: try clicks.best.flatMap { try LinkStore.find($0, in: workspace, on: connection)?.code },
                hasMore: before == nil ? hasMore : true, hasBefore: before == nil ? after != nil : hasMore, first: first)
        }
        let model = LinkListModel(
            facts: facts, filter: wanted, mayWrite: visit.session.may(.linksWrite), now: visit.now, language: visit.language)
        return try visit.page("link-list", title: visit.language("links.title"), current: "/links", model.page)
    }

    /// All links for spreadsheets, the newest first.
    private static func file(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let baseURL = visit.installation.publicURL(of: visit.workspaceID)
        let wanted = LinkPageStore.Filter(
            find: String((visit.query["q"] ?? "").prefix(200)), program: try visit.query.id("program", ProgramKind.self))
        let (links, names) = try await visit.installation.main.read { connection in
            var filter = wanted
            if !filter.find.isEmpty { filter.members = try LinkPageStore.members(named: filter.find, in: workspace, vault: vault, on: connection) }
            let ids = try LinkPageStore.ids(in: workspace, filter, cursor: nil, isBackwards: false, limit: fileRowsMax, on: connection)
            let links = try ids.compactMap { try LinkStore.find($0, in: workspace, on: connection) }
            return (links, try PersonNames.load(members: links.compactMap(\.memberID), vault: vault, on: connection))
        }
        let head = ["linkId", "code", "url", "destination", "memberId", "member", "clicks", "clicksLogged", "createdAt", "expiresAt"]
        let lines = links.map { link -> [CSVCell] in
            [
                .text(link.id.text), .text(link.code), .text(link.url(baseURL: baseURL)), .text(link.destination), .text(link.memberID?.text ?? ""),
                .text(link.memberID.map { names.member($0, language) } ?? ""), .number(String(link.clicks)), .number(String(link.clicksLogged)),
                .text(link.createdAt.rfc3339), .text(link.expiresAt?.rfc3339 ?? ""),
            ]
        }
        return visit.csv(name: "links.csv", [head.map { .text($0) }] + lines)
    }

    private static func show(_ visit: PageVisit) async throws -> Response {
        // Clicks that are on disk but not applied yet are counted as well.
        try await visit.installation.applyClicks()
        let link = try await find(visit)
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let (yield, names, program, isShared, welcome) = try await visit.installation.main.read { connection in
            (
                try LinkPageStore.yield(of: link, on: connection),
                try PersonNames.load(members: [link.memberID].compactMap { $0 }, vault: vault, on: connection),
                try ProgramStore.name(of: link.programID, in: workspace, on: connection) ?? "",
                try !FriendPageStore.shared([link.programID], on: connection).isEmpty,
                try Welcome.find(link.programID, in: workspace, sharedBy: link.memberID, on: connection)
            )
        }
        let (clicks, variants) = try await visit.installation.clicks.read { connection in
            (
                try ClickStore.of(link: link.id, limit: clicksShown, on: connection),
                try ClickStore.countsByVariant(of: link.id, on: connection)
            )
        }
        let model = LinkModel(
            link: link, yield: yield, clicks: clicks, variantClicks: variants, names: names, program: program, now: visit.now,
            baseURL: visit.installation.publicURL(of: visit.workspaceID), isShared: isShared, friendsCode: welcome?.code, language: visit.language)
        let notice = visit.query["made"] == nil ? nil : PageFrame.Notice(kind: "good", icon: "check", text: visit.language("link.made"))
        return try visit.page("link-show", title: link.code, current: "/links", isNarrow: true, notice: notice, model.page)
    }

    private static func find(_ visit: PageVisit) async throws -> Link {
        let id: LinkID = try visit.context.id()
        let workspace = visit.workspaceID
        let link = try await visit.installation.main.read { connection in try LinkStore.find(id, in: workspace, on: connection) }
        guard let link else { throw Problem.notFound() }
        return link
    }

    private static func picture(_ type: String, _ bytes: ByteBuffer) -> Response {
        Response(status: .ok, headers: [.contentType: type, .cacheControl: "private, max-age=3600"], body: ResponseBody(byteBuffer: bytes))
    }
}
