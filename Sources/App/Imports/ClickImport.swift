import Attribution
import Chronology
import Foundation
import Persistence
import Web

/// Clicks of a file go straight to the click file. Their ids follow from what they say, so that a file taken in twice counts once.
struct ClickImport {
    static let batchRows = 1_000
    /// Codes remembered while a file is read.
    static let codesMax = 100_000

    let file: FileImport

    func run(isDryRun: Bool) async throws -> FileImport.Summary {
        let checked = try await pass { _ in 0 }
        if checked.errorCount > 0 { return checked }
        let clicks = file.installation.clicks
        let begun = isDryRun ? nil : try await file.begin()
        var summary = try await pass { batch in
            if isDryRun {
                return try await clicks.read { connection in try ClickStore.unknown(batch, on: connection).count }
            }
            return try await clicks.write { connection in
                let fresh = try ClickStore.unknown(batch, on: connection)
                try ClickStore.append(fresh, on: connection)
                return fresh.count
            }
        }
        if !isDryRun {
            try await file.installation.applyClicks()
            summary.written = summary.errorCount == 0 ? .everything : summary.created > 0 ? .partly : .nothing
            // Clicks stand in a file of their own: what was written before is what is known now.
            if let begun {
                summary.writtenBefore = begun.writtenBefore.map { _ in Int64(summary.known) }
                try await file.end(begun.id, summary)
            }
        }
        return summary
    }

    /// Walks the file; `take` answers how many of a batch were new.
    private func pass(_ take: ([Click]) async throws -> Int) async throws -> FileImport.Summary {
        var summary = FileImport.Summary()
        var links: [String: Link] = [:]
        var batch: [(line: Int, click: NewClick)] = []
        let next = try file.rows(FileImport.Part(kind: .clicks))
        while true {
            let row = try next()
            if case .success(.click(let click))? = row?.row, let line = row?.line { batch.append((line, click)) }
            guard batch.count == Self.batchRows || (row == nil && !batch.isEmpty) else {
                if row == nil { return summary }
                continue
            }
            try await find(batch, &links)
            let clicks = clicks(batch, links, &summary)
            let created = summary.errorCount == 0 ? try await take(clicks) : 0
            summary.created += created
            summary.known += batch.count - created
            batch.removeAll(keepingCapacity: true)
            file.progress?.tell(.clicks, summary.rows)
        }
    }

    /// Looks up the links of codes that were not seen before.
    private func find(_ batch: [(line: Int, click: NewClick)], _ links: inout [String: Link]) async throws {
        if links.count > Self.codesMax { links.removeAll() }
        let (workspace, known) = (file.workspace.id, links)
        let wanted = Set(batch.compactMap { $0.click.code.flatMap(Normalised.code) }).filter { known[$0] == nil }
        guard !wanted.isEmpty else { return }
        let found = try await file.installation.main.read { connection in
            try wanted.compactMap { code in try LinkStore.find(code: code, in: workspace, on: connection).map { (code, $0) } }
        }
        for (code, link) in found { links[code] = link }
    }

    /// The clicks of a batch in their order of time, each once.
    private func clicks(
        _ batch: [(line: Int, click: NewClick)], _ links: [String: Link], _ summary: inout FileImport.Summary
    ) -> [Click] {
        var clicks: [ClickID: Click] = [:]
        let now = file.workspace.now(file.installation.world)
        for (line, input) in batch {
            summary.rows += 1
            guard let link = input.code.flatMap(Normalised.code).flatMap({ links[$0] }) else {
                summary.add([FileImport.RowError(line: line, column: "code", message: "Is not a code of this workspace.")])
                continue
            }
            let at = input.occurredAt ?? now
            guard at <= now else {
                summary.add([FileImport.RowError(line: line, column: "occurred_at", message: "Must not be in the future.")])
                continue
            }
            let click = click(input, link: link, at: at)
            clicks[click.id] = click
        }
        return clicks.values.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
    }

    private func click(_ input: NewClick, link: Link, at: Instant) -> Click {
        let hash = FactsHash.of([
            file.workspace.id.text, link.id.text, at.rfc3339, input.visitorID ?? "", input.ip ?? "", input.userAgent ?? "", input.referrer ?? "",
        ])
        let high = UInt16(hash[0]) << 8 | UInt16(hash[1])
        let low = hash[2..<10].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var discard: String?
        if let agent = input.userAgent {
            discard = file.installation.classifier.discard(
                ClickClassifier.Request(userAgent: agent), address: nil, link: link.id.text, at: at)
        }
        if link.isExpired(at: at) { discard = ClickClassifier.expiredLink }
        return Click(
            id: ClickID(stored: ClickKind.prefix + Base32.sortable(milliseconds: at.millisecondsSince1970, high: high, low: low)),
            workspaceID: file.workspace.id, programID: link.programID, linkID: link.id, memberID: link.memberID,
            kind: link.kind == .paid ? .paid : .link, visitorID: input.visitorID, at: at,
            addressHash: file.installation.addresses.hash(input.ip, workspace: file.workspace.id, at: at),
            userAgent: input.userAgent.map { String($0.prefix(300)) }, referrer: input.referrer.flatMap(Installation.withoutQuery),
            url: input.url.flatMap(Installation.withoutQuery), country: input.country, discard: discard,
            signals: Installation.signals(input.url.map(Installation.query) ?? [:]))
    }
}

extension ClickStore {
    /// Those that are not in the file yet.
    static func unknown(_ clicks: [Click], on connection: any Connection) throws -> [Click] {
        var known = Set<String>()
        var start = 0
        while start < clicks.count {
            let part = clicks[start..<min(start + 500, clicks.count)].map(\.id)
            start += 500
            for row in try connection.rows("SELECT id FROM click WHERE id IN \(list: part)") { known.insert(try row.get(at: 0)) }
        }
        return clicks.filter { !known.contains($0.id.text) }
    }
}
