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
    /// Files that pages take in.
    let imports = ImportWorkshop()
    /// How far the work of this process is, for those who follow it.
    let board = ProgressBoard()
    let archive = RunArchive()
    let keysInFlight: KeysInFlight
    let callers: CallerDirectory
    let outbound: Outbound
    /// For webhooks alone: slow ones keep no payment waiting.
    let webhookOutbound: Outbound
    /// Whose hosts requests are made to.
    let hosts: HostDirectory
    let proxyWarning = Once()
    /// PostgreSQL: the rewriting of tables that somebody was erased from.
    let remains = ErasureRemains()
    /// Tries to sign in, by address.
    let signInTries = RateLimiter(limit: SignIn.limit)
    let joinTries = RateLimiter(limit: JoinDoor.limit)
    /// What is said against links, by address.
    let complaints = RateLimiter(limit: Complaint.limit)
    /// Questions of tills, by key.
    let tillQuestions = RateLimiter(limit: Findable.limit)
    let portalLetters = RateLimiter(limit: PortalSignIn.limit)
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
        keysInFlight = KeysInFlight(main.dialect == .postgres ? PostgresLocks(url: settings.database) : nil)
        gate = WriteGate(main, lanes: settings.lanes)
        clickLog = ClickLog(clicks)
        linkIndex = LinkIndex(main)
        vault = Vault(store: keys, secrets: secrets, world: world)
        classifier = ClickClassifier(try CrawlerPatterns(Embedded.files(.vendor)))
        addresses = ClickAddress(secrets: secrets)
        runs = RunWorkshop(owner: world.newID(RunKind.self).text)
        callers = CallerDirectory(main, world: world)
        outbound = Outbound(allowed: settings.egressAllow)
        webhookOutbound = Outbound(allowed: settings.egressAllow, concurrency: WebhookWorker.requestsMax)
        hosts = HostDirectory(main, logger: logger)
        mailServer = try settings.smtpURL.map { try MailServer($0) }
    }

    /// Opens the databases and brings their schema up to date. A restore sets `settles` to false and erases again by itself.
    static func open(
        _ settings: Settings, world: World = .real(), logger: Logger = Logger(label: "kith"), settles: Bool = true, lockWaitMs: Int = 0
    ) async throws -> Installation {
        let stores = try await Stores.open(settings, lockWaitMs: lockWaitMs)
        try await Schema.migrate(stores)
        let isNew = try await stores.main.read { connection in try KeyStore.someInUse(on: connection).isEmpty }
        let secrets = try Secrets.load(path: settings.secretsPath, mayMake: isNew)
        if Secrets.isOpenToOthers(path: settings.secretsPath) {
            logger.warning("Everybody on this machine may read the secrets file: chmod 600 \(settings.secretsPath)")
        }
        let installation = try Installation(
            settings: settings, world: world, main: world.storage(stores.main), clicks: stores.clicks, keys: stores.keys, secrets: secrets, logger: logger)
        do {
            if settles { try await installation.checkKeys() }
            try await installation.vault.refill()
            if settles {
                try await installation.finishErasures()
                try await installation.replayTombstones()
            }
            await installation.hosts.refresh(at: world.now())
            return installation
        } catch {
            await installation.close()
            throw error
        }
    }

    func close() async {
        await runs.close()
        await imports.close()
        await clickLog.flush()
        // What can't be given back now is swept later.
        try? await vault.giveBackSpares()
        await keysInFlight.close()
        await main.close()
        await clicks.close()
        await keys.close()
    }
}
