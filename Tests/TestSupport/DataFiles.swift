internal import Foundation
public import Persistence

/// The files in which a PostgreSQL server of this machine keeps a database: what is in them is on disk.
public struct DataFiles: Sendable {
    /// The folder of the tables and indexes, or of the log.
    let folder: String

    /// The tables and indexes of a database.
    public static func of(_ database: any Database) async throws -> DataFiles {
        let path = try await database.read { connection in
            try connection.value(
                "SELECT current_setting('data_directory') || '/base/' || CAST(oid AS TEXT) FROM pg_database WHERE datname = current_database()", as: String.self)
        }
        return DataFiles(folder: path ?? "")
    }

    /// The write-ahead log of the server.
    public static func log(of database: any Database) async throws -> DataFiles {
        DataFiles(folder: try await database.read { connection in try connection.value("SELECT current_setting('data_directory')", as: String.self) ?? "" } + "/pg_wal")
    }

    /// Whether any file holds the text. False when there is no file at all: a test first sees a text that is there.
    public func hold(_ text: String) -> Bool { hold(bytes: Array(text.utf8)) }

    public func hold(bytes: [UInt8]) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.contains { name in
            // Files may go while they are looked for.
            (try? Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"), options: .mappedIfSafe))?.range(of: Data(bytes)) != nil
        }
    }
}
