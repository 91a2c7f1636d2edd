import Chronology
import Foundation
import Ledger
import Logging
import Persistence
import Web

/// One running Kith: everything it is made of, built from the settings and the world. The only place that wires.
final class Installation: Sendable {
    let settings: Settings
    let world: World
    let main: any Database
    let clicks: any Database
    let keys: any Database
    let gate: WriteGate
    let clickLog: ClickLog
    let linkIndex: LinkIndex
    let vault: Vault
    let secrets: Secrets
    let classifier: ClickClassifier
    let addresses: ClickAddress
    let passwords = PasswordWork()
    /// Long work on compensation runs, and computed runs kept for receipts.
    let runs: RunWorkshop
    let archive = RunArchive()
    let keysInFlight = KeysInFlight()
    let callers: CallerDirectory
    let outbound: Outbound
    /// Tries to sign in, by address.
    let signInTries = RateLimiter(limit: SignIn.limit)
    /// Nil when none is set: letters wait.
    let mailServer: MailServer?
    let logger: Logger

    private init(
        settings: Settings, world: World, main: any Database, clicks: any Database, keys: any Database, secrets: Secrets, logger: Logger
    ) throws {
        self.settings = settings
        self.world = world
        self.main = main
        self.clicks = clicks
        self.keys = keys
        self.secrets = secrets
        self.logger = logger
        gate = WriteGate(main, lanes: settings.lanes)
        clickLog = ClickLog(clicks)
        linkIndex = LinkIndex(main)
        vault = Vault(store: keys, secrets: secrets, world: world)
        classifier = ClickClassifier(try CrawlerPatterns(Embedded.files(.vendor)))
        addresses = ClickAddress(secrets: secrets)
        runs = RunWorkshop(owner: world.newID(RunKind.self).text)
        callers = CallerDirectory(main, world: world)
        outbound = Outbound(allowed: settings.egressAllow)
        mailServer = try settings.smtpURL.map { try MailServer($0) }
    }

    /// Opens the databases and brings their schema up to date.
    static func open(_ settings: Settings, world: World = .real(), logger: Logger = Logger(label: "kith")) async throws -> Installation {
        let stores = try await Stores.open(settings)
        try await Schema.migrate(stores)
        let secrets = try Secrets.load(path: settings.secretsPath, world: world)
        let installation = try Installation(
            settings: settings, world: world, main: stores.main, clicks: stores.clicks, keys: stores.keys, secrets: secrets, logger: logger)
        try await installation.vault.refill()
        try await installation.finishErasures()
        return installation
    }

    func close() async {
        await runs.close()
        await clickLog.flush()
        await main.close()
        await clicks.close()
        await keys.close()
    }
}

/// The three stores: the main database, the click file and the keys of the vault.
struct Stores: Sendable {
    var main: any Database
    var clicks: any Database
    var keys: any Database

    /// SQLite: three files side by side. PostgreSQL: three sets of tables in one database, with connections of their own.
    static func open(_ settings: Settings, readOnly: Bool = false) async throws -> Stores {
        if let path = settings.sqlitePath {
            let keys = try await SQLiteDatabase.open(path: path + ".keys", readOnly: readOnly)
            let clicks = try await SQLiteDatabase.open(path: path + ".clicks", readOnly: readOnly)
            let main = try await SQLiteDatabase.open(path: path, readOnly: readOnly, attached: path + ".keys")
            return Stores(main: main, clicks: clicks, keys: keys)
        }
        guard settings.database.hasPrefix("postgres://") || settings.database.hasPrefix("postgresql://") else {
            throw SettingFailure(name: "KITH_DATABASE", allowed: "sqlite:PATH or postgres://…")
        }
        let main = try await PostgresDatabase.open(url: settings.database, connections: settings.connections)
        let clicks = try await PostgresDatabase.open(url: settings.database, connections: max(2, settings.connections / 4))
        let keys = try await PostgresDatabase.open(url: settings.database, connections: 2)
        return Stores(main: main, clicks: clicks, keys: keys)
    }

    func close() async {
        await main.close()
        await clicks.close()
        await keys.close()
    }
}

/// The timelines of the schema, as they were put into the binary.
enum Schema {
    /// Brings every timeline up to date. Answers what was applied.
    @discardableResult
    static func migrate(_ stores: Stores) async throws -> [(timeline: String, migration: Migration)] {
        var applied: [(timeline: String, migration: Migration)] = []
        for (timeline, database, migrations) in timelines(stores) {
            applied += try await Migrator.migrate(database, timeline: timeline, migrations: migrations).map { (timeline, $0) }
        }
        return applied
    }

    /// What is not applied yet.
    static func pending(_ stores: Stores) async throws -> [(timeline: String, migration: Migration)] {
        var pending: [(timeline: String, migration: Migration)] = []
        for (timeline, database, migrations) in timelines(stores) {
            pending += try await Migrator.pending(database, timeline: timeline, migrations: migrations).map { (timeline, $0) }
        }
        return pending
    }

    private static func timelines(_ stores: Stores) -> [(String, any Database, [Migration])] {
        [
            ("keys", stores.keys, migrations(Embedded.files(.keySchema))), ("clicks", stores.clicks, migrations(Embedded.files(.clickSchema))),
            ("main", stores.main, migrations(Embedded.files(.schema))),
        ]
    }

    /// `0003-people.sql`, with `0003-people.postgres.sql` beside it where PostgreSQL needs other words.
    static func migrations(_ files: [EmbeddedFile]) -> [Migration] {
        let twins = Dictionary(
            files.filter { $0.name.hasSuffix(".postgres.sql") }.map { (String($0.name.dropLast(".postgres.sql".count)), $0.text) },
            uniquingKeysWith: { first, _ in first })
        return files.filter { !$0.name.hasSuffix(".postgres.sql") }.compactMap { file in
            let stem = String(file.name.dropLast(".sql".count))
            guard let number = Int(stem.prefix(4)) else { return nil }
            return Migration(number: number, name: String(stem.dropFirst(5)), text: file.text, postgresText: twins[stem])
        }.sorted { $0.number < $1.number }
    }
}
