internal import Foundation

/// A PgBouncer before a test's database, with a socket of its own and no network port.
public struct TestPooler: Sendable {
    public enum Mode: String, Sendable, CaseIterable { case session, transaction, statement }

    /// The address of the database through the pooler.
    public let location: String
    private let folder: String
    private let process: Int32

    /// - Parameter database: the database's own address, with the folder of its socket as the host.
    public static func start(_ mode: Mode, before database: String) throws -> TestPooler {
        guard let parts = URLComponents(string: database), let host = parts.queryItems?.first(where: { $0.name == "host" })?.value else {
            throw PostgresCluster.Missing(description: "\(database) names no socket")
        }
        let name = String(parts.path.dropFirst())
        let folder = "/tmp/kith-pooler-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
        let settings = """
            [databases]
            \(name) = host=\(host) dbname=\(name) user=postgres
            [pgbouncer]
            listen_addr =
            listen_port = 6432
            unix_socket_dir = \(folder)
            auth_type = any
            pool_mode = \(mode.rawValue)
            default_pool_size = 20
            ignore_startup_parameters = extra_float_digits
            """
        try Data((settings + "\n").utf8).write(to: URL(fileURLWithPath: folder + "/pgbouncer.ini"))
        let isRoot = getuid() == 0
        let pooler = Process()
        // It refuses to run as root, as the server does.
        pooler.executableURL = URL(fileURLWithPath: isRoot ? "/usr/sbin/runuser" : "/usr/sbin/pgbouncer")
        pooler.arguments = (isRoot ? ["-u", "postgres", "--", "/usr/sbin/pgbouncer"] : []) + ["-q", folder + "/pgbouncer.ini"]
        pooler.standardError = FileHandle.nullDevice
        pooler.standardOutput = FileHandle.nullDevice
        try pooler.run()
        return TestPooler(
            location: "postgres://postgres@/\(name)?host=\(folder)&port=6432", folder: folder, process: pooler.processIdentifier)
    }

    public func stop() {
        kill(process, SIGTERM)
        try? FileManager.default.removeItem(atPath: folder)
    }
}
