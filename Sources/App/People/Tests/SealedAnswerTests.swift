import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Answers are kept for a day so that they can be given again; what they say of a person is sealed, and goes with the person.
@Suite struct SealedAnswerTests {
    private struct Kept { var answer: String; var person: String? }

    private func kept(_ app: AppHarness, _ key: String) async throws -> Kept? {
        guard let name = IdempotencyKey(key) else { return nil }
        let stored = IdempotencyRows.column(name, app.twinID, app.installation.vault)
        return try await app.installation.main.read { connection in
            try connection.row("SELECT answer, person_id FROM idempotency WHERE key = \(stored)").map {
                Kept(answer: try $0.get(at: 0), person: try $0.get(at: 1, as: String?.self))
            }
        }
    }

    @Test(arguments: Engine.allCases) func answersWithNamesAreSealed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let body: JSONValue = ["programId": .text(program), "email": "anna.sealed@members.test", "name": "Anna Sealed"]
            let first = try await app.post("/members", body, idempotencyKey: "make-anna")
            try await app.sale("inv-1", "c-1", 1_000, ["customerEmail": "buyer.sealed@buyers.test", "customerName": "Buyer Sealed"])
            let customer = try await app.get("/customers")["data"].list.first["id"].text
            let assign: JSONValue = ["programId": .text(program), "memberId": .text(first["id"].text), "reason": "Told us on the phone"]
            _ = try await app.api(.put, "/customers/\(customer)/assignment", assign, idempotencyKey: "assign").success("assign")
            _ = try await app.api(.patch, "/members/\(first["id"].text)", ["country": "DE"], idempotencyKey: "change").success("change")

            for key in ["make-anna", "assign", "change"] {
                let row = try await kept(app, key)
                #expect(row?.person != nil, "\(key)")
                for trace in ["sealed", "Sealed", "phone", "members.test", first["id"].text] {
                    #expect(row?.answer.contains(trace) == false, "\(key) holds \(trace)")
                }
            }
            // The same request gets the same answer.
            let again = try await app.api(.post, "/members", body, idempotencyKey: "make-anna")
            #expect(again.isReplayed && again.json == first)

            _ = try await app.api(.delete, "/members/\(first["id"].text)/person").success("erase")
            try await app.eraseCustomer(customer)
            for key in ["make-anna", "assign", "change"] {
                #expect(try await kept(app, key)?.answer == "", "\(key)")
            }
            let after = try await app.api(.post, "/members", body, idempotencyKey: "make-anna")
            #expect(after.isReplayed && after.status == 201)
            #expect(after.json == .object([]), "nothing of them is left to say")
        }
    }

    /// A process that dies between erasing a person and destroying their key leaves a key behind: the next start finishes.
    @Test(arguments: Engine.allCases) func theNextStartFinishesAnErasure(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (world, logger) = (app.installation.world, app.installation.logger)
            try await OtherPlace.with(app) { settings, _ in
                let first = try await Installation.open(settings, world: world, logger: logger)
                let vault = first.vault
                let made = try await first.writeAnywhere { connection in
                    try Workspace.create(
                        name: "Other", ownerEmail: "other@example.test", ownerPasswordHash: "none", world: world, vault: vault, on: connection)
                }
                // What `erase` does, up to the point where the process dies.
                let key = try await first.write(made.workspace.id, actor: .command) { write -> PersonKeyID in
                    let gone = try PersonStore.insert(in: write)
                    _ = try PersonStore.insert(in: write)
                    let key = try ErasureStore.erase(gone, at: write.world.now(), in: write)
                    try KeyStore.noteToDestroy(key, on: write.connection)
                    return key
                }
                let (before, keysBefore) = (try await tombstones(of: first), try await keys(of: first))
                #expect(!before.contains(key) && keysBefore.contains(key))
                await first.close()

                let next = try await Installation.open(settings, world: world, logger: logger)
                let (after, keysAfter) = (try await tombstones(of: next), try await keys(of: next))
                await next.close()
                #expect(after.subtracting(before) == [key])
                #expect(!keysAfter.contains(key))
            }
        }
    }

    private func tombstones(of installation: Installation) async throws -> Set<PersonKeyID> {
        try await installation.keys.read { connection in Set(try connection.rows("SELECT key_id FROM tombstone").map { try $0.get(at: 0) }) }
    }

    private func keys(of installation: Installation) async throws -> Set<PersonKeyID> {
        try await installation.keys.read { connection in Set(try connection.rows("SELECT id FROM person_key").map { try $0.get(at: 0) }) }
    }
}
