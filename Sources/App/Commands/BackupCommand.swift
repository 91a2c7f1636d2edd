import ArgumentParser
import Foundation
import Persistence
import Web

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write a copy of everything to FILE, and people's keys to FILE.keys; works while the server runs.",
        discussion: "The secrets file is in neither: keep a copy of it apart. See docs/operations.md.")

    @OptionGroup var options: DatabaseOptions
    @Argument(help: "Where to; replaced when it exists.") var file: String
    @Option(help: "Where the keys go (default: FILE.keys). Use one name for all backups, so that only their latest state is kept.")
    var keys: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await plainly {
            let arguments: JSONValue = ["file": .text(Commands.absolute(file)), "keys": .text(Commands.absolute(keys ?? file + ".keys"))]
            Commands.show(try await Commands.write("backup", arguments, options.settings()), json: json)
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in place; people who were erased since are erased in it again.")

    @OptionGroup var options: DatabaseOptions
    @Argument(help: "The backup.") var file: String
    @Option(help: "The keys (default: FILE.keys).") var keys: String?
    @Flag(help: "Replace the database that is there.") var force = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await plainly {
            Commands.show(
                try await Restore.run(
                    options.settings(), path: Commands.absolute(file), keysPath: Commands.absolute(keys ?? file + ".keys"), replaces: force),
                json: json)
        }
    }
}

extension Commands {
    /// A path that means the same in the server's folder.
    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}

extension CommandVerbs {
    static func backUp(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let path = reader.text("file", maximumLength: 4_096)
        let keys = reader.text("keys", maximumLength: 4_096)
        try reader.finish()
        return try await Backup.make(installation, path: path, keysPath: keys)
    }
}
