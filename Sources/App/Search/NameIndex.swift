import Foundation
import Persistence
import Web

/// Finds people by words of their names. A word of the question fits a word of a name that begins with it.
enum NameIndex {
    /// People who are opened to see whether they fit.
    static let candidatesMax = 1_000
    /// People who are brought into the index by one transaction.
    static let batchMax = 500
    /// Words of a name, or of a question, that count.
    static let wordsMax = 6
    /// Beginnings of a word that are kept, by their length. A longer question is narrowed down by reading the names.
    private static let lengths = [2, 3, 4, 6, 9]
    private static let hashBytes = 8

    struct Found: Sendable {
        /// The newest first.
        var people: [PersonID] = []
        /// More fitted than are opened.
        var isCut = false
    }

    static func find(_ text: String, in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> Found {
        let wanted = words(text)
        guard !wanted.isEmpty else { return Found() }
        var candidates: [PersonID] = []
        let hashes = hashes(of: wanted, workspace, vault)
        if !hashes.isEmpty { candidates = try NameIndexStore.people(hashes, limit: candidatesMax + 1, on: connection) }
        // Those of the last second are not in the index yet.
        let fresh = try NameIndexStore.waiting(in: workspace, limit: candidatesMax + 1, on: connection)
        let isCut = candidates.count > candidatesMax || fresh.count > candidatesMax
        let all = Set(candidates.prefix(candidatesMax) + fresh.prefix(candidatesMax)).sorted(by: >)
        let names = try shown(all, vault: vault, on: connection)
        return Found(
            people: all.filter { person in
                let known = names[person].map(words) ?? []
                return wanted.allSatisfy { word in known.contains { $0.hasPrefix(word) } }
            }, isCut: isCut)
    }

    /// Brings the newest of those who are not in the index into it; answers how many.
    static func fill(in write: Write) throws -> Int {
        let people = try NameIndexStore.waiting(in: write.workspace.id, limit: batchMax, on: write.connection)
        let names = try shown(people, vault: write.vault, on: write.connection)
        for person in people {
            let parts = Set((names[person].map(words) ?? []).flatMap(beginnings))
            try NameIndexStore.set(parts.map { hash($0, write.workspace.id, write.vault) }, of: person, on: write.connection)
        }
        return people.count
    }

    /// What people are called on pages: see `PersonNames`.
    private static func shown(_ people: [PersonID], vault: Vault, on connection: any Connection) throws -> [PersonID: String] {
        try PersonStore.fields(of: people, [.name, .email], vault: vault, on: connection).mapValues { known in
            known[.name] ?? known[.email].map { String($0.prefix { $0 != "@" }) } ?? ""
        }
    }

    /// The words of a text without case and accents: `Grün` is found as `grun`.
    static func words(_ text: String) -> [String] {
        let folded = text.decomposedStringWithCompatibilityMapping.unicodeScalars.filter { $0.properties.generalCategory != .nonspacingMark }
        let plain = String(String.UnicodeScalarView(folded)).lowercased()
        return Array(plain.split { !$0.isLetter && !$0.isNumber }.prefix(wordsMax).map(String.init))
    }

    /// The longest beginning of each word that the index has.
    static func hashes(of words: [String], _ workspace: WorkspaceID, _ vault: Vault) -> [[UInt8]] {
        words.compactMap { word in beginnings(word).max { $0.count < $1.count } }.map { hash($0, workspace, vault) }
    }

    private static func beginnings(_ word: String) -> [String] {
        // One sign of Chinese, Japanese or Korean says as much as a syllable.
        let isDense = word.unicodeScalars.first.map { $0.value >= 0x2E80 } ?? false
        let kept = (isDense ? [1] : []) + lengths
        return kept.filter { $0 <= word.count }.map { String(word.prefix($0)) }
    }

    private static func hash(_ beginning: String, _ workspace: WorkspaceID, _ vault: Vault) -> [UInt8] {
        Array(vault.lookupHash(workspace, "name", beginning).prefix(hashBytes))
    }
}

enum NameIndexStore {
    /// People who have all of these, the newest first.
    static func people(_ hashes: [[UInt8]], limit: Int, on connection: any Connection) throws -> [PersonID] {
        guard let first = hashes.first else { return [] }
        var sql: SQL = "SELECT n.person_id FROM name_part n WHERE n.hash = \(first)"
        for hash in hashes.dropFirst() {
            sql = "\(sql: sql) AND EXISTS (SELECT 1 FROM name_part o WHERE o.hash = \(hash) AND o.person_id = n.person_id)"
        }
        return try connection.rows("\(sql: sql) ORDER BY n.person_id DESC LIMIT \(limit)").map { try $0.get(at: 0) }
    }

    /// People whose name changed, or who are new, the newest first.
    static func waiting(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [PersonID] {
        try connection.rows(
            """
            SELECT id FROM person WHERE workspace_id = \(workspace) AND name_indexed = 0 AND erased_at IS NULL ORDER BY id DESC LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
    }

    /// Workspaces where somebody is not in the index.
    static func workspaces(limit: Int, on connection: any Connection) throws -> [WorkspaceID] {
        try connection.rows(
            """
            SELECT w.id FROM workspace w WHERE EXISTS (
                SELECT 1 FROM person p WHERE p.workspace_id = w.id AND p.name_indexed = 0 AND p.erased_at IS NULL) ORDER BY w.id LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
    }

    static func set(_ hashes: [[UInt8]], of person: PersonID, on connection: any Connection) throws {
        try connection.executeLater("DELETE FROM name_part WHERE person_id = \(person)")
        for hash in hashes { try connection.executeLater("INSERT INTO name_part (hash, person_id) VALUES (\(hash), \(person))") }
        try connection.executeLater("UPDATE person SET name_indexed = 1 WHERE id = \(person)")
    }

    /// The name is another, or there is none any more.
    static func markChanged(_ person: PersonID, on connection: any Connection) throws {
        try connection.executeLater("UPDATE person SET name_indexed = 0 WHERE id = \(person) AND name_indexed = 1")
    }

    static func forget(_ person: PersonID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM name_part WHERE person_id = \(person)")
    }

    static func members(_ people: [PersonID], on connection: any Connection) throws -> [MemberID] {
        try inParts(people) { part in
            try connection.rows("SELECT id FROM member WHERE person_id IN \(list: part)").map { try $0.get(at: 0) }
        }.sorted(by: >)
    }

    static func customers(_ people: [PersonID], on connection: any Connection) throws -> [CustomerID] {
        try inParts(people) { part in
            try connection.rows("SELECT id FROM customer WHERE person_id IN \(list: part)").map { try $0.get(at: 0) }
        }.sorted(by: >)
    }

    /// 500 ids at a time: both engines limit the parameters of a statement.
    private static func inParts<ID>(_ people: [PersonID], _ find: ([PersonID]) throws -> [ID]) rethrows -> [ID] {
        var all: [ID] = []
        var start = 0
        while start < people.count {
            all += try find(Array(people[start..<min(start + 500, people.count)]))
            start += 500
        }
        return all
    }
}
