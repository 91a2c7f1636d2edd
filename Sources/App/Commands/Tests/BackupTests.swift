import Persistence
import TestSupport
import Testing
import Web

@testable import App

@Suite struct BackupTests {
    @Test(arguments: Engine.allCases)
    func anErasedPersonStaysErasedInAnOlderBackup(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (anna, _) = try await app.someHistory()
            try await OtherPlace.with(app) { settings, folder in
                let keys = folder + "/keys"
                _ = try await Backup.make(app.installation, path: folder + "/first", keysPath: keys)
                guard let (person, workspace) = try await app.installation.person(named: anna) else { throw Refusal.unknown("person") }
                try await app.installation.erase(person: person, in: workspace, actor: .command)
                _ = try await Backup.make(app.installation, path: folder + "/second", keysPath: keys)

                let answer = try await Restore.run(settings, path: folder + "/first", keysPath: keys, replaces: false)
                #expect(answer["erasedAgain"] == 1)
                await #expect(throws: Problem.self) {
                    try await Restore.run(settings, path: folder + "/first", keysPath: keys, replaces: false)
                }
                let restored = try await Installation.open(settings, world: app.installation.world, logger: Commands.quiet)
                let names = try await restored.main.read { connection in
                    try PersonStore.fields(of: [person], PersonField.allCases, vault: restored.vault, on: connection)
                }
                #expect(names.isEmpty)
                let verification = try await Verification.run(main: restored.main, clicks: restored.clicks, keys: restored.keys)
                #expect(verification.findings.map(\.detail) == [])
                #expect(verification.workspaces.contains { $0.sales == 3 })
                await restored.close()
                _ = try await Restore.run(settings, path: folder + "/second", keysPath: keys, replaces: true)
            }
        }
    }

    @Test func aRestoreWantsTheSecretsFile() async throws {
        try await AppHarness.with(.sqlite) { app in
            try await OtherPlace.with(app) { settings, folder in
                _ = try await Backup.make(app.installation, path: folder + "/b", keysPath: folder + "/b.keys")
                var other = settings
                other.secretsFile = folder + "/nothing"
                let wanting = other
                await #expect(throws: Problem.self) {
                    try await Restore.run(wanting, path: folder + "/b", keysPath: folder + "/b.keys", replaces: false)
                }
            }
        }
    }
}
