import Persistence

/// What hosts were given for their parties against what was posted to them.
enum PartyVerification {
    static func findings(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        try PartyStore.wrong(workspace, on: connection).map {
            Verification.Found(
                kind: "partyRewardWrong", workspace: workspace.text, subject: $0.id, detail: "says that its host has \($0.said) for it, \($0.given) was posted")
        }
    }
}
