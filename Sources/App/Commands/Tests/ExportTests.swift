import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

@Suite struct ExportTests {
    @Test(arguments: Engine.allCases)
    func anImportedExportGivesTheSameExport(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, customer) = try await app.someHistory()
            try await OtherPlace.with(app) { settings, folder in
                guard let (person, workspace) = try await app.installation.person(named: customer) else { throw Refusal.unknown("person") }
                let first = try await export(app.installation, app.workspace.twin, folder + "/first")
                let other = try await Installation.open(settings, world: app.installation.world, logger: Commands.quiet)
                let before = try await AppHarness.rowCounts(other.main)
                let rehearsed = try await WorkspaceImport(installation: other, folder: folder + "/first", isDryRun: true).run()
                #expect(try await AppHarness.rowCounts(other.main) == before)
                let imported = try await WorkspaceImport(installation: other, folder: folder + "/first").run()
                #expect(rehearsed["rows"] == imported["rows"])
                await #expect(throws: Problem.self) { try await WorkspaceImport(installation: other, folder: folder + "/first").run() }
                #expect(try await export(other, app.workspace.twin, folder + "/second") == first)
                let names = try await other.main.read { connection in
                    try PersonStore.fields(of: [person], [.email], vault: other.vault, on: connection)
                }
                #expect(names[person]?[.email] == "c1@buyers.test")
                let verification = try await Verification.run(main: other.main, clicks: other.clicks, keys: other.keys)
                #expect(verification.findings.map(\.detail) == [])
                // Erased afterwards: an export names nobody.
                try await other.erase(person: person, in: workspace, actor: .command)
                _ = try await export(other, app.workspace.twin, folder + "/third")
                for file in try FileManager.default.contentsOfDirectory(atPath: folder + "/third") {
                    let text = try String(contentsOfFile: "\(folder)/third/\(file)", encoding: .utf8)
                    #expect(!text.contains("c1@buyers.test") && !text.contains("\"C-1\""), "\(file)")
                }
                await other.close()
            }
        }
    }

    /// What reconciliation, looks, frames, mail domains and imports added is whole again elsewhere.
    @Test(arguments: Engine.allCases)
    func looksAndReconciliationsComeBack(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let sent = try await ReconciliationTests.Sent.make(in: app)
            try await sent.take(
                BankSamples.camt([
                    .init(reference: "N1", payments: [.init(endToEnd: sent.references[0])]), .init(reference: "N2", payments: [.init(endToEnd: "OTHER", name: "payee1")]),
                ]))
            let logo: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Array(repeating: 0, count: 60)
            try await app.put("/theme", ["accent": "#0a7d4f", "radius": 4])
            _ = try await app.api(.put, "/theme/logo", ["base64": .text(Data(logo).base64EncodedString())])
            try await app.put("/embedding", ["origins": ["https://www.shop.test"]])
            try await app.put("/mail-domain", ["senderAddress": "hello@shop.test"])
            var file = FileImport(
                installation: app.installation, workspace: app.workspace.twin, program: ProgramID(stored: sent.shop.program), kind: .members, path: "")
            file.text = "external_id,email\nimported-1,imported1@members.test\n"
            #expect(try await file.run(isDryRun: false)["created"] == 1)
            try await OtherPlace.with(app) { settings, folder in
                let places = [(app.workspace.twin, "twin"), (app.workspace.workspace, "live")]
                var firsts: [JSONValue] = []
                for (workspace, name) in places { firsts.append(try await export(app.installation, workspace, "\(folder)/\(name)")) }
                func rows(_ manifest: JSONValue, _ table: String) -> Int64 {
                    manifest["files"]?.elements.first { $0["name"] == .text("\(table).jsonl") }?["rows"]?.int64 ?? -1
                }
                for table in ["reconciliation", "reconciliation_entry", "reconciliation_evidence", "embedding"] { #expect(rows(firsts[0], table) > 0, "\(table)") }
                for table in ["theme", "mail_domain"] { #expect(rows(firsts[1], table) == 1, "\(table)") }
                let other = try await Installation.open(settings, world: app.installation.world, logger: Commands.quiet)
                for (_, name) in places { _ = try await WorkspaceImport(installation: other, folder: "\(folder)/\(name)").run() }
                for (place, first) in zip(places, firsts) {
                    #expect(try await export(other, place.0, "\(folder)/\(place.1)-again") == first, "\(place.1)")
                }
                let verification = try await Verification.run(main: other.main, clicks: other.clicks, keys: other.keys)
                #expect(verification.findings.map(\.detail) == [])
                await other.close()
            }
        }
    }

    /// A table that is added must be exported, or be known to belong to the installation.
    @Test func everyTableIsExportedOrExcluded() async throws {
        try await AppHarness.with(.sqlite) { app in
            let known = Set(ExportTable.all.map(\.name)).union(ExportTable.excluded)
            let tables = try await app.rowCounts().keys.filter { !$0.hasPrefix("schema_migration") && !known.contains($0) }
            #expect(tables.sorted() == [])
        }
    }

    private func export(_ installation: Installation, _ workspace: Workspace, _ folder: String) async throws -> JSONValue {
        try await WorkspaceExport(workspace: workspace, folder: folder, vault: installation.vault)
            .write(main: installation.main, clicks: installation.clicks)
    }
}
