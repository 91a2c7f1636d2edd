import Crypto
import Foundation
import Web

/// The keys of an installation: one random master key in a file of mode 600, and what is derived from it.
/// Losing the file loses every sealed name and mail; it belongs into a backup of its own, apart from the database's.
struct Secrets: Sendable {
    private let master: SymmetricKey

    init(master: [UInt8]) { self.master = SymmetricKey(data: master) }

    static let masterBytes = 32
    private static let fileBytesMax = 4_096

    /// Reads the file, or makes it when it does not exist and may be made. Of several processes that make it at once one wins, and all read
    /// the same.
    static func load(path: String, mayMake: Bool = true) throws -> Secrets {
        if let known = try read(path) { return known }
        guard mayMake else {
            throw Problem.conflict(
                code: "secrets_missing",
                detail: "The secrets file \(path) is not there, and this database needs the one it began with. Put it back, or name its place with KITH_SECRETS_FILE.")
        }
        try make(path)
        guard let made = try read(path) else { throw SecretsFailure(path: path) }
        return made
    }

    /// Nil when there is no file.
    private static func read(_ path: String) throws -> Secrets? {
        // Asked once: a file that comes between two questions would be there and unread.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw SecretsFailure(path: path) }
            return nil
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard let content = try? handle.read(upToCount: fileBytesMax), let text = String(data: content, encoding: .utf8),
            let bytes = Data(base64Encoded: text.trimmingCharacters(in: .whitespacesAndNewlines)), bytes.count == masterBytes
        else { throw SecretsFailure(path: path) }
        return Secrets(master: Array(bytes))
    }

    /// Writes the file under another name and gives it its own when it is whole and on disk: nobody ever meets half of it.
    private static func make(_ path: String) throws {
        let text = Data(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }).base64EncodedString() + "\n"
        let draft = "\(path).\(UUID().uuidString).new"
        let descriptor = open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SecretsFailure(path: path) }
        defer { unlink(draft) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.synchronize()
        // A link is not made when the name is taken: whoever came first has made the file.
        guard link(draft, path) == 0 || errno == EEXIST else { throw SecretsFailure(path: path) }
        let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { throw SecretsFailure(path: path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw SecretsFailure(path: path) }
    }

    /// Whether users of the machine other than the owner and their group may read the file.
    static func isOpenToOthers(path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IROTH != 0
    }

    /// A key for one purpose, so that no two uses share one.
    func key(_ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: master, info: Data("kith:\(purpose)".utf8), outputByteCount: 32)
    }
}

struct SecretsFailure: Error, CustomStringConvertible {
    var path: String
    var description: String {
        "The secrets file \(path) cannot be read or made. It must hold 32 bytes in base 64; restore it from its backup, or set KITH_SECRETS_FILE."
    }
}
