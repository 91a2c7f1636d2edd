import Chronology
import Foundation
import Logging
import Persistence
import ServiceLifecycle
import Web

/// Looks whether a company shows its proof: in the host's DNS, else in a file on its web server.
struct DomainCheck: Sendable {
    static let fileBytesMax = 1_000
    static let fileTimeoutMs = 5_000
    /// Of each kind, as they are kept and shown.
    static let shownMax = 5
    static let shownLengthMax = 200

    let dns: DNSClient
    let outbound: Outbound

    func look(at domain: CompanyDomain) async -> DomainFinding {
        var finding = DomainFinding()
        async let address = dns.look(up: domain.host, .a)
        let record = await dns.look(up: domain.recordName, .txt)
        if record.texts.contains(domain.proof) {
            finding.proof = .record
        } else {
            finding.texts = Self.shown(record.texts)
            finding.record = record.failure ?? ""
        }
        let found = await address
        finding.names = Self.shown(found.names)
        finding.addresses = Self.shown(found.addresses)
        if finding.proof == .none { await lookAtFile(domain, &finding) }
        return finding
    }

    private func lookAtFile(_ domain: CompanyDomain, _ finding: inout DomainFinding) async {
        let answer = await outbound.send(
            Outbound.Request(
                method: "GET", url: "https://\(domain.host)\(CompanyDomain.filePath)", timeoutMs: Self.fileTimeoutMs, answerBytesMax: Self.fileBytesMax, cutsAnswer: true))
        switch answer {
        case .failed(let reason): finding.file = reason
        case .answered(let status, _, _) where status != 200: finding.file = "The answer was \(status)."
        case .answered(_, _, let body):
            if String(decoding: body, as: UTF8.self).split(whereSeparator: \.isWhitespace).contains(Substring(domain.proof)) {
                finding.proof = .file
            } else {
                finding.file = "The file does not hold the proof."
            }
        }
    }

    private static func shown(_ texts: [String]) -> [String] {
        texts.prefix(shownMax).map { text in String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value < 0x7F }.prefix(shownLengthMax))) }
    }
}

extension Installation {
    var dns: DNSClient { DNSClient(settings.dnsServers.compactMap { DNSClient.Server($0) }) }

    /// Looks at a host of a workspace now, and notes what was found.
    func checkDomain(_ host: String, in workspace: WorkspaceID, actor: Actor) async throws -> CompanyDomain {
        guard let domain = try await main.read({ connection in try DomainStore.find(host, in: workspace, on: connection) }) else { throw Refusal.unknown("domain") }
        let finding = await DomainCheck(dns: dns, outbound: outbound).look(at: domain)
        let noted = try await write(workspace, actor: actor) { write in try CompanyDomain.note(finding, of: host, in: write) }
        hosts.forget()
        // Links of whoever had the host before may stand elsewhere now.
        linkIndex.forgetAll()
        await hosts.refresh(at: world.now())
        return noted
    }
}

/// Looks at hosts again: often while they are waited for, then once a day.
struct DomainWorker: Service {
    static let pauseMs = 5_000
    static let lookMax = 10

    let installation: Installation

    func run() async throws {
        while !Task.isShuttingDownGracefully {
            do {
                try await lookAtDue()
            } catch {
                installation.logger.error("Hosts could not be looked at; they are tried again", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMs))
            if Task.isCancelled { return }
        }
    }

    func lookAtDue() async throws {
        let now = installation.world.now()
        let due = try await installation.main.read { connection in try DomainStore.due(at: now, limit: Self.lookMax, on: connection) }
        for domain in due where !Task.isShuttingDownGracefully {
            do {
                _ = try await installation.checkDomain(domain.host, in: domain.workspaceID, actor: .system("domains"))
            } catch let problem as Problem {
                // Somebody else has proved it meanwhile, or it is gone: looked at again tomorrow.
                installation.logger.info("A host was not noted", metadata: ["host": "\(domain.host)", "why": "\(problem.code)"])
                try await installation.writeAnywhere { connection in
                    try DomainStore.postpone(domain, to: try now.adding(milliseconds: CompanyDomain.dailyMs), on: connection)
                }
            }
        }
    }
}
