/// A person who is signed in, and the workspace they look at.
struct OperatorSession: Sendable {
    let operatorID: OperatorID
    let workspace: Workspace
    let role: Role
    /// SHA-256 of the token: what the session is stored and its CSRF token bound by.
    let tokenHash: [UInt8]

    func may(_ right: Right) -> Bool { role.may(right) }
}
