import Hummingbird
import Web

/// Forms of people who are not signed in: bound to a cookie of their own.
struct AnonymousForm: Sendable {
    static let cookie = HostCookie("kith_form")

    let installation: Installation

    /// The proof for a page, and the cookie's token when the browser has none yet.
    func proof(for request: Request) -> (text: String, newToken: SessionToken?) {
        if let known = token(of: request) { return (csrf(known).text(), nil) }
        let token = SessionToken()
        return (csrf(token).text(), token)
    }

    /// Throws a problem when the form did not come from a page of ours.
    func verify(_ request: Request, _ fields: FormFields) throws {
        do {
            try CSRFCheck(request, installation).verify(
                request, token: csrf(token(of: request) ?? SessionToken()), submitted: fields[CSRFToken.fieldName] ?? "")
        } catch let problem as Problem {
            guard let plain = PlainAddress(request, installation) else { throw problem }
            throw Problem.forbidden(
                code: PlainAddress.code,
                detail: "Browsers keep a sign-in only over https and on the machine itself, and \(plain.host) was asked over plain http.")
        }
    }

    /// What ties something to the browser that has the form's cookie.
    func browserHash(_ request: Request) -> [UInt8]? { token(of: request)?.hash }

    private func token(of request: Request) -> SessionToken? { Self.cookie.value(in: request).flatMap { SessionToken(text: $0) } }

    private func csrf(_ token: SessionToken) -> CSRFToken { CSRFToken(sessionHash: token.hash, key: installation.formKey) }
}
