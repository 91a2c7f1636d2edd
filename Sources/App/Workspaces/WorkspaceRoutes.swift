import Chronology
import HTTPTypes
import Persistence
import Web

enum WorkspaceRoutes {
    /// A test may name the time it set before, although the clock has gone on since.
    private static let backMs: Int64 = 600_000

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
            .patch, "/workspace", id: "changeWorkspace", "Change the workspace's name, zone, language or colour, and its twin's with it",
            tag: "Workspace", access: .right(.workspaceWrite),
            body: .object([
                .optional("name", .string(maximumLength: 200)), .optional("timezone", .text), .optional("locale", .text),
                .optional("hue", .integer(0...359)),
            ]), answer: shape,
            decode: { body, _ in
                WorkspaceChange(
                    name: body.optionalName("name", maximumLength: 200), zone: body.optionalCustom("timezone", Zone.read),
                    locale: body.optionalText("locale", maximumLength: 35), hue: body.optionalInteger("hue", in: 0...359).map { Int($0) })
            }
        ) { change, write in
            let workspace = try Workspace.change(change, in: write)
            return Answer(workspace.json(now: write.now))
        }
        api.write(
            .post, "/test-clock", id: "moveTestClock", "Move a test workspace's time forward; due work is done before this answers",
            tag: "Workspace", access: .right(.testClock), body: .object([.required("now", .dateTime)]), answer: shape,
            preparationChanges: true, decode: { body, _ in body.custom("now", standIn: Instant.earliest, Instant.read) },
            prepare: { now, _, caller in
                try await installation.write(caller.workspaceID, actor: caller.actor) { write in
                    guard write.workspace.isTest else {
                        throw Problem.conflict(code: "not_a_test_workspace", detail: "Only a test workspace has a clock that moves. Use its keys.")
                    }
                    // The clock has gone on since it was set: naming the same time again is no step back.
                    let ahead = now.millisecondsClamped(since: write.world.now())
                    guard ahead >= (write.workspace.testAheadMs ?? 0) - backMs else {
                        throw Refusal.field("now", "Must not be before \(write.now.rfc3339), which it is now there.")
                    }
                    try WorkspaceStore.setClock(
                        write.workspace.id, aheadMs: max(ahead, write.workspace.testAheadMs ?? 0), on: write.connection)
                }
                installation.linkIndex.forgetAll()
                try await installation.doDueWork(in: caller.workspaceID)
                return now
            }
        ) { _, write in Answer(write.workspace.json(now: write.now)) }
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
