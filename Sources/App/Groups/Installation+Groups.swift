import Persistence

extension Installation {
    /// Ladders that one round looks at.
    private static let laddersMax = 20

    /// Moves members between groups where a program's ladder is due, of all workspaces or one.
    func lookAtLadders(in workspace: WorkspaceID? = nil) async throws {
        let now = world.now()
        let due = try await main.read { connection in try GroupStore.due(at: now, limit: Self.laddersMax, on: connection) }
        for (program, owner) in due where workspace == nil || owner == workspace {
            while try await write(owner, actor: .system("groups"), { write in
                guard let program = try ProgramStore.find(program, in: write.workspace.id, at: write.now, on: write.connection) else { return false }
                return try MemberGroup.look(at: program, in: write)
            }) {}
        }
    }
}
