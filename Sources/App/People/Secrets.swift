import Crypto
import Foundation

/// The keys of an installation: one random master key in a file of mode 600, and what is derived from it.
/// Losing the file loses every sealed name and mail; it belongs into a backup of its own, apart from the database's.
struct Secrets: Sendable {
    private let master: SymmetricKey

    init(master: [UInt8]) { self.master = SymmetricKey(data: master) }

    /// Reads the file, or makes it when it does not exist.
    static func load(path: String, world: World) throws -> Secrets {
        if let text = try? String(contentsOfFile: path, encoding: .utf8) {
            guard let bytes = Data(base64Encoded: text.trimmingCharacters(in: .whitespacesAndNewlines)), bytes.count == 32 else {
                throw SecretsFailure(path: path)
            }
            return Secrets(master: Array(bytes))
        }
        let bytes = Array(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) })
        let text = Data(bytes).base64EncodedString() + "\n"
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            // Another process made it a moment ago.
            if errno == EEXIST { return try load(path: path, world: world) }
            throw SecretsFailure(path: path)
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.synchronize()
        return Secrets(master: bytes)
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
