import Foundation
import Hummingbird
import Web

/// The member that a request's path names (`/members/{id}/…`): who is not there, the page is not there (404). A member that a body names is a field's mistake (422).
extension MemberReference {
    static func of(_ context: KithContext) throws -> MemberReference {
        guard let text = context.parameters.get("id"), let reference = MemberReference(text.removingPercentEncoding ?? text) else {
            throw Refusal.unknown("member")
        }
        return reference
    }
}

extension Member {
    static func ofPath(_ reference: MemberReference, in write: Write) throws -> Member {
        guard let member = try MemberStore.find(reference, in: write.workspace.id, vault: write.vault, on: write.connection) else {
            throw Refusal.unknown("member")
        }
        return member
    }
}
