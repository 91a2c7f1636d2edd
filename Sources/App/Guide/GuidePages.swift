import Chronology
import HTTPTypes
import Hummingbird
import Money
import NIOCore
import Persistence
import Web

/// From an empty workspace to the first real sale: what is done, what comes next, the lines with one's own keys, and a log that listens.
enum GuidePages {
    static let eventsMax = 8
    static let listened: [EventType] = [.linkClicked, .leadCreated, .saleCreated, .saleRefunded, .commissionCreated]

    static func add(to api: inout API, gate: PageGate) {
        api.page("/guide", .workspaceRead, gate) { visit in try await show(visit) }
        api.page("/guide/log", .workspaceRead, gate) { visit in try await log(visit) }
        api.form("/guide/keys", .keysWrite, gate) { visit, _ in try await makeKeys(visit) }
        api.form("/guide/test-sale", .trackWrite, gate) { visit, _ in try await sell(visit) }
        api.form("/guide/link", .linksWrite, gate) { visit, fields in try await makeLink(visit, fields) }
        api.form("/guide/start-empty", .workspaceOwn, gate) { visit, fields in try await startEmpty(visit, fields) }
    }

    private static let dones: Set<String> = ["program", "link", "sale", "keys", "empty"]

    // MARK: What it does

    /// The test workspace of where the person is.
    private static func twin(_ visit: PageVisit) async throws -> Workspace {
        let workspace = visit.session.workspace
        if workspace.isTest { return workspace }
        let found = try await visit.installation.main.read { connection in try WorkspaceStore.twin(of: workspace.id, on: connection) }
        guard let found else { throw Problem.notFound() }
        return found
    }

    private static func makeKeys(_ visit: PageVisit) async throws -> Response {
        let twin = try await twin(visit)
        let person = visit.session.operatorID
        let name = visit.language("guide.keyName")
        let secrets = visit.installation.secrets
        _ = try await stage(visit, twin)
        try await visit.installation.write(twin.id, actor: visit.session.actor, rights: visit.session.rights) { write in
            try GuideKey.make(name: name, for: person, secrets: secrets, in: write)
        }
        return visit.seeOther("/guide?done=keys#lines")
    }

    private static func sell(_ visit: PageVisit) async throws -> Response {
        let twin = try await twin(visit)
        guard let stage = try await stage(visit, twin) else { return visit.seeOther("/programs/new?next=guide") }
        let buyer = visit.language("guide.buyerName")
        _ = try await visit.installation.write(twin.id, actor: visit.session.actor, rights: visit.session.rights) { write in
            try TestTwin.sell(stage, buyerName: buyer, in: write)
        }
        return visit.seeOther("/guide?done=sale#log")
    }

    /// The program and link that test sales need; nil while there is no program anywhere.
    private static func stage(_ visit: PageVisit, _ twin: Workspace) async throws -> TestTwin.Stage? {
        let live = visit.session.workspace.teamID
        let pattern = try await visit.installation.main.read { connection in try TestTwin.Pattern.newest(of: live, at: visit.now, on: connection) }
        let name = visit.language("guide.sharerName")
        let isInTest = visit.session.workspace.isTest
        do {
            let stage = try await visit.installation.write(twin.id, actor: visit.session.actor, rights: visit.session.rights) { write in
                try TestTwin.prepare(pattern, follows: !isInTest, sharerName: name, in: write)
            }
            visit.installation.linkIndex.forgetAll()
            return stage
        } catch let problem as Problem where problem.code == "no_program" {
            return nil
        }
    }

    /// A first member and their link, so that there is something to give away.
    private static func makeLink(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = GuideModel.LinkTyped(name: fields["name"] ?? "", email: fields["email"] ?? "", destination: fields["destination"] ?? "")
        var errors: [String: String] = [:]
        if !typed.name.isName { errors["name"] = visit.language("guide.error.name") }
        let email = Normalised.email(typed.email)
        if email == nil { errors["email"] = visit.language("guide.error.email") }
        if typed.destination.isEmpty { errors["destination"] = visit.language("guide.error.destination") }
        guard errors.isEmpty, let email else { return try await show(visit, typed: typed, errors: errors) }
        do {
            let made = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write -> Link? in
                guard let program = try ProgramStore.list(in: write.workspace.id, at: write.now, after: nil, limit: ProgramPages.programsMax, on: write.connection).last
                else { return nil }
                return try Member.enrollWithLink(typed.name, email: email, program: program.id, destination: typed.destination, in: write)
            }
            guard made != nil else { return visit.seeOther("/programs/new?next=guide") }
            return visit.seeOther("/guide?done=link")
        } catch let problem as Problem where problem.status == .unprocessableContent {
            return try await show(visit, typed: typed, errors: ["destination": problem.errors.first?.message ?? problem.detail])
        }
    }

    /// A workspace of one's own with nothing in it, beside the demo.
    private static func startEmpty(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let name = fields["name"] ?? ""
        guard name.isName else {
            return try await show(visit, errors: ["workspace": visit.language("settings.error.name")])
        }
        let installation = visit.installation
        let person = visit.session.operatorID
        let hash = visit.session.tokenHash
        try await installation.writeAnywhere { connection in
            guard let email = try TeamStore.identity(of: person, vault: installation.vault, on: connection).email else { throw Problem.notFound() }
            let made = try Workspace.create(
                name: name, ownerEmail: email, ownerPasswordHash: "", world: installation.world, vault: installation.vault, on: connection)
            try SessionStore.setWorkspace(hash, made.workspace.id, on: connection)
        }
        return visit.seeOther("/guide?done=empty")
    }

    // MARK: The page

    private static func show(
        _ visit: PageVisit, typed: GuideModel.LinkTyped = GuideModel.LinkTyped(), errors: [String: String] = [:]
    ) async throws -> Response {
        let twin = try await twin(visit)
        let workspace = visit.workspaceID
        let live = visit.session.workspace.teamID
        let person = visit.session.operatorID
        let secrets = visit.installation.secrets
        try await visit.installation.applyClicks()
        let facts = try await visit.installation.main.read { connection in
            GuideFacts(
                here: try GuideStore.state(of: workspace, on: connection), live: try GuideStore.state(of: live, on: connection),
                twin: try GuideStore.state(of: twin.id, on: connection), stage: try TestTwin.find(in: twin.id, at: twin.now(visit.installation.world), on: connection),
                newest: try TestTwin.Pattern.newest(of: workspace, at: visit.now, on: connection), link: try firstLink(in: workspace, at: visit.now, on: connection),
                keys: try GuideKey.find(of: person, in: twin.id, secrets: secrets, on: connection), isDemo: try GuideStore.isDemo(live, on: connection))
        }
        let model = GuideModel(
            facts: facts, twin: twin, log: try await logModel(visit, twin), shows: visit.query["show"] == "snippet" ? .snippet : .api, typed: typed,
            errors: errors, session: visit.session, baseURL: visit.installation.baseURL, csrfToken: visit.csrfToken, language: visit.language)
        return try visit.page(
            "guide", title: visit.language("guide.title"), current: "/guide", notice: visit.done("guide", dones),
            status: errors.isEmpty ? .ok : .unprocessableContent, model.page)
    }

    private static func firstLink(in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws -> Link? {
        try TestTwin.find(in: workspace, at: now, on: connection)?.link
    }

    /// The log alone, for the script that asks for it every few seconds.
    private static func log(_ visit: PageVisit) async throws -> Response {
        let twin = try await twin(visit)
        let markup = try visit.site.render("guide-log", ["log": .object(try await logModel(visit, twin).page)], in: visit.language)
        return Response(
            status: .ok, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: markup)))
    }

    private static func logModel(_ visit: PageVisit, _ twin: Workspace) async throws -> GuideLog {
        try await visit.installation.applyClicks()
        let events = try await visit.installation.main.read { connection in
            try GuideStore.events(in: twin.id, types: listened, limit: eventsMax, on: connection)
        }
        return GuideLog(
            events: events, twin: twin, isHere: visit.session.workspace.id == twin.id, csrfToken: visit.csrfToken, language: visit.language)
    }
}

/// What the guide knows.
struct GuideFacts: Sendable {
    var here: GuideStore.State
    var live: GuideStore.State
    var twin: GuideStore.State
    var stage: TestTwin.Stage?
    var newest: TestTwin.Pattern?
    /// The first link of the newest program here.
    var link: Link?
    var keys: GuideKey.Pair?
    var isDemo: Bool
}
