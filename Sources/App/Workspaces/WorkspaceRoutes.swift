import Chronology
import HTTPTypes
import Persistence
import Web

enum WorkspaceRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/workspace", id: "getWorkspace", "The workspace of the key", tag: "Workspace", access: .right(.workspaceRead), answer: shape
        ) { _, _, caller in
            let workspace = try await installation.main.read { connection in try WorkspaceStore.find(caller.workspaceID, on: connection) }
            guard let workspace else { throw Refusal.unknown("workspace") }
            return ListAnswer.one(workspace.json(now: workspace.now(installation.world)))
        }
        api.write(
            .post, "/test-clock", id: "moveTestClock", "Move a test workspace's time forward; due work is done before this answers",
            tag: "Workspace", access: .right(.testClock), body: .object([.required("now", .dateTime)]), answer: shape,
            decode: { body, _ in body.custom("now", standIn: Instant.earliest, Instant.read) },
            prepare: { now, _, caller in
                try await installation.write(caller.workspaceID, actor: caller.actor) { write in
                    guard let before = write.workspace.testNow else {
                        throw Problem.conflict(code: "not_a_test_workspace", detail: "Only a test workspace has a clock that moves. Use its keys.")
                    }
                    guard now >= before else { throw Refusal.field("now", "Must not be before \(before.rfc3339), which it is now there.") }
                    try WorkspaceStore.setClock(write.workspace.id, to: now, on: write.connection)
                }
                try await installation.doDueWork(in: caller.workspaceID)
                return now
            }
        ) { now, write in Answer(write.workspace.json(now: now)) }
    }

    private static let shape = APISchema.object([
        .required("id", .text), .required("name", .text), .required("isTest", .boolean), .required("now", .dateTime),
        .required("timezone", .text), .required("locale", .text),
    ])
}

extension Workspace {
    func json(now: Instant) -> JSONValue {
        [
            "id": .text(id.text), "name": .text(name), "isTest": .boolean(isTest), "now": .text(now.rfc3339), "timezone": .text(timeZone),
            "locale": .text(locale),
        ]
    }
}
