import Chronology
import Compensation
import Foundation
import PlanFiles
import PlanLanguage
import Testing

/// The plans of the repository, and a folder of a test's own.
enum Gallery {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("plans")

    static var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []).filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    static func plan(_ name: String) -> String { root.appendingPathComponent(name + ".yaml").path }
    static func facts(_ name: String) -> FactFiles {
        let folder = root.appendingPathComponent("facts/\(name)")
        return FactFiles(members: folder.appendingPathComponent("members.csv").path, orders: folder.appendingPathComponent("orders.csv").path)
    }
    static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
}

/// A folder that goes with the test.
final class Folder {
    let path: String
    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("kith-plan-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        return file
    }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}
