import Chronology
import Persistence

/// Clicks of people who were erased: what leads to them is noted when the person is erased, and blanked here.
extension Installation {
    /// Clicks blanked in one transaction: redirects wait for it.
    static let clicksBlanked = 1_000
    /// Notes taken at a time.
    static let blankNotesMax = 500
    /// After this time everything is blanked once more: by then no server, and no page of a shop, can still have been writing a click of
    /// theirs that was on its way when they were erased.
    static let blankAgainMs: Int64 = 600_000

    /// Blanks what is noted. Answers how many clicks had something.
    @discardableResult
    func blankClicks() async throws -> Int {
        let now = world.now()
        let before = (try? now.adding(milliseconds: -Self.blankAgainMs)) ?? now
        var blanked = 0
        while true {
            let notes = try await main.read { connection in
                try ClickBlankStore.due(before: before, limit: Self.blankNotesMax, on: connection)
            }
            if notes.isEmpty { return blanked }
            var changed = 0
            for note in notes { changed += try await blank(note) }
            let readable: Set<String> = changed > 0 ? ["click"] : []
            try await writeAnywhere { connection in
                try ClickBlankStore.done(notes, before: before, on: connection)
                try RemainsStore.note(readable, on: connection)
            }
            blanked += changed
        }
    }

    private func blank(_ note: ClickBlankStore.Note) async throws -> Int {
        var changed = 0
        var after = ClickBlankStore.Position.start
        while let next = after.next {
            (after, changed) = try await clicks.write { [changed] connection in
                let step = try ClickBlankStore.blank(note, after: next, limit: Self.clicksBlanked, on: connection)
                return (step.position, changed + step.changed)
            }
        }
        return changed
    }
}

enum ClickBlankStore {
    enum Subject: String, Sendable {
        /// A link of theirs: what was asked for with it and from where are often the sharer's own words and pages.
        case link
        /// A browser of theirs, or a single click that they named: all that a browser said.
        case visitor
        case click
    }

    struct Note: Sendable {
        var workspaceID: WorkspaceID
        var kind: Subject
        var subject: String
        var erasedAt: Instant
    }

    /// How far the clicks of one subject are done.
    struct Position: Sendable {
        /// Nil: all are done.
        fileprivate(set) var next: Int64?

        static let start = Position(next: .min)
    }

    /// Notes all that leads from a person to clicks.
    static func note(_ person: PersonID, at now: Instant, in workspace: WorkspaceID, on connection: any Connection) throws {
        let members: SQL = "SELECT id FROM member WHERE person_id = \(person)"
        let customers: SQL = "SELECT id FROM customer WHERE person_id = \(person)"
        let subjects: [(Subject, SQL)] = [
            (.link, "SELECT id AS subject FROM link WHERE member_id IN (\(sql: members))"),
            (.visitor, "SELECT DISTINCT visitor_id AS subject FROM customer_visitor WHERE customer_id IN (\(sql: customers))"),
            (
                .click,
                """
                SELECT click_id AS subject FROM touch WHERE click_id IS NOT NULL AND customer_id IN (\(sql: customers))
                UNION SELECT click_id FROM lead WHERE click_id IS NOT NULL AND workspace_id = \(workspace) AND customer_id IN (\(sql: customers))
                """
            ),
        ]
        for (kind, subject) in subjects {
            try connection.execute(
                """
                INSERT INTO click_to_blank (workspace_id, kind, subject, erased_at, is_blanked)
                SELECT \(workspace), \(kind.rawValue), subject, CAST(\(now) AS BIGINT), 0 FROM (\(sql: subject)) found WHERE true
                ON CONFLICT (workspace_id, kind, subject) DO UPDATE SET erased_at = excluded.erased_at, is_blanked = 0
                """)
        }
    }

    /// What was never blanked, and what is to be blanked once more.
    static func due(before: Instant, limit: Int, on connection: any Connection) throws -> [Note] {
        try connection.rows(
            """
            SELECT workspace_id, kind, subject, erased_at FROM click_to_blank WHERE is_blanked = 0 OR erased_at <= \(before)
            ORDER BY erased_at, kind, subject LIMIT \(limit)
            """
        ).compactMap { row in
            guard let kind = Subject(rawValue: try row.get(at: 1)) else { return nil }
            return Note(workspaceID: try row.get(at: 0), kind: kind, subject: try row.get(at: 2), erasedAt: try row.get(at: 3))
        }
    }

    static func done(_ notes: [Note], before: Instant, on connection: any Connection) throws {
        for note in notes {
            let isLast = note.erasedAt <= before
            let place: SQL = """
                workspace_id = \(note.workspaceID) AND kind = \(note.kind.rawValue) AND subject = \(note.subject) AND erased_at = \(note.erasedAt)
                """
            try connection.execute(
                isLast ? "DELETE FROM click_to_blank WHERE \(sql: place)" : "UPDATE click_to_blank SET is_blanked = 1 WHERE \(sql: place)")
        }
    }

    /// Blanks the next clicks of a subject, which an index finds.
    static func blank(
        _ note: Note, after: Int64, limit: Int, on connection: any Connection
    ) throws -> (position: Position, changed: Int) {
        let isLink = note.kind == .link
        let blank: SQL = isLink ? "" : ", user_agent = NULL, address_hash = NULL, visitor_id = NULL"
        let said: SQL =
            isLink
            ? "(url IS NOT NULL OR referrer IS NOT NULL OR signals <> '{}')"
            : "(url IS NOT NULL OR referrer IS NOT NULL OR signals <> '{}' OR user_agent IS NOT NULL OR address_hash IS NOT NULL OR visitor_id IS NOT NULL)"
        let rows = try connection.rows(clicks(note, said, after: after, limit: limit))
        guard let last = rows.last else { return (Position(next: nil), 0) }
        let found: [Int64] = try rows.map { try $0.get(at: 0) }
        let changed = try connection.execute(
            "UPDATE click SET url = NULL, referrer = NULL, signals = '{}'\(sql: blank) WHERE sequence IN \(list: found) AND \(sql: said)")
        return (Position(next: rows.count < limit ? nil : try last.get(at: 1)), changed)
    }

    /// Sequences of clicks, and where each stands in the order of its index.
    static func clicks(_ note: Note, _ said: SQL, after: Int64, limit: Int) -> SQL {
        switch note.kind {
        case .link:
            "SELECT sequence, sequence AS place FROM click WHERE link_id = \(note.subject) AND sequence > \(after) ORDER BY sequence LIMIT \(limit)"
        case .visitor:
            // Several may have one time: what is blank already is passed over.
            """
            SELECT sequence, at AS place FROM click WHERE workspace_id = \(note.workspaceID) AND visitor_id = \(note.subject) AND at >= \(after)
            AND \(sql: said) ORDER BY at LIMIT \(limit)
            """
        case .click: "SELECT sequence, sequence AS place FROM click WHERE id = \(note.subject) AND sequence > \(after)"
        }
    }
}
