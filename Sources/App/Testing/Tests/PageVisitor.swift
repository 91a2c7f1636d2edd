import Foundation
import HTTPTypes
import Persistence
import Synchronization
import Testing
import Web

@testable import App

/// A person's browser, as far as forms and cookies go.
final class PageVisitor: Sendable {
    private let app: AppHarness
    private let cookies = Mutex<[String: String]>([:])
    private let agent: String
    /// Browsers send one; without it, problems are told as programs read them.
    private let accept: String?
    private let language: String?

    init(_ app: AppHarness, agent: String = Browser.chromeAgent, accept: String? = nil, language: String? = nil) {
        self.language = language
        self.app = app
        self.accept = accept
        self.agent = agent
    }

    func get(_ path: String) async throws -> Reply { keep(try await app.call(.get, path, headers: headers)) }

    /// Sends a form of a page: opens the page for its proof first.
    func submit(_ path: String, from page: String, _ fields: [String: String] = [:]) async throws -> Reply {
        let token = try Self.field("csrfToken", in: try await get(page).text)
        return try await post(path, fields.merging(["csrfToken": token]) { one, _ in one })
    }

    func post(_ path: String, _ fields: [String: String]) async throws -> Reply {
        var sent = headers
        sent[.contentType] = "application/x-www-form-urlencoded"
        let body = fields.map { "\(LocalPath.encoded($0.key))=\(LocalPath.encoded($0.value))" }.joined(separator: "&")
        return keep(try await app.call(.post, path, headers: sent, bytes: Array(body.utf8)))
    }

    /// Sends a form of a page with a file in it, as browsers do.
    func upload(_ path: String, from page: String, _ fields: [String: String], file: (name: String, text: String)) async throws -> Reply {
        let token = try Self.field("csrfToken", in: try await get(page).text)
        let boundary = "----kith-boundary"
        var body = ""
        for (name, value) in fields.merging(["csrfToken": token], uniquingKeysWith: { one, _ in one }) {
            body += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
        }
        body += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(file.name)\"; filename=\"file.csv\"\r\nContent-Type: text/csv\r\n\r\n\(file.text)\r\n--\(boundary)--\r\n"
        var sent = headers
        sent[.contentType] = "multipart/form-data; boundary=\(boundary)"
        return keep(try await app.call(.post, path, headers: sent, bytes: Array(body.utf8)))
    }

    /// The value of a cookie; nil when there is none.
    subscript(cookie: String) -> String? {
        get { cookies.withLock { $0["__Host-" + cookie] } }
        set { cookies.withLock { $0["__Host-" + cookie] = newValue } }
    }

    func forget(_ cookie: String) { cookies.withLock { $0["__Host-" + cookie] = nil } }

    /// The value of an input on a page.
    static func field(_ name: String, in page: String) throws -> String {
        guard let start = page.range(of: "name=\"\(name)\" value=\""), let end = page[start.upperBound...].firstIndex(of: "\"") else {
            throw Unexpected(description: "no field \(name) on this page: \(page.prefix(400))")
        }
        return String(page[start.upperBound..<end])
    }

    private var headers: HTTPFields {
        var fields: HTTPFields = [.userAgent: agent]
        if let accept { fields[.accept] = accept }
        if let language { fields[.acceptLanguage] = language }
        let text = cookies.withLock { $0.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ") }
        if !text.isEmpty { fields[.cookie] = text }
        return fields
    }

    private func keep(_ reply: Reply) -> Reply {
        cookies.withLock { cookies in
            for line in reply.headers[values: .setCookie] {
                let pair = line.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard pair.count == 2 else { continue }
                cookies[String(pair[0])] = line.contains("Max-Age=0") ? nil : String(pair[1])
            }
        }
        return reply
    }
}

/// Somebody of the team who can sign in.
struct TeamPerson: Sendable {
    static let password = "correct horse battery staple"

    var id: OperatorID
    var email: String

    static func make(_ name: String, _ role: Role, in app: AppHarness) async throws -> TeamPerson {
        let installation = app.installation
        let team = app.workspace.workspace.id
        let email = "\(name)@team.test"
        let hash = await installation.passwords.hash(password)
        let id = try await installation.writeAnywhere { connection in
            let (person, _) = try Operator.findOrCreate(
                email: email, name: name, passwordHash: hash, vault: installation.vault, world: installation.world, on: connection)
            try TeamStore.join(person.id, team, role: role, at: installation.world.now(), on: connection)
            return person.id
        }
        return TeamPerson(id: id, email: email)
    }

    /// Signs in with the password; answers what came.
    func signIn(_ browser: PageVisitor) async throws -> Reply {
        try await browser.submit("/sign-in", from: "/sign-in", ["email": email, "password": Self.password, "next": "/account"])
    }

    /// Signs in and looks at the test twin.
    func enter(_ app: AppHarness) async throws -> PageVisitor {
        let browser = PageVisitor(app)
        let reply = try await signIn(browser)
        guard reply.status == 303 else { throw Unexpected(description: "sign-in answered \(reply.status)") }
        _ = try await browser.submit("/workspace", from: "/account", ["workspaceId": app.twinID.text])
        return browser
    }
}
