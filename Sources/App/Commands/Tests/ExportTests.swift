import Foundation
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
