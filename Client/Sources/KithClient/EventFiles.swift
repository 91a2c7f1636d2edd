import Foundation

/// The files of an event queue: one for each event, named by its number. A file is written under another name, forced to disk and then given its
/// own, so that it is whole or not there.
struct EventFiles: Sendable {
    private let folder: URL
    private let lock: FolderLock

    init(folder: URL) throws(EventQueueFailure) {
        self.folder = folder
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw .storage(error.localizedDescription)
        }
        lock = try FolderLock(folder)
    }

    static func encode(_ event: QueuedEvent) throws(EventQueueFailure) -> Data {
        do { return try JSONCoding.encode(event) } catch { throw .storage("\(error)") }
    }

    /// The numbers of what waits and of what was refused, in order. What was half written is removed.
    func list() throws(EventQueueFailure) -> (waiting: [Int64], refused: [Int64]) {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch { throw .storage(error.localizedDescription) }
        for name in names where name.hasSuffix(Self.draftEnding) { try? FileManager.default.removeItem(at: folder.appendingPathComponent(name)) }
        let refused = numbers(names, ending: Self.refusedEnding)
        return (numbers(names, ending: Self.waitingEnding), refused)
    }

    /// The highest number that was ever given, as far as it is known.
    func lastID() throws(EventQueueFailure) -> Int64 {
        guard let text = try? String(contentsOf: folder.appendingPathComponent(Self.lastName), encoding: .utf8) else { return 0 }
        return Int64(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    func read(_ id: Int64, isRefused: Bool) throws(EventQueueFailure) -> QueuedEvent {
        do {
            return try JSONCoding.decode(QueuedEvent.self, from: Data(contentsOf: url(id, isRefused)))
        } catch {
            throw .storage("The file \(url(id, isRefused).lastPathComponent) can't be read: \(error)")
        }
    }

    func write(_ bytes: Data, id: Int64, isRefused: Bool) throws(EventQueueFailure) {
        try write(bytes, to: url(id, isRefused))
    }

    func remove(_ id: Int64, isRefused: Bool) throws(EventQueueFailure) {
        // The number is kept, so that the order goes on after a restart of an empty queue.
        if !isRefused { try write(Data("\(id)\n".utf8), to: folder.appendingPathComponent(Self.lastName)) }
        do { try FileManager.default.removeItem(at: url(id, isRefused)) } catch { throw .storage(error.localizedDescription) }
        try forceFolder()
    }

    private func write(_ bytes: Data, to place: URL) throws(EventQueueFailure) {
        let draft = place.appendingPathExtension("new")
        let descriptor = open(draft.path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .storage("\(draft.lastPathComponent) can't be made: \(String(cString: strerror(errno)))") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: bytes)
            try handle.synchronize()
            try handle.close()
        } catch {
            throw .storage(error.localizedDescription)
        }
        guard rename(draft.path, place.path) == 0 else { throw .storage("\(place.lastPathComponent): \(String(cString: strerror(errno)))") }
        try forceFolder()
    }

    private func forceFolder() throws(EventQueueFailure) {
        let descriptor = open(folder.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .storage("The folder can't be opened: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .storage("The folder can't be written: \(String(cString: strerror(errno)))") }
    }

    private func url(_ id: Int64, _ isRefused: Bool) -> URL {
        let digits = String(id)
        let name = String(repeating: "0", count: max(0, 19 - digits.count)) + digits
        return folder.appendingPathComponent(name + (isRefused ? Self.refusedEnding : Self.waitingEnding))
    }

    private func numbers(_ names: [String], ending: String) -> [Int64] {
        names.filter { $0.hasSuffix(ending) }.compactMap { Int64($0.dropLast(ending.count)) }.filter { $0 > 0 }.sorted()
    }

    private static let waitingEnding = ".waiting.json"
    private static let refusedEnding = ".refused.json"
    private static let draftEnding = ".new"
    private static let lastName = "last"
}

/// Holds a folder for one queue as long as it lives, also across processes.
final class FolderLock: Sendable {
    private let descriptor: Int32

    init(_ folder: URL) throws(EventQueueFailure) {
        descriptor = open(folder.appendingPathComponent("lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .storage("The folder can't be written: \(String(cString: strerror(errno)))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .inUse(folder: folder.path)
        }
    }

    deinit { close(descriptor) }
}
