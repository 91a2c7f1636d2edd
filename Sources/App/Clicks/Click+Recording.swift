import Attribution
import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// A click that a program or snippet tells of.
struct NewClick: Sendable {
    var code: String?
    var url: String?
    var referrer: String?
    var userAgent: String?
    var ip: String?
    var occurredAt: Instant?
    var visitorID: String?
    var deviceID: String?
    var method: String?
    var script: Bool?
    var dwellMs: Int64?
    var programID: ProgramID?
    var country: String?
    var headers: [String: String]
    var metadata: [JSONMember]

    static func read(_ body: JSONReader) -> NewClick {
        NewClick(
            code: body.optionalText("code", maximumLength: Normalised.codeLengthMax), url: body.optionalText("url", maximumLength: 4_096),
            referrer: body.optionalText("referrer", maximumLength: 4_096, allowsEmpty: true),
            userAgent: body.optionalText("userAgent", maximumLength: 1_000, allowsEmpty: true), ip: body.optionalText("ip", maximumLength: 45),
            occurredAt: body.optionalCustom("occurredAt", Instant.read), visitorID: body.optionalText("visitorId", maximumLength: 200),
            deviceID: body.optionalText("deviceId", maximumLength: 200), method: body.optionalText("method", maximumLength: 10),
            script: body.optionalBoolean("script"), dwellMs: body.optionalInteger("dwellMs", in: 0...86_400_000),
            programID: body.optionalCustom("programId") { idReading($0, ProgramKind.self, "program") },
            country: body.optionalCustom("country", Country.read),
            headers: body.headerTexts(), metadata: body.metadata())
    }
}

extension NewClick {
    /// What a page may say: a key that anyone can read says nothing about addresses, agents or times; the connection and our clock do.
    func fromBrowser(at address: String?) -> NewClick {
        var click = self
        click.ip = address
        click.userAgent = nil
        click.occurredAt = nil
        return click
    }
}

/// A click that is on disk, and what to tell whoever sent it.
struct RecordedClick: Sendable {
    var click: Click
    var link: Link?

    func answer(in write: Write) throws -> Answer {
        var member: JSONValue = .null
        if let id = click.memberID, let found = try MemberStore.find(id, in: write.workspace.id, on: write.connection) {
            let names = try PersonStore.fields(of: [found.personID], [.name], vault: write.vault, on: write.connection)
            // Only the first name: a friend's page needs no more, and anyone may ask.
            let first = names[found.personID]?[.name].flatMap { $0.split(separator: " ").first.map(String.init) }
            member = ["id": .text(id.text), "firstName": first.map { .text($0) } ?? .null]
        }
        let program = try ProgramStore.find(click.programID, in: write.workspace.id, at: write.now, on: write.connection)
        return Answer(
            [
                "clickId": .text(click.id.text), "member": member,
                "offer": [
                    "programId": .text(click.programID.text), "program": program.map { .text($0.name) } ?? .null,
                    "code": link.map { .text($0.code) } ?? .null,
                ],
            ], status: 201)
    }
}

extension Installation {
    /// Parameters of paid advertisements in an address.
    private static var paidParameters: [String] { ["gclid", "gbraid", "wbraid", "msclkid", "fbclid", "ttclid", "li_fat_id", "twclid"] }
    private static var measureParameters: [String] { ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"] }

    /// Writes a click that was told of. It is on disk when this returns.
    func record(_ told: NewClick, caller: Caller, request: Request) async throws -> RecordedClick {
        let input = caller.isPublishable ? told.fromBrowser(at: caller.address) : told
        let (workspace, link, program) = try await main.read { connection -> (Workspace, Link?, ProgramID?) in
            guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { throw Refusal.unknown("workspace") }
            if let code = input.code {
                guard let folded = Normalised.code(code),
                    let link = try LinkStore.find(code: folded, in: workspace.id, on: connection)
                else { throw Refusal.field("code", "Is not a code of this workspace.", code: "unknown_code") }
                return (workspace, link, link.programID)
            }
            let programs = try ProgramStore.list(in: workspace.id, at: workspace.now(self.world), after: nil, limit: PageRequest.maximumLimit, on: connection)
            if let url = input.url, let link = try Self.link(in: url, programs: programs, workspace: workspace.id, on: connection) {
                return (workspace, link, link.programID)
            }
            if let wanted = input.programID {
                guard programs.contains(where: { $0.id == wanted }) else { throw Refusal.unknown("program", field: "programId") }
                return (workspace, nil, wanted)
            }
            return (workspace, nil, programs.count == 1 ? programs.first?.id : nil)
        }
        guard let program else { throw Refusal.field("code", "Is required, or a url that holds one, or a programId.") }
        let at = input.occurredAt ?? workspace.now(world)
        guard at.millisecondsClamped(since: workspace.now(world)) <= Sale.clockSkewMs else {
            throw Refusal.field("occurredAt", "Must not be in the future.", code: "click_in_future")
        }
        let address = addresses.hash(input.ip, workspace: workspace.id, at: at)
        let said = ClickClassifier.Request(
            // With a secret key the connection is a server's, and its agent says nothing of the visitor.
            method: input.method?.uppercased() ?? "GET", userAgent: caller.isPublishable ? request.headers[.userAgent] : input.userAgent,
            isAgentKnown: caller.isPublishable || input.userAgent != nil,
            secFetchDest: input.headers["sec-fetch-dest"], secFetchMode: input.headers["sec-fetch-mode"],
            secFetchSite: input.headers["sec-fetch-site"], secFetchUser: input.headers["sec-fetch-user"],
            purpose: input.headers["purpose"] ?? input.headers["sec-purpose"])
        var discard = classifier.discard(said, address: address, link: link?.id.text ?? program.text, at: at)
        if let link, link.isExpired(at: at) { discard = ClickClassifier.expiredLink }
        let query = input.url.map(Self.query) ?? [:]
        let isPaid = link?.kind == .paid || Self.paidParameters.contains { query[$0] != nil } && link == nil
        let click = Click(
            id: world.newID(), workspaceID: workspace.id, programID: program, linkID: link?.id, memberID: link?.memberID,
            kind: isPaid ? .paid : .link, visitorID: input.visitorID, at: at, addressHash: address,
            userAgent: said.userAgent.map { String($0.prefix(300)) }, referrer: input.referrer.flatMap(Self.withoutQuery),
            url: input.url.flatMap(Self.withoutQuery), country: input.country, variant: nil, discard: discard,
            signals: Self.signals(query, extra: input.metadata + [
                input.script.map { JSONMember("script", .boolean($0)) }, input.dwellMs.map { JSONMember("dwellMs", .integer($0)) },
                input.deviceID.map { JSONMember("deviceId", .text($0)) },
            ].compactMap { $0 }))
        try await clickLog.append(click)
        return RecordedClick(click: click, link: link)
    }

    /// The link that an address names: `/r/CODE`, or a parameter of the program's.
    private static func link(in url: String, programs: [Program], workspace: WorkspaceID, on connection: any Connection) throws -> Link? {
        let query = query(url)
        let names = Set(programs.flatMap(\.settings.linkParameters))
        for name in names.sorted() {
            if let code = query[name].flatMap(Normalised.code), let link = try LinkStore.find(code: code, in: workspace, on: connection) { return link }
        }
        let path = URLComponents(string: url)?.path ?? ""
        if let (place, code) = LinkPath.split(path), programs.contains(where: { $0.settings.linkPaths.contains(place) }),
            let link = try LinkStore.find(code: code, in: workspace, on: connection),
            programs.contains(where: { $0.id == link.programID && $0.settings.linkPaths.contains(place) })
        {
            return link
        }
        if let range = path.range(of: "/r/"), let code = Normalised.code(String(path[range.upperBound...].prefix { $0 != "/" })) {
            // The same code may lead elsewhere on a short domain of the company's.
            let host = URLComponents(string: url)?.host?.lowercased() ?? ""
            if !host.isEmpty, try LinkStore.hostBelongs(host, to: workspace, on: connection) {
                return try LinkStore.find(host: host, folded: code, on: connection)
            }
            return try LinkStore.find(code: code, in: workspace, on: connection)
        }
        return nil
    }

    static func query(_ url: String) -> [String: String] {
        Dictionary(
            (URLComponents(string: url)?.queryItems ?? []).prefix(100).compactMap { item in item.value.map { (item.name, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// Measurement parameters and the names of paid ones; nothing else of a query is kept, for it may name people.
    static func signals(_ query: [String: String], extra: [JSONMember] = []) -> JSONText {
        var members: [JSONMember] = []
        for name in measureParameters { if let value = query[name] { members.append(JSONMember(name, .text(String(value.prefix(200))))) } }
        for name in paidParameters where query[name] != nil { members.append(JSONMember(name, .boolean(true))) }
        return JSONText(.object(members + extra))
    }

    /// An address without its query and fragment.
    static func withoutQuery(_ url: String) -> String? {
        let head = url.prefix { $0 != "?" && $0 != "#" }
        return head.isEmpty ? nil : String(head.prefix(500))
    }
}
