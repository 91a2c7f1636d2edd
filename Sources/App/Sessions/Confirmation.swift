import Chronology
import Hummingbird
import Persistence
import Web

/// Proving once more who one is, before a step that moves money or opens doors: the password, and the second factor once it is set.
enum Confirmation {
    /// How long a proof counts.
    static let freshMs: Int64 = 10 * 60_000

    static func add(to api: inout API, gate: PageGate) {
        api.page("/confirm", nil, gate) { visit in try page(visit, next: LocalPath.checked(visit.query["next"]), refused: nil, isOn: try await isOn(visit)) }
        api.form("/confirm", nil, gate) { visit, fields in try await take(visit, fields) }
    }

    private static func take(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let next = LocalPath.checked(fields["next"])
        let id = visit.session.operatorID
        let started = ContinuousClock.now
        let isOn = try await isOn(visit)
        let proof = OperatorProof(installation: visit.installation)
        var refused: String?
        if try await proof.password(fields.exact("password") ?? "", of: id) == nil {
            refused = "confirm.refused.password"
        } else if isOn {
            switch try await proof.code(fields["code"] ?? "", of: id) {
            case .accepted, .recovered: break
            case .refused: refused = "confirm.refused.code"
            case .locked: refused = "confirm.refused.locked"
            }
        }
        if let refused {
            try await Task.sleep(until: started + .milliseconds(SignIn.refusalMs))
            return try page(visit, next: next, refused: refused, isOn: isOn, status: .unprocessableContent)
        }
        let hash = visit.session.tokenHash
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
            try SessionStore.setConfirmed(hash, at: write.world.now(), on: write.connection)
            try write.audit("session.confirm", subject: id.text)
        }
        return visit.seeOther(next)
    }

    private static func isOn(_ visit: PageVisit) async throws -> Bool {
        let id = visit.session.operatorID
        return try await visit.installation.main.read { connection in try SecondFactorStore.find(id, on: connection)?.isOn == true }
    }

    private static func page(
        _ visit: PageVisit, next: String, refused: String?, isOn: Bool, status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let language = visit.language
        let minutes = ["minutes": language.integer(freshMs / 60_000), "lock": language.integer(SecondFactor.lockMs / 60_000)]
        return try visit.page(
            "confirm", title: language("confirm.title"), current: nil, isNarrow: true, status: status,
            [
                "csrfToken": .text(visit.session.csrf(visit.installation).text()), "next": .text(next), "asksCode": .flag(isOn),
                "lead": .text(language("confirm.lead", minutes)), "refused": PageValue(refused.map { language($0, minutes) }),
                "name": PageValue(visit.session.name),
            ])
    }
}

extension PageVisit {
    /// Whether the person proved a short while ago who they are.
    var isConfirmed: Bool {
        guard let at = session.confirmedAt else { return false }
        return installation.world.now().millisecondsClamped(since: at) < Confirmation.freshMs
    }

    /// The way through the proof and on to a page; nil when the proof is fresh.
    func confirmation(for next: String) -> Response? {
        isConfirmed ? nil : seeOther("/confirm?next=\(LocalPath.encoded(next))")
    }
}

extension API {
    /// A page that shows what only a fresh proof may open.
    mutating func confirmedPage(
        _ path: String, _ right: Right?, _ gate: PageGate, _ handler: @escaping @Sendable (PageVisit) async throws -> Response
    ) {
        page(path, right, gate) { visit in
            if let response = visit.confirmation(for: visit.request.uri.string) { return response }
            return try await handler(visit)
        }
    }

    /// A form that needs a fresh proof; without one, nothing is done and the person comes back to `next` after it.
    mutating func confirmedForm(
        _ path: String, _ right: Right?, _ gate: PageGate, next: @escaping @Sendable (PageVisit) -> String,
        _ handler: @escaping @Sendable (PageVisit, FormFields) async throws -> Response
    ) {
        form(path, right, gate) { visit, fields in
            if let response = visit.confirmation(for: next(visit)) { return response }
            return try await handler(visit, fields)
        }
    }
}

/// Checks what a person knows and has, and counts what was wrong.
struct OperatorProof: Sendable {
    let installation: Installation

    /// The person when the password is theirs and the account does not wait. The password is always reckoned.
    func password(_ password: String, of id: OperatorID) async throws -> Operator? {
        let found = try await installation.main.read { connection in try TeamStore.find(id, on: connection) }
        return try await self.password(password, of: found)
    }

    func password(_ password: String, of found: Operator?) async throws -> Operator? {
        let now = installation.world.now()
        let isRight = await installation.passwords.verify(password, against: found?.passwordHash)
        guard let found else { return nil }
        if let until = found.lockedUntil, until > now { return nil }
        if isRight {
            if found.failures > 0 {
                try await installation.writeAnywhere { connection in
                    try TeamStore.setFailures(found.id, 0, lockedUntil: nil, on: connection)
                }
            }
            return found
        }
        let lockedUntil = try now.adding(milliseconds: Operator.lockMs)
        try await installation.writeAnywhere { connection in
            try SessionStore.addFailure(found.id, max: Operator.failuresMax, lockedUntil: lockedUntil, on: connection)
        }
        return nil
    }

    func code(_ text: String, of id: OperatorID) async throws -> SecondFactor.Check {
        let vault = installation.vault
        let now = installation.world.now()
        return try await installation.writeAnywhere { connection in
            try SecondFactor.check(String(text.prefix(40)), of: id, vault: vault, at: now, on: connection)
        }
    }
}
