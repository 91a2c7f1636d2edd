import Persistence

/// People against the store of their keys: whoever lives has a key, whoever is erased has none.
enum KeyVerification {
    static func findings(_ workspace: WorkspaceID, main: any Database, keys: any Database) async throws -> [Verification.Found] {
        var findings: [Verification.Found] = []
        var after = ""
        while findings.count < Verification.findingsMax {
            let start = after
            let people = try await main.read { connection in
                try VerifyStore.people(workspace, after: start, limit: KeyStore.pageRows, on: connection)
            }
            guard let last = people.last else { break }
            after = last.id
            let present = try await present(people, keys)
            let suspects = people.filter { present.contains($0.keyID) == $0.isErased }
            if !suspects.isEmpty { findings += try await lookAgain(suspects, in: workspace, main: main, keys: keys) }
        }
        return findings
    }

    static func operators(main: any Database, keys: any Database) async throws -> [Verification.Found] {
        var findings: [Verification.Found] = []
        var after = ""
        while findings.count < Verification.findingsMax {
            let start = after
            let page = try await main.read { connection in try VerifyStore.operators(after: start, limit: KeyStore.pageRows, on: connection) }
            guard let last = page.last else { break }
            after = last.id
            let present = try await present(page, keys)
            findings += page.filter { !present.contains($0.keyID) }.map { found("personKeyMissing", "", $0.id) }
        }
        return findings
    }

    /// The two databases have no common snapshot, so somebody may have been erased between the two looks. Keys are made before people
    /// and destroyed after their erasure: a key that was missing before its person was seen alive, or is there after the person was
    /// seen wholly erased, is a fault.
    private static func lookAgain(
        _ suspects: [VerifyStore.Sealed], in workspace: WorkspaceID, main: any Database, keys: any Database
    ) async throws -> [Verification.Found] {
        let before = try await present(suspects, keys)
        let people = try await main.read { connection in try VerifyStore.people(suspects.map(\.id), on: connection) }
        let after = try await present(suspects, keys)
        return people.compactMap { person in
            if person.isErased { return after.contains(person.keyID) ? found("erasedPersonHasKey", workspace.text, person.id) : nil }
            return before.contains(person.keyID) ? nil : found("personKeyMissing", workspace.text, person.id)
        }
    }

    private static func present(_ people: [VerifyStore.Sealed], _ keys: any Database) async throws -> Set<PersonKeyID> {
        let ids = people.map(\.keyID)
        return try await keys.read { connection in try KeyStore.present(ids, on: connection) }
    }

    private static func found(_ kind: String, _ workspace: String, _ subject: String) -> Verification.Found {
        Verification.Found(
            kind: kind, workspace: workspace, subject: subject,
            detail: kind == "personKeyMissing" ? "has no key, so nothing that names them can be read" : "is erased, but the key is still there")
    }
}
