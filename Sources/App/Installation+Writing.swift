import Chronology
import Hummingbird
import HTTPTypes
import NIOCore
import Persistence
import Web

extension Installation {
    /// Times a write may wait for fresh keys of the vault: an import of thousands of people empties the store several times.
    private static var keyAttemptsMax: Int { 50 }

    /// Runs verbs of one workspace through the write gate.
    func write<T: Sendable>(
        _ workspace: WorkspaceID, actor: Actor, rights: Set<Right> = Set(Right.allCases), _ body: @escaping @Sendable (Write) throws -> T
    ) async throws -> T {
        try await withKeys {
            try await self.gate.perform(workspace) { connection in
                try body(try self.makeWrite(workspace, actor, rights, connection))
            }
        }
    }

    /// Runs a write that belongs to no one workspace: sessions, workers, set-up.
    func writeAnywhere<T: Sendable>(_ body: @escaping @Sendable (any Connection) throws -> T) async throws -> T {
        try await withKeys { try await self.gate.perform(nil, body) }
    }

    /// Runs a verb and keeps its answer under the request's idempotency key: the same request again gets the same answer. A refusal
    /// leaves nothing behind but the key's row. What `prepare` changes, if it changes anything, is done for a new key only.
    func answer<Prepared: Sendable>(
        _ caller: Caller, endpoint: String, key: IdempotencyKey?, input: InputHash, preparationChanges: Bool,
        prepare: () async throws -> Prepared, _ body: @escaping @Sendable (Prepared, Write) throws -> Answer
    ) async throws -> Response {
        guard let key else {
            let prepared = try await prepare()
            do {
                return try await write(caller.workspaceID, actor: caller.actor, rights: caller.rights) { write in try body(prepared, write) }.stored.response(isReplayed: false)
            } catch {
                throw Refusal.of(error) ?? error
            }
        }
        let scope = "\(caller.workspaceID.text)\u{0}\(endpoint)\u{0}\(key.text)"
        guard try await keysInFlight.begin(scope) else { _ = try IdempotencyState.running.replay(for: input); throw Problem.internalError }
        let outcome: Result<(StoredAnswer, Bool), any Error>
        do {
            outcome = .success(
                try await answerOnce(
                    caller, KeyedRequest(endpoint: endpoint, key: key, input: input), preparationChanges: preparationChanges, prepare: prepare, body))
        } catch {
            outcome = .failure(error)
        }
        // Before the answer leaves: a retry that comes at once, to whatever process, finds the answer and not a running request.
        await keysInFlight.end(scope)
        let (answer, isReplayed) = try outcome.get()
        return try answer.shown(isReplayed: isReplayed)
    }

    private struct KeyedRequest: Sendable {
        var endpoint: String
        var key: IdempotencyKey
        var input: InputHash
    }

    /// The answer that stands under the key; made now when there is none. What `prepare` refuses is kept like what the verb refuses.
    private func answerOnce<Prepared: Sendable>(
        _ caller: Caller, _ request: KeyedRequest, preparationChanges: Bool, prepare: () async throws -> Prepared,
        _ body: @escaping @Sendable (Prepared, Write) throws -> Answer
    ) async throws -> (StoredAnswer, Bool) {
        let (workspace, actor, rights) = (caller.workspaceID, caller.actor, caller.rights)
        let known: @Sendable (any Connection) throws -> StoredAnswer? = { connection in
            try IdempotencyRows.find(workspace, request.endpoint, request.key, input: request.input, vault: self.vault, on: connection).replay(for: request.input)
        }
        if preparationChanges, let answer = try await main.read(known) { return (answer, true) }
        let prepared: Result<Prepared, Problem>
        do {
            prepared = .success(try await prepare())
        } catch {
            guard let problem = Refusal.of(error) else { throw error }
            prepared = .failure(problem)
        }
        return try await withKeys {
            try await self.gate.perform(workspace) { connection -> (StoredAnswer, Bool) in
                if let answer = try known(connection) { return (answer, true) }
                let write = try self.makeWrite(workspace, actor, rights, connection)
                let answer: Answer
                do {
                    answer = try connection.savepoint { try body(try prepared.get(), write) }
                } catch {
                    guard let problem = Refusal.of(error) else { throw error }
                    answer = Answer(refused: problem)
                }
                try IdempotencyRows.insert(
                    workspace, request.endpoint, request.key, input: request.input, answer, vault: self.vault, at: self.world.now(), on: connection)
                return (answer.stored, false)
            }
        }
    }

    private func makeWrite(_ id: WorkspaceID, _ actor: Actor, _ rights: Set<Right>, _ connection: any Connection) throws -> Write {
        guard let workspace = try WorkspaceStore.find(id, on: connection) else { throw Refusal.unknown("workspace") }
        return Write(
            connection: connection, workspace: workspace, now: workspace.now(world), actor: actor, world: world, vault: vault, rights: rights)
    }

    private func withKeys<T: Sendable>(_ attempt: () async throws -> T) async throws -> T {
        for _ in 0..<Self.keyAttemptsMax {
            do {
                let value = try await attempt()
                try await vault.refillWhenLow()
                return value
            } catch is Vault.OutOfKeys {
                try await vault.refill()
            } catch is WriteGate.Full {
                throw Problem.unavailable(code: "busy", detail: "Too many requests wait to be written. Try again.", retryAfterSeconds: 1)
            }
        }
        throw Problem.unavailable(detail: "No keys could be made for new people. Try again.", retryAfterSeconds: 1)
    }
}

extension StoredAnswer {
    /// The answer as it is sent. A refusal is thrown as the problem it was, so that it names the request it answers now.
    fileprivate func shown(isReplayed: Bool) throws -> Response {
        guard status >= 400 else { return response(isReplayed: isReplayed) }
        let json = try JSONValue.parse(body, maximumBytes: body.count)
        func text(_ value: JSONValue?) -> String { if case .text(let text)? = value { text } else { "" } }
        var errors: [FieldError] = []
        if case .array(let elements)? = json["errors"] {
            errors = elements.map { FieldError(field: text($0["field"]), message: text($0["message"])) }
        }
        throw Problem(
            status: .init(code: status), code: text(json["code"]), title: text(json["title"]), detail: text(json["detail"]), errors: errors,
            headers: isReplayed ? [.idempotencyReplayed: "true"] : [:])
    }
}

/// What an operation of the API answers.
struct Answer: Sendable {
    var status: Int
    var json: JSONValue
    /// Members of the answer that are shown once: blank when the answer is replayed.
    var secrets: Set<String> = []
    /// Whom the answer names: what is kept of it is sealed under their key.
    var person: PersonID?
    var contentType = "application/json"

    init(_ json: JSONValue, status: Int = 200, secrets: Set<String> = [], person: PersonID? = nil) {
        self.person = person
        self.json = json
        self.status = status
        self.secrets = secrets
    }

    /// A refusal that belongs to the key: the same request will be refused in the same words.
    init(refused problem: Problem) {
        status = problem.status.code
        contentType = "application/problem+json"
        json = [
            "type": .text("about:blank"), "title": .text(problem.title), "status": .integer(Int64(problem.status.code)),
            "detail": .text(problem.detail), "code": .text(problem.code),
            "errors": .array(problem.errors.map { ["field": .text($0.field), "message": .text($0.message)] }),
        ]
    }

    var stored: StoredAnswer { StoredAnswer(status: status, contentType: contentType, body: json.bytes) }

    var blanked: StoredAnswer {
        guard !secrets.isEmpty, case .object(let members) = json else { return stored }
        let blank = members.map { secrets.contains($0.name) ? JSONMember($0.name, .null) : $0 }
        return StoredAnswer(status: status, contentType: contentType, body: JSONValue.object(blank).bytes)
    }
}
