import Crypto
import Foundation
import TestSupport
import Testing
import Web

@testable import App

@Suite struct SecretsTests {
    /// Whoever starts at the same time has the same master key: what one has sealed the other opens.
    @Test func firstStartsAtOnceMakeOneFile() async throws {
        for _ in 0..<200 {
            let folder = try Self.folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let path = folder + "/kith.secrets"
            let keys = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 { group.addTask { try Secrets.load(path: path).key("test").withUnsafeBytes { Array($0) } } }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(keys.count == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["kith.secrets"], "no draft is left")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    /// What is there and can't be a master key is told and left alone.
    @Test(arguments: ["", "\n", "c2hvcnQ=", "not base 64"]) func anotherFileIsRefused(_ text: String) throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/kith.secrets"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: SecretsFailure.self) { try Secrets.load(path: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(text.utf8))
    }

    @Test func aFolderInItsPlaceIsRefused() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: SecretsFailure.self) { try Secrets.load(path: folder) }
    }

    /// A database whose secrets were lost is told so. A new file in their place would look like the right one.
    @Test(arguments: Engine.allCases) func aLostFileIsNotMadeAnew(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await OtherPlace.with(app) { settings, folder in
                let first = try await Installation.open(settings, logger: Commands.quiet)
                let (vault, world) = (first.vault, first.world)
                _ = try await first.writeAnywhere { connection in
                    try Workspace.create(
                        name: "Shop", ownerEmail: "owner@shop.test", ownerPasswordHash: "none", world: world, vault: vault, on: connection)
                }
                await first.close()
                var lost = settings
                lost.secretsFile = folder + "/lost.secrets"
                let refused = await #expect(throws: Problem.self) { _ = try await Installation.open(lost, logger: Commands.quiet) }
                #expect(refused?.code == "secrets_missing")
                let reading = await #expect(throws: Problem.self) { try await Commands.read(lost) { _ in } }
                #expect(reading?.code == "secrets_missing")
                #expect(!FileManager.default.fileExists(atPath: lost.secretsPath))
                try await Installation.open(settings, logger: Commands.quiet).close()
            }
        }
    }

    private static func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-secrets-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }
}
