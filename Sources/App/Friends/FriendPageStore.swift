import Chronology
import Persistence
import Web

enum FriendPageStore {
    private static let columns = "is_shared, headline, lead, button, details, terms_url, privacy_url, imprint_url, invites, coupon_id"

    static func find(_ program: ProgramID, on connection: any Connection) throws -> FriendPage? {
        try connection.row("SELECT \(raw: columns) FROM friend_page WHERE program_id = \(program)").map { row in
            FriendPage(
                isShared: try row.get(at: 0), headline: try row.get(at: 1), lead: try row.get(at: 2), button: try row.get(at: 3),
                details: JSONText(text: try row.get(at: 4)).value.elements.compactMap(\.string), termsURL: try row.get(at: 5),
                privacyURL: try row.get(at: 6), imprintURL: try row.get(at: 7), invites: try row.get(at: 8), couponID: try row.get(at: 9))
        }
    }

    static func put(_ page: FriendPage, of program: ProgramID, in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws {
        let details = JSONText(.array(page.details.map { .text($0) })).text
        try connection.execute(
            """
            INSERT INTO friend_page (program_id, workspace_id, changed_at, \(raw: columns))
            VALUES (\(program), \(workspace), \(now), \(page.isShared), \(page.headline), \(page.lead), \(page.button), \(details), \(page.termsURL),
                    \(page.privacyURL), \(page.imprintURL), \(page.invites), \(page.couponID))
            ON CONFLICT (program_id) DO UPDATE SET is_shared = excluded.is_shared, headline = excluded.headline, lead = excluded.lead,
                button = excluded.button, details = excluded.details, terms_url = excluded.terms_url, privacy_url = excluded.privacy_url,
                imprint_url = excluded.imprint_url, invites = excluded.invites, coupon_id = excluded.coupon_id, changed_at = excluded.changed_at
            """)
    }

    /// Those of the programs whose members share the page.
    static func shared(_ programs: [ProgramID], on connection: any Connection) throws -> Set<ProgramID> {
        guard !programs.isEmpty else { return [] }
        return Set(
            try connection.rows("SELECT program_id FROM friend_page WHERE is_shared = 1 AND program_id IN \(list: programs)").map { try $0.get(at: 0) })
    }

    /// Those of the programs whose members may write to friends.
    static func inviting(_ programs: [ProgramID], on connection: any Connection) throws -> Set<ProgramID> {
        guard !programs.isEmpty else { return [] }
        return Set(
            try connection.rows("SELECT program_id FROM friend_page WHERE invites = 1 AND program_id IN \(list: programs)").map { try $0.get(at: 0) })
    }
}

enum RecommendationStore {
    static func find(_ member: Member, vault: Vault, on connection: any Connection) throws -> Recommendation? {
        guard let row = try connection.row("SELECT words_sealed, shows_name, hidden_at FROM recommendation WHERE member_id = \(member.id)") else { return nil }
        let sealed: [UInt8]? = try row.get(at: 0)
        let key = try PersonStore.key(of: member.personID, vault: vault, on: connection)
        let words = try sealed.flatMap { sealed in try key.map { String(decoding: try Vault.open(sealed, under: $0, for: place(member)), as: UTF8.self) } }
        return Recommendation(words: words, showsName: try row.get(at: 1), hiddenAt: try row.get(at: 2))
    }

    static func put(_ words: String?, showsName: Bool, hiddenAt: Instant?, of member: Member, in write: Write) throws {
        let key = try PersonStore.key(of: member.personID, vault: write.vault, on: write.connection)
        let sealed = try words.flatMap { words in try key.map { try Vault.seal(Array(words.utf8), under: $0, for: place(member)) } }
        try write.connection.execute(
            """
            INSERT INTO recommendation (member_id, words_sealed, shows_name, hidden_at, changed_at)
            VALUES (\(member.id), \(sealed), \(showsName), \(hiddenAt), \(write.now))
            ON CONFLICT (member_id) DO UPDATE SET words_sealed = excluded.words_sealed, shows_name = excluded.shows_name, hidden_at = excluded.hidden_at,
                changed_at = excluded.changed_at
            """)
    }

    static func hide(_ member: MemberID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE recommendation SET hidden_at = \(now) WHERE member_id = \(member) AND hidden_at IS NULL")
    }

    private static func place(_ member: Member) -> String { "\(member.id.text):recommendation" }
}
