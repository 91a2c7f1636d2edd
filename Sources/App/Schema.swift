import Foundation
import Persistence
import Web

/// The timelines of the schema, as they were put into the binary.
enum Schema {
    /// Brings every timeline up to date. Answers what was applied.
    @discardableResult
    static func migrate(_ stores: Stores) async throws -> [(timeline: String, migration: Migration)] {
        var applied: [(timeline: String, migration: Migration)] = []
        for (timeline, database, migrations) in timelines(stores) {
            applied += try await Migrator.migrate(database, timeline: timeline, migrations: migrations).map { (timeline, $0) }
            if timeline == keysTimeline { try await KeyMove.run(from: stores.main, to: stores.keys) }
        }
        return applied
    }

    /// What is not applied yet.
    static func pending(_ stores: Stores) async throws -> [(timeline: String, migration: Migration)] {
        var pending: [(timeline: String, migration: Migration)] = []
        for (timeline, database, migrations) in timelines(stores) {
            pending += try await Migrator.pending(database, timeline: timeline, migrations: migrations).map { (timeline, $0) }
        }
        return pending
    }

    private static let keysTimeline = "keys"

    private static func timelines(_ stores: Stores) -> [(String, any Database, [Migration])] {
        [
            (keysTimeline, stores.keys, migrations(Embedded.files(.keySchema))), ("clicks", stores.clicks, migrations(Embedded.files(.clickSchema))),
            ("main", stores.main, migrations(Embedded.files(.schema))),
        ]
    }

    /// Brings a store of keys up to date that belongs to no installation: one of a backup.
    static func migrateKeys(_ database: any Database) async throws {
        try await Migrator.migrate(database, timeline: keysTimeline, migrations: migrations(Embedded.files(.keySchema)))
    }

    /// `0003-people.sql`, with `0003-people.postgres.sql` beside it where PostgreSQL needs other words.
    static func migrations(_ files: [EmbeddedFile]) -> [Migration] {
        let twins = Dictionary(
            files.filter { $0.name.hasSuffix(".postgres.sql") }.map { (String($0.name.dropLast(".postgres.sql".count)), $0.text) },
            uniquingKeysWith: { first, _ in first })
        return files.filter { !$0.name.hasSuffix(".postgres.sql") }.compactMap { file in
            let stem = String(file.name.dropLast(".sql".count))
            guard let number = Int(stem.prefix(4)) else { return nil }
            return Migration(number: number, name: String(stem.dropFirst(5)), text: file.text, postgresText: twins[stem])
        }.sorted { $0.number < $1.number }
    }
}
