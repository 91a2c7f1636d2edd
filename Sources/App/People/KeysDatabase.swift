import Foundation
import Persistence
import Web

/// Where the keys of people are on PostgreSQL: a database of their own, so that a dump of the main one alone can't bring back
/// somebody who was erased.
enum KeysDatabase {
    /// Longer names would be cut by the server.
    static let nameMaxBytes = 63
    static let ending = "_keys"

    /// Opens it; makes it when it isn't there and `mayCreate` says so.
    static func open(_ settings: Settings, beside main: any Database, mayCreate: Bool) async throws -> any Database {
        let place = try await place(settings, beside: main)
        let keys: PostgresDatabase
        do {
            keys = try await connect(place, settings)
        } catch let failure as DatabaseFailure where failure.kind == .unavailable {
            guard try await create(place, mayCreate: mayCreate) else { throw failure }
            keys = try await connect(place, settings)
        }
        let (one, other) = (
            try await main.read { connection in try KeysDatabaseStore.identity(on: connection) },
            try await keys.read { connection in try KeysDatabaseStore.identity(on: connection) }
        )
        guard one != other else {
            await keys.close()
            throw SettingFailure(name: "KITH_KEYS_DATABASE", allowed: "another database than KITH_DATABASE: a dump of that one must not hold people's keys")
        }
        return keys
    }

    private struct Place {
        var url: String
        var name: String
        /// Where to ask for it, and from where to make it.
        var serverURL: String
    }

    private static func place(_ settings: Settings, beside main: any Database) async throws -> Place {
        if let url = settings.keysDatabase {
            guard Settings.isPostgres(url), let name = databaseName(url) else {
                throw SettingFailure(name: "KITH_KEYS_DATABASE", allowed: "postgres://…/NAME")
            }
            return Place(url: url, name: name, serverURL: replaceName(url, by: "postgres"))
        }
        let name = try await main.read { connection in try KeysDatabaseStore.name(on: connection) } + ending
        guard name.utf8.count <= nameMaxBytes else {
            throw SettingFailure(name: "KITH_KEYS_DATABASE", allowed: "set: the name \(name) would be too long for PostgreSQL")
        }
        return Place(url: replaceName(settings.database, by: name), name: name, serverURL: settings.database)
    }

    private static func connect(_ place: Place, _ settings: Settings) async throws -> PostgresDatabase {
        try await PostgresDatabase.open(url: place.url, connections: max(2, settings.connections / 4))
    }

    /// Makes the database. False when it is there, so that the failure to open it has another cause.
    private static func create(_ place: Place, mayCreate: Bool) async throws -> Bool {
        let server: PostgresDatabase
        do {
            server = try await PostgresDatabase.open(url: place.serverURL, connections: 2)
        } catch is DatabaseFailure {
            return false
        }
        let isThere = try await isThere(place, server)
        await server.close()
        if isThere { return false }
        guard mayCreate else {
            throw Problem.conflict(
                code: "keys_database_missing", detail: "The database \(place.name) for people's keys is not there. Run kith migrate first, or set KITH_KEYS_DATABASE.")
        }
        do {
            let quoted = place.name.replacingOccurrences(of: "\"", with: "\"\"")
            try await PostgresDatabase.outsideTransaction(url: place.serverURL, "CREATE DATABASE \"\(quoted)\" TEMPLATE template0")
        } catch let failure as DatabaseFailure {
            let again = try await PostgresDatabase.open(url: place.serverURL, connections: 2)
            let madeMeanwhile = try await Self.isThere(place, again)
            await again.close()
            guard madeMeanwhile else {
                throw Problem.conflict(
                    code: "keys_database_missing",
                    detail: "The database \(place.name) for people's keys is not there and PostgreSQL would not make it: \(failure.message). Make it (createdb \(place.name)), or name another with KITH_KEYS_DATABASE.")
            }
        }
        return true
    }

    private static func isThere(_ place: Place, _ server: PostgresDatabase) async throws -> Bool {
        try await server.read { connection in try KeysDatabaseStore.isThere(place.name, on: connection) }
    }

    // MARK: URLs

    /// The same URL with another database. Text is replaced: libpq takes several hosts, which URL parsers refuse.
    static func replaceName(_ url: String, by name: String) -> String {
        let parts = parts(url)
        let query = parts.query.split(separator: "&").filter { !$0.hasPrefix("dbname=") }.joined(separator: "&")
        let path = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "_-."))) ?? name
        return parts.start + "/" + path + (query.isEmpty ? "" : "?" + query)
    }

    static func databaseName(_ url: String) -> String? {
        let parts = parts(url)
        let named = parts.query.split(separator: "&").first { $0.hasPrefix("dbname=") }.map { String($0.dropFirst("dbname=".count)) }
        let name = named ?? parts.path
        return name.isEmpty ? nil : name.removingPercentEncoding ?? name
    }

    private static func parts(_ url: String) -> (start: String, path: String, query: String) {
        let halves = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let base = String(halves.first ?? "")
        let query = halves.count > 1 ? String(halves[1]) : ""
        guard let scheme = base.range(of: "://"), let slash = base[scheme.upperBound...].firstIndex(of: "/") else { return (base, "", query) }
        return (String(base[..<slash]), String(base[base.index(after: slash)...]), query)
    }
}

enum KeysDatabaseStore {
    static func name(on connection: any Connection) throws -> String { try connection.value("SELECT current_database()") ?? "" }

    static func isThere(_ name: String, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM pg_database WHERE datname = \(name)") != nil
    }

    /// Tells databases apart, also when they are reached by different addresses.
    static func identity(on connection: any Connection) throws -> String {
        try connection.value(
            "SELECT CAST(oid AS TEXT) || ' ' || CAST(pg_postmaster_start_time() AS TEXT) FROM pg_database WHERE datname = current_database()") ?? ""
    }
}
