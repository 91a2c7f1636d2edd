import ArgumentParser
import Persistence
import Web

/// The options of commands that work on one workspace.
struct WorkspaceOptions: ParsableArguments {
    @Option(help: "The workspace's id (default: the only live one).") var workspace: String?
    @Flag(help: "Its test twin.") var test = false

    var arguments: [(String, JSONValue)] { [("workspace", workspace.map { .text($0) } ?? .null), ("test", .boolean(test))] }
}

/// Which workspace a command means.
struct WorkspaceChoice: Sendable {
    var id: String?
    var isTest: Bool

    init(_ options: WorkspaceOptions) {
        id = options.workspace
        isTest = options.test
    }

    /// From a command's arguments, which it takes.
    init(_ reader: JSONReader) {
        id = reader.optionalText("workspace", maximumLength: 100)
        isTest = reader.optionalBoolean("test") ?? false
    }

    func find(on connection: any Connection) throws -> Workspace {
        let all = try WorkspaceStore.all(on: connection)
        let named: Workspace
        if let id {
            guard let found = all.first(where: { $0.id.text == id }) else {
                throw Problem.notFound(detail: "There is no workspace \(id). These are: \(list(all)).")
            }
            named = found
        } else {
            let live = all.filter { !$0.isTest }
            guard let only = live.first else { throw Problem.notFound(detail: "There is no workspace yet. Make one with kith setup.") }
            guard live.count == 1 else {
                throw Problem.conflict(code: "workspace_needed", detail: "There are several workspaces. Name one with --workspace: \(list(live)).")
            }
            named = only
        }
        guard isTest, !named.isTest else { return named }
        guard let twin = all.first(where: { $0.liveID == named.id }) else {
            throw Problem.notFound(detail: "The workspace \(named.id) has no test twin.")
        }
        return twin
    }

    private func list(_ workspaces: [Workspace]) -> String {
        workspaces.prefix(20).map { "\($0.id) (\($0.name)\($0.isTest ? ", test" : ""))" }.joined(separator: ", ")
    }
}
