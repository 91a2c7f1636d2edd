import Web

/// Looks at another workspace of the same person: live, its test twin, or another company's.
enum WorkspaceSwitch {
    static func add(to api: inout API, gate: PageGate) {
        api.form("/workspace", nil, gate) { visit, fields in
            guard let target = visit.session.switches.first(where: { $0.id.text == fields["workspaceId"] }) else { throw Problem.notFound() }
            let hash = visit.session.tokenHash
            try await visit.installation.writeAnywhere { connection in
                try SessionStore.setWorkspace(hash, target.id, on: connection)
            }
            return visit.seeOther(LocalPath.checked(fields["next"]))
        }
    }
}
