import Chronology
import Logging
import Persistence
import ServiceLifecycle
import Web

/// Sends letters that are due, at least once: a letter whose sending is cut off goes again under the same Message-ID.
struct MailWorker: Service {
    /// Between two looks.
    static let pauseMs = 1_000
    /// Letters of one look.
    static let lookMax = 20

    let installation: Installation
    let writer: MailWriter

    init(installation: Installation, site: Site) {
        self.installation = installation
        writer = MailWriter(installation: installation, site: site)
    }

    func run() async throws {
        while !Task.isShuttingDownGracefully {
            do {
                try await sendDue()
                try await forgetOld()
            } catch {
                installation.logger.error("Letters could not be sent; they are tried again", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMs))
            if Task.isCancelled { return }
        }
    }

    /// Tries every letter that is due, once. Without a mail server they wait.
    func sendDue() async throws {
        guard let server = installation.mailServer else { return }
        let now = installation.world.now()
        let due = try await installation.main.read { connection in try MailStore.due(at: now, limit: Self.lookMax, on: connection) }
        for mail in due where !Task.isShuttingDownGracefully {
            // When the server is not there, the others need not find that out one by one.
            guard try await send(mail, by: server) else { return }
        }
    }

    /// Answers whether the server was there.
    private func send(_ mail: Mail, by server: MailServer) async throws -> Bool {
        let now = installation.world.now()
        let lease = try now.adding(milliseconds: Mail.leaseMs)
        guard try await installation.writeAnywhere({ connection in try MailStore.claim(mail, until: lease, on: connection) }) else { return true }
        // A process that died after its last try left the letter claimed.
        guard mail.tries < Mail.triesMax else {
            try await end(mail, .failed, because: mail.lastFailure ?? "It was not sent.")
            return true
        }
        guard let written = try await writer.write(mail) else {
            try await end(mail, .suppressed, because: "The person was erased.")
            return true
        }
        let bytes: [UInt8]
        do {
            bytes = try written.bytes()
        } catch {
            try await end(mail, .failed, because: "The header \(error.header) holds a control character.")
            return true
        }
        switch await server.send(bytes, from: written.senderAddress, to: written.to) {
        case .accepted:
            try await finish(mail) { [world = installation.world] connection in try MailStore.setSent(mail.id, at: world.now(), on: connection) }
        case .refused(let reason):
            try await end(mail, .failed, because: reason)
        case .again(let reason, let isReachable):
            let tries = mail.tries + 1
            if tries >= Mail.triesMax {
                try await end(mail, .failed, because: reason)
            } else {
                let due = try installation.world.now().adding(milliseconds: Mail.pauseMs(afterTries: tries))
                try await installation.writeAnywhere { connection in try MailStore.setAgain(mail.id, at: due, because: reason, on: connection) }
            }
            return isReachable
        }
        return true
    }

    private func end(_ mail: Mail, _ state: Mail.State, because reason: String) async throws {
        installation.logger.warning("A letter does not go out", metadata: ["mail": "\(mail.id)", "state": "\(state)", "reason": "\(reason)"])
        try await finish(mail) { connection in try MailStore.setEnded(mail.id, state, because: reason, on: connection) }
    }

    /// Ends a letter. Of one to a stranger nothing is left: what it said is gone with this transaction, and the key that sealed it after it, so
    /// that older states of the row in backups say nothing either. A process that dies between the two is made good by due work.
    private func finish(_ mail: Mail, _ body: @escaping @Sendable (any Connection) throws -> Void) async throws {
        let key = try await installation.writeAnywhere { [world = installation.world] connection -> PersonKeyID? in
            try body(connection)
            guard mail.kind.isForStranger else { return nil }
            return try MailStore.forgetStranger(mail, at: world.now(), on: connection)
        }
        if let key { try await installation.destroyKeys([key]) }
    }

    func forgetOld() async throws {
        let now = installation.world.now()
        let expired = try now.adding(milliseconds: -Mail.lifeMs)
        let forgotten = try now.adding(milliseconds: -Mail.keptMs)
        try await forgetInvited(now)
        guard try await installation.main.read({ connection in try MailStore.hasOld(expired, forgotten, on: connection) }) else { return }
        while !Task.isShuttingDownGracefully {
            let old = try await installation.main.read { connection in try MailStore.oldStrangers(before: expired, limit: Self.lookMax, on: connection) }
            if old.isEmpty { break }
            for mail in old { try await end(mail, .suppressed, because: "It waited too long.") }
        }
        try await installation.writeAnywhere { connection in
            try MailStore.expire(before: expired, on: connection)
            try MailStore.remove(before: forgotten, on: connection)
        }
    }

    /// Hashes of addresses that members wrote to are kept for as long as they keep a second letter back.
    private func forgetInvited(_ now: Instant) async throws {
        let before = try now.adding(milliseconds: -FriendInvitation.addressPauseMs)
        guard try await installation.main.read({ connection in try InvitationStore.hasInvited(before: before, on: connection) }) else { return }
        try await installation.writeAnywhere { connection in try InvitationStore.forgetInvited(before: before, on: connection) }
    }
}
