import Chronology
import Crypto
import Foundation
import Web

/// A folder into which other systems drop CSV files. A file stands in `working` from the moment it is taken up until it is known what became
/// of it, then in `done`, or in `refused` with its mistakes beside it. A process that dies in between finds it in `working`: taking a file in
/// again writes nothing twice.
struct WatchedFolder: Sendable {
    enum Place: String, Sendable, CaseIterable { case working, done, refused }

    struct Handled: Sendable, Equatable {
        enum Outcome: String, Sendable {
            case done, refused
            /// The same bytes were done before, perhaps under another name.
            case doneBefore
            /// It could not be taken in now, for no fault of its own: it is tried again.
            case waits
        }

        var name: String
        var outcome: Outcome
        /// For people: counts, or what is wrong.
        var said: String
    }

    /// Files taken up in one look.
    static let filesMax = 200
    /// A file that was written to just now may not be whole yet.
    static let quietSeconds = 2.0
    static let nameBytesMax = 180
    private static let pieceBytes = 1 << 20
    private static let hashDigits = 24

    let folder: URL
    /// Takes a file in and answers as `kith import` does. What it throws is not the file's fault.
    let takeIn: @Sendable (_ path: String) async throws -> JSONValue

    init(_ folder: URL, takeIn: @escaping @Sendable (_ path: String) async throws -> JSONValue) throws {
        self.folder = folder
        self.takeIn = takeIn
        for place in Place.allCases {
            try FileManager.default.createDirectory(at: folder.appendingPathComponent(place.rawValue), withIntermediateDirectories: true)
        }
    }

    /// Handles what is there, what was left half done first.
    func look(at now: Instant) async throws -> [Handled] {
        var handled: [Handled] = []
        let left = try names(in: folder.appendingPathComponent(Place.working.rawValue), quietAt: nil)
        let dropped = try names(in: folder, quietAt: now).prefix(max(0, Self.filesMax - left.count))
        for name in dropped where !left.contains(name) {
            try FileManager.default.moveItem(at: folder.appendingPathComponent(name), to: file(name, in: .working))
        }
        for name in (left + dropped.filter { !left.contains($0) }).prefix(Self.filesMax) { handled.append(try await handle(name)) }
        return handled
    }

    private func handle(_ name: String) async throws -> Handled {
        let path = file(name, in: .working)
        let hash = try Self.hash(of: path)
        if try names(in: folder.appendingPathComponent(Place.done.rawValue), quietAt: nil).contains(where: { $0.hasPrefix(hash + "-") }) {
            try move(path, to: file("\(hash)-\(name)", in: .done))
            return Handled(name: name, outcome: .doneBefore, said: "The same file was taken in before.")
        }
        let answer: JSONValue
        do {
            answer = try await takeIn(path.path)
        } catch {
            return Handled(name: name, outcome: .waits, said: CommandFailure.sentence(error))
        }
        guard let mistakes = answer.whole("errorCount"), mistakes > 0 else {
            try move(path, to: file("\(hash)-\(name)", in: .done))
            let counts = ["rows", "created", "updated", "known"].map { "\(answer.whole($0) ?? 0) \($0)" }
            return Handled(name: name, outcome: .done, said: counts.joined(separator: ", "))
        }
        let refused = file("\(hash)-\(name)", in: .refused)
        let lines = Self.sentences(answer, mistakes)
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: refused.appendingPathExtension("errors.txt"), options: .atomic)
        try move(path, to: refused)
        return Handled(name: name, outcome: .refused, said: lines.first ?? "")
    }

    private static func sentences(_ answer: JSONValue, _ mistakes: Int64) -> [String] {
        let written = answer["written"] == "partly" ? "a part was written and stays" : "nothing was written"
        return ["\(mistakes) \(mistakes == 1 ? "mistake" : "mistakes"); \(written). Mend the file and drop it again."]
            + answer.list("errors").map { error in
                let column = error.string("column") ?? ""
                return "line \(error.whole("line") ?? 0)\(column.isEmpty ? "" : ", \(column)"): \(error.string("message") ?? "")"
            }
    }

    private func file(_ name: String, in place: Place) -> URL { folder.appendingPathComponent(place.rawValue).appendingPathComponent(name) }

    /// Files of a folder in the order of their names: no folders, no links, none that is hidden. `quietAt`: only those nobody writes to.
    private func names(in folder: URL, quietAt now: Instant?) throws -> [String] {
        let keys: Set<URLResourceKey> = [.isRegularFileKey, .isSymbolicLinkKey, .contentModificationDateKey]
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: Array(keys), options: [.skipsHiddenFiles])
        return try files.filter { file in
            guard file.pathExtension.lowercased() == "csv", file.lastPathComponent.utf8.count <= Self.nameBytesMax else { return false }
            let values = try file.resourceValues(forKeys: keys)
            guard values.isRegularFile == true, values.isSymbolicLink != true else { return false }
            guard let now, let changed = values.contentModificationDate else { return true }
            return Double(now.millisecondsSince1970) / 1_000 - changed.timeIntervalSince1970 >= Self.quietSeconds
        }.map(\.lastPathComponent).sorted()
    }

    /// Replaces what is there under the name: it has the same bytes.
    private func move(_ file: URL, to place: URL) throws {
        if FileManager.default.fileExists(atPath: place.path) { try FileManager.default.removeItem(at: place) }
        try FileManager.default.moveItem(at: file, to: place)
    }

    private static func hash(of file: URL) throws -> String {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        var hash = SHA256()
        while let piece = try handle.read(upToCount: pieceBytes), !piece.isEmpty { hash.update(data: piece) }
        let digits = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return String(digits.prefix(hashDigits))
    }
}
