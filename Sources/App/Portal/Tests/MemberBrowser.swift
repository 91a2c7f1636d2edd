import Chronology
import Foundation
import HTTPTypes
import Persistence
import Testing
import Web

@testable import App

/// A member's browser, and the mailbox that goes with it.
struct MemberBrowser: Sendable {
    let app: AppHarness
    let page: PageVisitor

    init(_ app: AppHarness) {
        self.app = app
        page = PageVisitor(app)
    }

    /// Asks for a letter and opens its address.
    func signIn(_ email: String) async throws {
        let reply = try await enter(try await askForLink(email))
        guard reply.status == 303 else { throw Unexpected(description: "the letter's button answered \(reply.status): \(reply.text.prefix(300))") }
    }

    /// Asks for a letter; answers the newest link that was written to this address.
    func askForLink(_ email: String) async throws -> String {
        let known = Set(try await app.letters(to: email).compactMap(\.signInURL))
        let reply = try await page.submit("/portal/sign-in", from: "/portal/sign-in", ["email": email])
        guard reply.status == 200 else { throw Unexpected(description: "asking for a letter answered \(reply.status)") }
        guard let url = try await app.letters(to: email).compactMap(\.signInURL).first(where: { !known.contains($0) }) else { throw Unexpected(description: "no letter for \(email)") }
        return String(url.dropFirst(app.installation.baseURL.count))
    }

    /// The button behind the letter's address.
    func enter(_ path: String) async throws -> Reply {
        let token = path.split(separator: "=").last.map(String.init) ?? ""
        let shown = try await page.get(path)
        guard shown.status == 200 else { return shown }
        let csrf = try PageVisitor.field("csrfToken", in: shown.text)
        return try await page.post("/portal/enter", ["csrfToken": csrf, "token": token])
    }
}

extension MailContent {
    var signInURL: String? {
        switch self {
        case .memberSignIn(let url), .applicationApproved(_, let url): url
        default: nil
        }
    }
    var confirmationURL: String? { if case .joinConfirmation(_, let url) = self { url } else { nil } }
}

extension AppHarness {
    /// What was written to an address, the newest first. Letters of test workspaces go nowhere, and can be read here.
    func letters(to email: String) async throws -> [MailContent] {
        try await installation.main.read { [vault = installation.vault] connection in
            try MailStore.newest(limit: 200, on: connection).compactMap { mail in
                guard let letter = try MailStore.letter(mail, vault: vault, on: connection), letter.to == email else { return nil }
                return letter.content
            }
        }
    }
}
