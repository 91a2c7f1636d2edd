import Foundation

/// Collects files beside the folder and moves them in when all are whole: what goes wrong before leaves nothing behind.
struct OutputFolder {
    let path: String
    private let staging: String

    init(path: String) throws(FileFailure) {
        self.path = path
        staging = path + ".partial-\(ProcessInfo.processInfo.processIdentifier)"
        try Self.make(staging)
    }

    /// Where a file is written until `finish`; `name` may have a folder.
    func place(_ name: String) throws(FileFailure) -> String {
        let file = staging + "/" + name
        try Self.make((file as NSString).deletingLastPathComponent)
        return file
    }

    /// Moves everything to its place.
    func finish() throws(FileFailure) {
        try Self.make(path)
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: staging).sorted()) ?? [] {
            let from = staging + "/" + name
            let to = path + "/" + name
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: from, isDirectory: &isFolder) else { continue }
            if isFolder.boolValue { try Self.make(to) } else if rename(from, to) != 0 {
                throw FileFailure(path: to, message: "could not be written: \(String(cString: strerror(errno)))")
            }
        }
        discard()
    }

    func discard() { try? FileManager.default.removeItem(atPath: staging) }

    private static func make(_ path: String) throws(FileFailure) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw FileFailure(path: path, message: "the folder could not be made")
        }
    }
}
