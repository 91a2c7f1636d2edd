import Chronology
import Hummingbird
import Persistence
import Web

/// Members who may be found by name where somebody buys face to face. Nobody is, unless they said so themselves.
struct Findable: Sendable {
    static let foundMax = 5
    /// Letters of one word of the question.
    static let lettersMin = 3
    static let nameLengthMax = 100
    /// Questions of one key; a till needs few, and nobody shall read the list of names through it.
    static let limit = RateLimit(requests: 60, periodSeconds: 60)
    /// People who are opened to see whether they fit.
    static let candidatesMax = 200

    struct Match: Sendable {
        var memberID: MemberID
        /// First name and initial.
        var name: String
        var code: String

        var json: JSONValue { ["memberId": .text(memberID.text), "name": .text(name), "code": .text(code)] }
    }

    struct Answer: Sendable {
        var matches: [Match] = []
        /// More fit; another word of the name tells them apart.
        var hasMore = false
    }

    /// Every choice is kept, with its time.
    static func set(_ isFindable: Bool, for member: Member, in write: Write) throws {
        guard try FindableStore.isFindable(member.id, on: write.connection) != isFindable else { return }
        if isFindable {
            guard member.status == .active else { throw Problem.conflict(code: "member_not_active", detail: "Only an active member can be found by name.") }
            try FindableStore.insert(member, at: write.now, on: write.connection)
        } else {
            try FindableStore.remove(member.id, on: write.connection)
        }
        try FindableStore.keepChoice(isFindable, of: member.id, at: write.now, on: write.connection)
        try write.audit(isFindable ? "member.findable" : "member.not_findable", subject: member.id.text)
    }

    /// Words of the question that are long enough to ask by.
    static func words(_ question: String) throws -> [String] {
        let words = NameIndex.words(question)
        guard words.contains(where: { $0.count >= lettersMin || isDense($0) }) else {
            throw Refusal.field("name", "Must have a word of at least \(lettersMin) letters.")
        }
        return words
    }

    static func find(
        _ words: [String], program: ProgramID?, in workspace: WorkspaceID, at now: Instant, vault: Vault, on connection: any Connection
    ) throws -> Answer {
        let people = try FindableStore.candidates(NameIndex.hashes(of: words, workspace, vault), in: workspace, limit: candidatesMax + 1, on: connection)
        let names = try PersonStore.fields(of: people.map(\.person), [.name], vault: vault, on: connection)
        var answer = Answer(hasMore: people.count > candidatesMax)
        for (person, id) in people.prefix(candidatesMax) {
            guard let name = names[person]?[.name] else { continue }
            let known = NameIndex.words(name)
            // Each word of the question begins another word of the name.
            guard words.allSatisfy({ word in known.contains { $0.hasPrefix(word) } }), let member = try MemberStore.find(id, in: workspace, on: connection),
                member.status == .active, let code = try FindableStore.code(of: id, program: program, at: now, in: workspace, on: connection)
            else { continue }
            guard answer.matches.count < foundMax else {
                answer.hasMore = true
                break
            }
            answer.matches.append(Match(memberID: id, name: Self.short(name), code: code))
        }
        return answer
    }

    /// `Amira König` is `Amira K.`: enough to ask the person in front of one.
    static func short(_ name: String) -> String {
        let words = name.split(whereSeparator: \.isWhitespace)
        guard words.count > 1, let first = words.first, let initial = words.last?.first else { return words.first.map(String.init) ?? "" }
        return "\(first) \(initial)."
    }

    /// One sign of Chinese, Japanese or Korean says as much as a syllable.
    private static func isDense(_ word: String) -> Bool { word.unicodeScalars.first.map { $0.value >= 0x2E80 } ?? false }

    static let schema = APISchema.object([
        .required("data", .array(.object([.required("memberId", .text), .required("name", .text), .required("code", .text)]))),
        .required("hasMore", .boolean),
    ])
}

enum FindableStore {
    static func isFindable(_ member: MemberID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM findable_member WHERE member_id = \(member)") != nil
    }

    static func insert(_ member: Member, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO findable_member (member_id, workspace_id, person_id, since)
            VALUES (\(member.id), \(member.workspaceID), \(member.personID), \(now)) ON CONFLICT (member_id) DO NOTHING
            """)
    }

    static func remove(_ member: MemberID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM findable_member WHERE member_id = \(member)")
    }

    static func keepChoice(_ isFindable: Bool, of member: MemberID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO findable_choice (member_id, chosen_at, is_findable) VALUES (\(member), \(now), \(isFindable))
            ON CONFLICT (member_id, chosen_at) DO UPDATE SET is_findable = excluded.is_findable
            """)
    }

    struct Choice: Sendable {
        var at: Instant
        var isFindable: Bool
    }

    /// What a member decided, the newest first.
    static func choices(of member: MemberID, limit: Int, on connection: any Connection) throws -> [Choice] {
        try connection.rows(
            "SELECT chosen_at, is_findable FROM findable_choice WHERE member_id = \(member) ORDER BY chosen_at DESC LIMIT \(limit)"
        ).map { Choice(at: try $0.get(at: 0), isFindable: try $0.get(at: 1)) }
    }

    /// Members who may be found, and who have words that begin like these, or are not in the index yet.
    static func candidates(
        _ hashes: [[UInt8]], in workspace: WorkspaceID, limit: Int, on connection: any Connection
    ) throws -> [(person: PersonID, member: MemberID)] {
        var found: [(person: PersonID, member: MemberID)] = []
        if let first = hashes.first {
            var sql: SQL = """
                SELECT f.person_id, f.member_id FROM findable_member f JOIN name_part n ON n.person_id = f.person_id AND n.hash = \(first)
                WHERE f.workspace_id = \(workspace)
                """
            for hash in hashes.dropFirst() {
                sql = "\(sql: sql) AND EXISTS (SELECT 1 FROM name_part o WHERE o.hash = \(hash) AND o.person_id = f.person_id)"
            }
            found = try connection.rows("\(sql: sql) ORDER BY f.member_id LIMIT \(limit)").map { (try $0.get(at: 0), try $0.get(at: 1)) }
        }
        let fresh = try connection.rows(
            """
            SELECT f.person_id, f.member_id FROM person p JOIN findable_member f ON f.person_id = p.id
            WHERE p.workspace_id = \(workspace) AND p.name_indexed = 0 AND p.erased_at IS NULL ORDER BY p.id DESC LIMIT \(limit)
            """
        ).map { (person: try $0.get(at: 0, as: PersonID.self), member: try $0.get(at: 1, as: MemberID.self)) }
        let known = Set(found.map(\.member))
        return found + fresh.filter { !known.contains($0.member) }
    }

    /// What a buyer would say: the oldest code of the member's own that is good now.
    static func code(
        of member: MemberID, program: ProgramID?, at now: Instant, in workspace: WorkspaceID, on connection: any Connection
    ) throws -> String? {
        var sql: SQL = """
            SELECT code FROM link WHERE member_id = \(member) AND workspace_id = \(workspace) AND archived_at IS NULL
            AND (expires_at IS NULL OR expires_at > \(now)) AND code_needs_referral = 0
            AND NOT EXISTS (SELECT 1 FROM invitation_link i WHERE i.link_id = link.id)
            AND NOT EXISTS (SELECT 1 FROM party p WHERE p.link_id = link.id)
            """
        if let program { sql = "\(sql: sql) AND program_id = \(program)" }
        return try connection.value("\(sql: sql) ORDER BY CASE kind WHEN 'friendCode' THEN 0 ELSE 1 END, id LIMIT 1")
    }
}

/// The till asks, the member decides.
enum FindableRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/members/search", id: "findMemberByName", "Find a member at a till by name, if they let themselves be found", tag: "Members",
            access: .right(.membersRead), parameters: [APIParameter("name", .text, isRequired: true), APIParameter("programId", .text)], answer: Findable.schema, failures: [422, 429]
        ) { request, _, caller in
            let words = try Findable.words(String((request.uri.queryParameters["name"].map(String.init) ?? "").prefix(Findable.nameLengthMax)))
            let program = try Query.id("programId", ProgramKind.self, in: request)
            let taken = installation.tillQuestions.take(caller.keyID)
            guard taken.isAllowed else { throw Problem.tooManyRequests(retryAfterSeconds: taken.retryAfterSeconds) }
            // Who asked, and what came of it, but not which name: the question is written down with the answer.
            let answer = try await installation.write(caller.workspaceID, actor: caller.actor, rights: caller.rights) { write in
                let answer = try Findable.find(
                    words, program: program, in: write.workspace.id, at: write.now, vault: write.vault, on: write.connection)
                try write.audit(
                    "member.search", subject: write.workspace.id.text,
                    JSONText(["found": .array(answer.matches.map { .text($0.memberID.text) }), "hasMore": .boolean(answer.hasMore)]))
                return answer
            }
            return ListAnswer.one(["data": .array(answer.matches.map(\.json)), "hasMore": .boolean(answer.hasMore)])
        }
    }
}
