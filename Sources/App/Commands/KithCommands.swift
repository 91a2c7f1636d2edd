public import ArgumentParser
import Foundation
import Logging
import Persistence
import Web

/// The commands of the binary, in the order in which `kith --help` lists them.
public enum KithCommands {
    public static let all: [any ParsableCommand.Type] = [
        ServeCommand.self, SetupCommand.self, MigrateCommand.self, VerifyCommand.self, BackupCommand.self, RestoreCommand.self, ImportCommand.self, WatchFolderCommand.self, ReconcileCommand.self, ExportCommand.self, TeamCommand.self, DomainCommand.self, ThemeCommand.self, MailDomainCommand.self, DemoCommand.self, LedgerCommand.self, ErasePersonCommand.self,
        JobsCommand.self, InsightsCommand.self, RoutesCommand.self, MCPCommand.self, PlanCommand.self, RecomputeCommand.self, LaboratoryCommand.self, GenerateCommand.self, ExperimentCommand.self, LifetimeCommand.self,
    ]
}

/// The options that every command on a database has.
struct DatabaseOptions: ParsableArguments {
    @Option(help: "sqlite:PATH or postgres://… (default: KITH_DATABASE, or sqlite:kith.sqlite)")
    var database: String?

    func settings() throws -> Settings {
        // Databases, logs and backups hold people's data: what a command makes is its owner's alone.
        umask(0o077)
        var settings = try Settings.read()
        if let database { settings.database = database }
        return settings
    }
}

/// Says what failed as one plain sentence, on standard error, with exit status 1.
func plainly<T>(_ work: () async throws -> T) async throws -> T {
    do {
        return try await work()
    } catch {
        FileHandle.standardError.write(Data((CommandFailure.sentence(error) + "\n").utf8))
        throw ExitCode.failure
    }
}

enum CommandFailure {
    static func sentence(_ error: any Error) -> String {
        switch error {
        case let problem as Problem:
            problem.errors.isEmpty ? problem.detail : problem.errors.map { "\($0.field): \($0.message)" }.joined(separator: " ")
        case let failure as DatabaseFailure where failure.kind == .locked:
            "The database is in use: \(failure.message)."
        case let failure as DatabaseFailure: "The database refused: \(failure.message)."
        case let failure as JSONSyntaxError: failure.problem.detail
        case let failure as CocoaError:
            "\(failure.localizedDescription)" + (failure.filePath.map { " (\($0))" } ?? "")
        default: "\(error)"
        }
    }
}

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Start the server.")

    @OptionGroup var options: DatabaseOptions
    @Option(help: "Address to listen on.") var host: String?
    @Option(help: "Port to listen on; 0 picks one and prints it.") var port: Int?

    func run() async throws {
        try await plainly {
            var settings = try options.settings()
            if let host { settings.host = host }
            if let port {
                guard (0...65_535).contains(port) else { throw SettingFailure(name: "--port", allowed: "a whole number from 0 to 65535") }
                settings.port = port
            }
            settings.pickPort()
            var logger = Logger(label: "kith")
            logger.logLevel = Logger.Level(rawValue: settings.logLevel) ?? .info
            // A server that was killed a moment ago may still be going.
            let installation = try await Installation.open(settings, logger: logger, lockWaitMs: SQLiteDatabase.lockWaitMaxMs)
            if let warning = PlainAddress.warning(settings) { logger.warning("\(warning)") }
            try await Server.run(installation) { address in
                print("Kith listens on \(address)")
                fflush(nil)
            }
        }
    }
}

struct SetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Make the schema, a workspace with its test twin, and its owner.")

    @OptionGroup var options: DatabaseOptions
    @Option(help: "The workspace's name.") var workspace: String
    @Option(help: "The owner's mail address.") var email: String
    @Option(help: "The owner's name.") var name: String?
    @Flag(help: "Print the keys of the test twin, which has a clock of its own and in which nothing is paid or mailed.") var test = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await plainly {
            let answer = try await Commands.write(
                "setup",
                ["workspace": .text(workspace), "email": .text(email), "ownerName": name.map { .text($0) } ?? .null, "test": .boolean(test)],
                options.settings())
            Commands.show(answer, json: json)
        }
    }
}

enum Commands {
    /// Runs a writing command in this process, or by the server that has the SQLite file open.
    static func write(_ name: String, _ arguments: JSONValue, _ settings: Settings) async throws -> JSONValue {
        if let path = settings.sqlitePath, !startingVerbs.contains(name), !FileManager.default.fileExists(atPath: path) {
            throw Problem.conflict(code: "no_database", detail: "There is no database at \(path). Name the right one, or make it with kith setup.")
        }
        do {
            return try await run(name, arguments, settings, lockWaitMs: 0)
        } catch let failure as DatabaseFailure where failure.kind == .locked {
            do {
                return try await CommandClient.send(name, arguments, socket: settings.socketPath)
            } catch is CommandClient.NobodyAnswers {
                // Who has the file may be on the way out.
                return try await runWhenFree(name, arguments, settings)
            }
        }
    }

    private static func runWhenFree(_ name: String, _ arguments: JSONValue, _ settings: Settings) async throws -> JSONValue {
        do {
            return try await run(name, arguments, settings, lockWaitMs: SQLiteDatabase.lockWaitMaxMs)
        } catch let failure as DatabaseFailure where failure.kind == .locked {
            throw Problem.unavailable(
                detail: "Another Kith has this database open and does not answer on the socket \(settings.socketPath). Stop it, or set KITH_SOCKET.",
                retryAfterSeconds: 1)
        }
    }

    private static func run(_ name: String, _ arguments: JSONValue, _ settings: Settings, lockWaitMs: Int) async throws -> JSONValue {
        let installation = try await Installation.open(settings, logger: quiet, lockWaitMs: lockWaitMs)
        do {
            let answer = try await CommandVerbs.run(name, arguments, installation)
            await installation.close()
            return answer
        } catch {
            await installation.close()
            throw error
        }
    }

    /// What may begin where nothing is yet.
    private static let startingVerbs: Set<String> = ["setup", "import"]

    /// Opens the stores for reading only, beside a running server or without one.
    static func read<T>(_ settings: Settings, _ body: (ReadingStores) async throws -> T) async throws -> T {
        let stores = try await Stores.open(settings, readOnly: true)
        do {
            guard try await Schema.pending(stores).isEmpty, try await !KeyMove.isNeeded(stores.main) else {
                throw Problem.conflict(code: "schema_pending", detail: "The database is older than this program. Run kith migrate first.")
            }
            let secrets = try Secrets.load(path: settings.secretsPath, mayMake: false)
            let value = try await body(
                ReadingStores(
                    main: stores.main, clicks: stores.clicks, keys: stores.keys, vault: Vault(store: stores.keys, secrets: secrets, world: .real())))
            await stores.close()
            return value
        } catch {
            await stores.close()
            throw error
        }
    }

    static func show(_ answer: JSONValue, json: Bool) {
        guard !json, case .object(let members) = answer else {
            print(String(decoding: answer.bytes, as: UTF8.self))
            return
        }
        for member in members {
            let text: String = if case .text(let text) = member.value { text } else { String(decoding: member.value.bytes, as: UTF8.self) }
            print("\(member.name): \(text)")
        }
    }

    static var quiet: Logger {
        var logger = Logger(label: "kith")
        logger.logLevel = .error
        return logger
    }
}

/// What a command that changes nothing works with.
struct ReadingStores: Sendable {
    var main: any Database
    var clicks: any Database
    var keys: any Database
    var vault: Vault
}
