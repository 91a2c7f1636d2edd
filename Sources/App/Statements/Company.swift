import Persistence
import Web

/// Who pays, as statements say it.
struct Company: Sendable, Equatable {
    static let addressLengthMax = 500
    static let lineLengthMax = 200

    var name: String
    var address = ""
    /// A tax or register number.
    var number = ""
    var contact = ""

    /// What was set, else the workspace's name alone.
    static func of(_ workspace: Workspace, on connection: any Connection) throws -> Company {
        try CompanyStore.find(workspace.id, on: connection) ?? Company(name: workspace.name)
    }

    func keep(in write: Write) throws {
        try CompanyStore.put(self, write.workspace.id, on: write.connection)
        try write.audit("company.set", subject: write.workspace.id.text)
    }
}

enum CompanyStore {
    static func find(_ workspace: WorkspaceID, on connection: any Connection) throws -> Company? {
        try connection.row("SELECT name, address, number, contact FROM company WHERE workspace_id = \(workspace)").map {
            Company(name: try $0.get(at: 0), address: try $0.get(at: 1), number: try $0.get(at: 2), contact: try $0.get(at: 3))
        }
    }

    static func put(_ company: Company, _ workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO company (workspace_id, name, address, number, contact)
            VALUES (\(workspace), \(company.name), \(company.address), \(company.number), \(company.contact))
            ON CONFLICT (workspace_id) DO UPDATE SET name = excluded.name, address = excluded.address, number = excluded.number,
                contact = excluded.contact
            """)
    }
}
