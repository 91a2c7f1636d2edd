import Chronology
import Foundation
import HTTPTypes
import Persistence
import Synchronization
import Testing
import Web

@testable import App

extension PageVisitor {
    static let session = "kith_session"

    /// Signs in and answers what the server said.
    @discardableResult
    func signIn(_ email: String, _ password: String) async throws -> Reply {
        try await submit("/sign-in", from: "/sign-in", ["email": email, "password": password])
    }

    /// Whether the pages take it for signed in.
    func isSignedIn() async throws -> Bool { try await get("/audit").status == 200 }
}

extension AppHarness {
    static let ownerEmail = "owner@example.test"
    static let ownerPassword = "a password for tests"

    /// Gives the owner a password.
    func setOwnerPassword() async throws {
        let hash = await installation.passwords.hash(Self.ownerPassword) ?? ""
        let id = try await ownerID()
        try await installation.writeAnywhere { connection in try TeamStore.setPassword(id, hash, on: connection) }
    }

    func ownerID() async throws -> OperatorID {
        let hash = installation.vault.lookupHash(nil, "operator", Self.ownerEmail)
        guard let owner = try await installation.main.read({ connection in try TeamStore.find(emailHash: hash, on: connection) }) else {
            throw Unexpected(description: "no owner")
        }
        return owner.id
    }

    /// A page of the test twin, as its owner sees it.
    func page(_ path: String) async throws -> Reply {
        let token = SessionToken()
        let now = installation.world.now()
        let session = StoredSession(
            tokenHash: token.hash, operatorID: try await ownerID(), workspaceID: twinID, createdAt: now, seenAt: now, rotatedAt: now,
            expiresAt: try now.adding(milliseconds: SessionDoor.lifeMs))
        try await installation.writeAnywhere { connection in try SessionStore.insert(session, on: connection) }
        let browser = PageVisitor(self)
        browser[PageVisitor.session] = token.text
        return try await browser.get(path)
    }
}
