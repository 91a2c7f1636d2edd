import Chronology
import Foundation
import Persistence
import Synchronization
import TestSupport
import Testing
import Web

@testable import App

/// What is dropped is taken in once, whatever happens, and what is wrong is said beside it.
@Suite struct WatchedFolderTests {
    private static let header = "invoice_id,customer_external_id,amount,currency,occurred_at,code\n"

    private static func with(
        _ engine: Engine, _ body: @Sendable (AppHarness, URL, @escaping @Sendable (String) async throws -> JSONValue) async throws -> Void
    ) async throws {
        try await AppHarness.with(engine) { app in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-drop-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "ANNA")
            let workspace = app.twinID.text
            try await body(app, folder) { path in
                try await CommandVerbs.run(
                    "import-file",
                    ["workspace": .text(workspace), "test": false, "path": .text(path), "kind": "sales", "program": .text(program), "dryRun": false], app.installation)
            }
        }
    }

    private static func drop(_ name: String, _ text: String, in folder: URL) throws { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
    private static func names(_ place: String, in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(place).path).sorted()
    }
    private static func later() throws -> Instant { try World.real().now().adding(milliseconds: 60_000) }

    @Test(arguments: Engine.allCases) func filesAreTakenInOnceAndMistakesAreSaid(_ engine: Engine) async throws {
        try await Self.with(engine) { app, folder, takeIn in
            let watched = try WatchedFolder(folder, takeIn: takeIn)
            let good = Self.header + "W1,C1,1000,EUR,2025-12-30,ANNA\nW2,C2,500,EUR,2025-12-31,\n"
            try Self.drop("a.csv", good, in: folder)
            try Self.drop("b.CSV", Self.header + "W3,C3,1.5,EUR,2025-12-30,ANNA\n", in: folder)
            try Self.drop("notes.txt", "no sales", in: folder)
            try Self.drop(".hidden.csv", good, in: folder)
            #expect(try await watched.look(at: World.real().now()).isEmpty, "what is just being written is left alone")
            #expect(try await watched.look(at: Self.later()).map(\.outcome) == [.done, .refused])
            #expect(try Self.names("working", in: folder).isEmpty)
            let refused = try Self.names("refused", in: folder)
            #expect(refused.count == 2 && refused.contains { $0.hasSuffix("-b.CSV") })
            let errors = try #require(refused.first { $0.hasSuffix(".errors.txt") })
            let said = try String(contentsOf: folder.appendingPathComponent("refused/\(errors)"), encoding: .utf8)
            #expect(said.contains("line 2, amount:"), "\(said)")
            #expect(try await app.get("/sales")["data"].list.count == 2)
            // The same bytes under another name are the same file.
            try Self.drop("again.csv", good, in: folder)
            #expect(try await watched.look(at: Self.later()).map(\.outcome) == [.doneBefore])
            // The mended file counts.
            try Self.drop("b.CSV", Self.header + "W3,C3,150,EUR,2025-12-30,ANNA\n", in: folder)
            #expect(try await watched.look(at: Self.later()).map(\.outcome) == [.done])
            #expect(try await app.get("/sales")["data"].list.count == 3)
            #expect(try await app.get("/commissions")["data"].list.count == 2)
            #expect(try await watched.look(at: Self.later()).isEmpty)
        }
    }

    /// Its process dies before, while or after a file is written to the books.
    @Test(arguments: Engine.allCases, [false, true]) func whatWasInterruptedIsDoneOnce(_ engine: Engine, _ wasWritten: Bool) async throws {
        struct Interrupted: Error {}
        try await Self.with(engine) { app, folder, takeIn in
            try Self.drop("a.csv", Self.header + "W1,C1,1000,EUR,2025-12-30,ANNA\n", in: folder)
            let dying = try WatchedFolder(folder) { path in
                if wasWritten { _ = try await takeIn(path) }
                throw Interrupted()
            }
            #expect(try await dying.look(at: Self.later()).map(\.outcome) == [.waits])
            #expect(try Self.names("working", in: folder) == ["a.csv"])
            // A new file of the same name meanwhile replaces nothing.
            try Self.drop("a.csv", Self.header + "W2,C1,700,EUR,2025-12-30,ANNA\n", in: folder)
            let watched = try WatchedFolder(folder, takeIn: takeIn)
            #expect(try await watched.look(at: Self.later()).map(\.outcome) == [.done])
            #expect(try await watched.look(at: Self.later()).map(\.outcome) == [.done])
            #expect(try await app.get("/sales")["data"].list.map { $0["amount"].integer }.sorted { ($0 ?? 0) < ($1 ?? 0) } == [700, 1_000])
            #expect(try await app.get("/commissions")["data"].list.count == 2)
            #expect(try Self.names("done", in: folder).count == 2)
        }
    }
}
