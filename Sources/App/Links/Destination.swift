import Foundation

/// Where a link may lead: an address of an allowed host, or a deep link into an app whose scheme is allowed.
enum Destination {
    static let lengthMax = 2_048

    /// The address in its checked form, or why not.
    static func check(_ text: String, allowedHosts: [String]) -> Result<String, Refused> {
        guard text.utf8.count <= lengthMax, !text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F || $0 == "\\" }),
            let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased()
        else { return .failure(Refused(message: "Must be an absolute address of at most \(lengthMax) characters.")) }
        guard parts.user == nil, parts.password == nil else { return .failure(Refused(message: "Must not hold a user name.")) }
        if scheme == "https" || scheme == "http" {
            guard let host = parts.host?.lowercased(), !host.isEmpty else { return .failure(Refused(message: "Must name a host.")) }
            let hosts = allowedHosts.filter { !$0.hasSuffix(":") }
            guard hosts.isEmpty || hosts.contains(where: { matches(host, $0) }) else {
                return .failure(Refused(message: "Must lead to one of the program's allowed hosts: \(hosts.joined(separator: ", "))."))
            }
            // Only ASCII goes into a header: other characters are percent-encoded, other hosts in their ASCII form.
            return .success(text.utf8.allSatisfy { $0 < 0x80 } ? text : parts.url?.absoluteString ?? "")
        }
        guard !forbiddenSchemes.contains(scheme), allowedHosts.contains(scheme + ":") else {
            return .failure(
                Refused(message: "Must begin with https:// or http://, or with an app's scheme that allowedHosts names (such as \"myapp:\")."))
        }
        return .success(text)
    }

    /// Adds parameters to an address's query, before its fragment, leaving what is there as it is.
    static func adding(_ parameters: [(String, String)], to address: String) -> String {
        guard !parameters.isEmpty else { return address }
        let query = parameters.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&")
        guard address.utf8.contains(where: { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "?") }) else { return "\(address)?\(query)" }
        let split = address.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let head = String(split[0])
        let fragment = split.count > 1 ? "#" + split[1] : ""
        let joint = head.contains("?") ? (head.hasSuffix("?") || head.hasSuffix("&") ? "" : "&") : "?"
        return head + joint + query + fragment
    }

    /// Whether a text can stand in a program's allowed hosts: a host, all hosts below one, or the scheme of an app.
    static func isAllowable(_ text: String) -> Bool {
        func isName(_ bytes: some Sequence<UInt8>) -> Bool {
            bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 >= 0x80 }
        }
        if text.hasSuffix(":") {
            let scheme = text.dropLast()
            return !scheme.isEmpty && scheme.utf8.allSatisfy { $0 < 0x80 } && isName(scheme.utf8.filter { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "+") })
        }
        let labels = (text.hasPrefix("*.") ? text.dropFirst(2) : text[...]).split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { (1...63).contains($0.utf8.count) && isName($0.utf8) }
    }

    struct Refused: Error { var message: String }

    private static let forbiddenSchemes: Set<String> = ["javascript", "data", "vbscript", "file", "blob", "about", "ftp", "ws", "wss"]

    private static func matches(_ host: String, _ allowed: String) -> Bool {
        allowed.hasPrefix("*.") ? host.hasSuffix(allowed.dropFirst(1)) : host == allowed
    }

    private static func encoded(_ text: String) -> String {
        // Our own ids and names need no encoding.
        if text.utf8.allSatisfy(unreservedBytes.contains) { return text }
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    private static let unreservedText = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    private static let unreserved = CharacterSet(charactersIn: unreservedText)
    private static let unreservedBytes = Set(unreservedText.utf8)
}
