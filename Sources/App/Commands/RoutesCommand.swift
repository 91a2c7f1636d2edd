import ArgumentParser
import Foundation
import HTTPTypes
import Persistence
import Web

struct RoutesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes", abstract: "List every call of the API: method, path, who may make it, what it does.")

    @Flag(help: "Print JSON.") var json = false
    @Flag(help: "Print a collection that Postman imports.") var postman = false

    func run() async throws {
        try await plainly {
            let operations = try await Self.operations()
            if postman {
                let address = Settings()
                Commands.show(PostmanCollection.document(operations, baseURL: "http://\(address.host):\(address.port)"), json: true)
                return
            }
            if json {
                let rows = operations.map { operation -> JSONValue in
                    [
                        "method": .text(operation.method.rawValue), "path": .text(API.base + operation.path), "id": .text(operation.id),
                        "access": .text(operation.access.text), "summary": .text(operation.summary),
                    ]
                }
                Commands.show(["data": .array(rows)], json: true)
                return
            }
            let widest = operations.map { $0.path.count + API.base.count }.max() ?? 0
            for operation in operations {
                let path = (API.base + operation.path).padding(toLength: widest, withPad: " ", startingAt: 0)
                let method = operation.method.rawValue.padding(toLength: 6, withPad: " ", startingAt: 0)
                let access = operation.access.text.padding(toLength: 28, withPad: " ", startingAt: 0)
                print("\(method) \(path)  \(access) \(operation.summary)")
            }
        }
    }

    /// The routes are made against an empty database in a folder that goes at once.
    static func operations() async throws -> [Web.Operation<Access>] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kith-routes-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var settings = Settings()
        settings.database = "sqlite:" + folder.appendingPathComponent("kith.sqlite").path
        let installation = try await Installation.open(settings, logger: Commands.quiet)
        let (_, api) = try Routes.build(installation, site: Site.load())
        await installation.close()
        return api.table.operations
    }
}

extension Access {
    /// As it stands in listings.
    var text: String {
        switch self {
        case .right(let right): right.rawValue
        case .browser(let right): "\(right.rawValue) or browser"
        case .anyone: "any key"
        case .embedToken: "embed token"
        }
    }
}
