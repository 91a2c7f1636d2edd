import Foundation

@testable import KithClient

/// A real `kith serve` on a new database in a folder of its own, with the keys of its test workspace. `KITH_BINARY` names the program.
final class KithServer: Sendable {
    let address: URL
    let secretKey: KithClient.Key
    let publishableKey: KithClient.Key
    private let folder: URL
    private let process: Process

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-client-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let database = "sqlite:\(folder.path)/kith.sqlite"
        let made = try Self.start(
            ["setup", "--database", database, "--workspace", "Morgenrot", "--email", "mira@morgenrot.example", "--test", "--json"], in: folder)
        let keys = try JSONCoding.decode(JSONValue.self, from: made.output.fileHandleForReading.readDataToEndOfFile())
        made.process.waitUntilExit()
        let serving = try Self.start(["serve", "--database", database, "--host", "127.0.0.1", "--port", "0"], in: folder)
        process = serving.process
        guard let secret = keys["secretKey"].text.flatMap(KithClient.Key.init), let publishable = keys["publishableKey"].text.flatMap(KithClient.Key.init),
            let address = Self.address(in: serving.output.fileHandleForReading)
        else {
            serving.process.terminate()
            throw NotStarted(why: "\(keys)")
        }
        secretKey = secret
        publishableKey = publishable
        self.address = address
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    struct NotStarted: Error { var why: String }

    var port: UInt16 { UInt16(address.port ?? 0) }

    func client(_ retries: RetryPolicy = RetryPolicy(), at address: URL? = nil, key: KithClient.Key? = nil) throws -> KithClient {
        try KithClient(
            address: address ?? self.address, key: key ?? secretKey, retries: retries, timeoutSeconds: 20, allowsPlainHTTP: false,
            transport: URLSessionTransport(), surroundings: .immediate)
    }

    /// A program that pays a tenth to who shared, with a member and her link.
    func shop() async throws -> (client: KithClient, program: Program, amira: Member, link: Link) {
        let client = try client()
        let program = try await client.createProgram(
            name: "Friends", currency: .eur, timezone: "Europe/Berlin", settings: ["holdDays": 14, "allowedHosts": ["shop.example"]])
        try await client.createRule(in: program.id, ["name": "Sharer", "event": "sale", "reward": ["kind": "percent", "rate": "0.10"]])
        let amira = try await client.enroll(NewMember(programId: program.id, email: "amira@people.example", name: "Amira Kaya", externalId: "1042"))
        let link = try await client.createLink(
            NewLink(programId: program.id, memberId: .external("1042"), destination: "https://shop.example/welcome", code: "AMIRA"))
        return (client, program, amira, link)
    }

    private static func start(_ arguments: [String], in folder: URL) throws -> (process: Process, output: Pipe) {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../.build/debug/kith").standardized.path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ProcessInfo.processInfo.environment["KITH_BINARY"] ?? here)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(["KITH_RATE_LIMIT": "0"]) { _, new in new }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        return (process, output)
    }

    /// The address that the server prints.
    private static func address(in output: FileHandle) -> URL? {
        var text = ""
        while text.utf8.count < 100_000 {
            let part = output.availableData
            if part.isEmpty { return nil }
            text += String(decoding: part, as: UTF8.self)
            if let found = text.range(of: #"http://127\.0\.0\.1:\d+\n"#, options: .regularExpression) { return URL(string: String(text[found].dropLast())) }
        }
        return nil
    }
}
