import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// A person's own page: their password, their second factor, where they are signed in.
enum AccountPages {
    static func add(to api: inout API, gate: PageGate) {
        api.page("/account", nil, gate) { visit in try await show(visit) }
        api.form("/account/name", nil, gate) { visit, fields in try await setName(visit, fields) }
        api.confirmedForm("/account/password", nil, gate, next: { _ in "/account" }) { visit, fields in try await setPassword(visit, fields) }
        api.confirmedForm("/account/sessions/removal", nil, gate, next: { _ in "/account" }) { visit, _ in try await endOthers(visit) }
        api.confirmedForm("/account/second-factor", nil, gate, next: { _ in "/account" }) { visit, _ in
            let id = visit.session.operatorID
            return try await act(visit, then: "/account/second-factor") { write in try SecondFactor.begin(for: id, in: write) }
        }
        api.confirmedPage("/account/second-factor", nil, gate) { visit in try await setUp(visit, refused: nil) }
        api.confirmedForm("/account/second-factor/confirmation", nil, gate, next: { _ in "/account/second-factor" }) { visit, fields in
            try await turnOn(visit, fields)
        }
        api.confirmedForm("/account/second-factor/removal", nil, gate, next: { _ in "/account" }) { visit, _ in
            let id = visit.session.operatorID
            return try await act(visit, then: "/account?done=off") { write in try SecondFactor.turnOff(for: id, in: write) }
        }
        api.confirmedForm("/account/recovery-codes", nil, gate, next: { _ in "/account" }) { visit, _ in
            let id = visit.session.operatorID
            let codes = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write -> [String] in
                guard try SecondFactorStore.find(id, on: write.connection)?.isOn == true else { throw Problem.notFound() }
                return try SecondFactor.renewRecoveryCodes(for: id, in: write)
            }
            return try showCodes(codes, visit)
        }
    }

    // MARK: The page

    private static func show(
        _ visit: PageVisit, refused: String? = nil, name typed: String? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let id = visit.session.operatorID
        let vault = visit.installation.vault
        let hash = visit.session.tokenHash
        let now = visit.installation.world.now()
        let (identity, factor, left, others) = try await visit.installation.main.read { connection in
            (
                try TeamStore.identity(of: id, vault: vault, on: connection), try SecondFactorStore.find(id, on: connection),
                try SecondFactorStore.recoveryLeft(id, on: connection),
                try SessionStore.countOthers(than: hash, of: id, at: now, on: connection)
            )
        }
        let language = visit.language
        let isOn = factor?.isOn == true
        let length = ["count": language.integer(Int64(Password.lengthMin))]
        let done = visit.query["done"].flatMap { ["name", "password", "off", "sessions"].contains($0) ? $0 : nil }
        return try visit.page(
            "account", title: language("account.title"), current: nil, isNarrow: true,
            notice: done.map { PageFrame.Notice(kind: "good", icon: "check", text: language("account.done.\($0)")) }, status: status,
            [
                "csrfToken": .text(visit.session.csrf(visit.installation).text()), "email": .text(identity.email ?? ""),
                "name": PageValue(identity.name), "nameTyped": .text(typed ?? identity.name ?? ""),
                "nameRefused": PageValue(typed.map { _ in language("account.name.refused") }), "role": .text(language("role.\(visit.session.role.rawValue)")),
                "lead": language.sentence(isOn ? "account.lead.on" : "account.lead.off"), "isOn": .flag(isOn),
                "onSince": factor?.onSince.map { language.time($0) } ?? nil, "codesLeft": .text(language.plural("account.codesLeft", left)),
                "codesAreFew": .flag(isOn && left < 3), "others": .text(others > 0 ? language.plural("account.sessions.others", others) : language("account.sessions.here")),
                "hasOthers": .flag(others > 0), "passwordRefused": PageValue(refused.map { language($0, length) }),
                "passwordHelp": .text(language("account.password.help", length)), "lengthMin": .text(String(Password.lengthMin)),
                "username": .text(identity.email ?? ""),
            ])
    }

    // MARK: Name, password and sessions

    private static func setName(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let name = fields["name"] ?? ""
        guard name.isName else { return try await show(visit, name: name, status: .unprocessableContent) }
        let id = visit.session.operatorID
        return try await act(visit, then: "/account?done=name") { write in try Operator.setName(name, of: id, in: write) }
    }

    private static func setPassword(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let password = fields.exact("password") ?? ""
        guard password.unicodeScalars.count >= Password.lengthMin, password.utf8.count <= Password.lengthMax else {
            return try await show(visit, refused: "invitation.tooShort", status: .unprocessableContent)
        }
        guard let hash = await visit.installation.passwords.hash(password) else {
            throw Problem.unavailable(detail: "There is not enough memory to hash a password.", retryAfterSeconds: 5)
        }
        let id = visit.session.operatorID
        let session = visit.session.tokenHash
        return try await act(visit, then: "/account?done=password") { write in
            try TeamStore.setPassword(id, hash, on: write.connection)
            _ = try SessionStore.deleteOthers(than: session, of: id, on: write.connection)
            try write.audit("password.change", subject: id.text)
            try Mail.queue(.passwordChanged, to: .operator_(id), in: write)
        }
    }

    private static func endOthers(_ visit: PageVisit) async throws -> Response {
        let id = visit.session.operatorID
        let session = visit.session.tokenHash
        return try await act(visit, then: "/account?done=sessions") { write in
            let count = try SessionStore.deleteOthers(than: session, of: id, on: write.connection)
            if count > 0 { try write.audit("session.end_others", subject: id.text) }
        }
    }

    // MARK: Second factor

    private static func setUp(_ visit: PageVisit, refused: String?) async throws -> Response {
        let id = visit.session.operatorID
        let vault = visit.installation.vault
        let (identity, secret) = try await visit.installation.main.read { connection -> ((email: String?, name: String?), [UInt8]?) in
            let factor = try SecondFactorStore.find(id, on: connection)
            return (
                try TeamStore.identity(of: id, vault: vault, on: connection),
                factor?.isOn == false ? try factor?.secret(vault, on: connection) : nil
            )
        }
        guard let secret else { return visit.seeOther("/account") }
        let language = visit.language
        let address = TimedCode.address(secret: secret, issuer: "Kith \(visit.session.workspace.name)", account: identity.email ?? id.text)
        let text = TimedCode.base32(secret)
        let groups = stride(from: 0, to: text.count, by: 4).map { String(text.dropFirst($0).prefix(4)) }
        return try visit.page(
            "second-factor", title: language("secondFactor.title"), current: nil, isNarrow: true,
            status: refused == nil ? .ok : .unprocessableContent,
            [
                "csrfToken": .text(visit.session.csrf(visit.installation).text()), "address": .text(address),
                "qrHTML": .html(TrustedHTML(markup: try QRCode(address).svg)), "secret": .text(groups.joined(separator: " ")),
                "refused": PageValue(refused.map { language($0, ["lock": language.integer(SecondFactor.lockMs / 60_000)]) }),
            ])
    }

    private static func turnOn(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id = visit.session.operatorID
        switch try await OperatorProof(installation: visit.installation).code(fields["code"] ?? "", of: id) {
        case .accepted: break
        case .locked: return try await setUp(visit, refused: "confirm.refused.locked")
        case .refused, .recovered: return try await setUp(visit, refused: "confirm.refused.code")
        }
        let codes: [String]
        do {
            codes = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try SecondFactor.turnOn(for: id, in: write)
            }
        } catch let problem as Problem where problem.code == "second_factor_on" {
            return visit.seeOther("/account")
        }
        return try showCodes(codes, visit)
    }

    /// Shown once: what is stored is a hash.
    private static func showCodes(_ codes: [String], _ visit: PageVisit) throws -> Response {
        try visit.page(
            "recovery-codes", title: visit.language("recoveryCodes.title"), current: nil, isNarrow: true,
            ["codes": PageValue(codes), "copy": .text(codes.joined(separator: "\n"))])
    }

    private static func act(_ visit: PageVisit, then path: String, _ verb: @escaping @Sendable (Write) throws -> Void) async throws -> Response {
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, verb)
        } catch let problem as Problem where problem.code == "second_factor_on" {
            return visit.seeOther("/account")
        }
        return visit.seeOther(path)
    }
}
