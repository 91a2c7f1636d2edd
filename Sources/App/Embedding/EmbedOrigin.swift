import Foundation
import Persistence
import Web

/// A site whose pages may show the portal in a frame: scheme, host and port, nothing else.
enum EmbedOrigin {
    static let countMax = 20
    static let allowed = "Must be origins such as https://www.shop.example; http:// only for this machine."

    /// As it stands in a policy: no wildcards, no paths, nothing that could end the directive.
    static func read(_ text: String) -> String? {
        let text = text.trimmingCharacters(in: .whitespaces)
        guard let parts = text.range(of: "://") else { return nil }
        let scheme = text[..<parts.lowerBound].lowercased()
        var rest = text[parts.upperBound...]
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        let pieces = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard pieces.count <= 2, let name = pieces.first.map({ String($0).lowercased() }) else { return nil }
        var port = ""
        if pieces.count == 2 {
            guard let number = UInt16(pieces[1]), number > 0 else { return nil }
            port = ":\(number)"
        }
        if scheme == "http" || scheme == "https", PlainAddress.isThisMachine(name), name.utf8.allSatisfy({ $0 < 0x80 && $0 > 0x2C && $0 != 0x3B }) { return "\(scheme)://\(name)\(port)" }
        guard scheme == "https", let host = HostName(typed: name) else { return nil }
        return "https://\(host.text)\(port)"
    }

    static func set(_ origins: [String], in write: Write) throws {
        try EmbeddingStore.put(origins, of: write.workspace.id, at: write.now, on: write.connection)
        try write.audit("embedding.change", subject: write.workspace.id.text)
    }
}
