import CCurl
import Dispatch
import Foundation

/// The mail server that the operator named. It is theirs, so it may be anywhere, unlike addresses that others type in.
struct MailServer: Sendable {
    enum Outcome: Sendable, Equatable {
        case accepted
        /// The server will not take this letter, ever (5xx).
        case refused(reason: String)
        /// Not now (4xx), or the server is not to be reached.
        case again(reason: String, isReachable: Bool)
    }

    static let timeoutMs = 30_000
    static let connectTimeoutMs = 10_000

    let url: String
    let host: String
    let user: String?
    let password: String?
    /// Nothing in clear over a network. A server on this machine is spoken to without TLS: its certificate, if any, is made for other names.
    let mustEncrypt: Bool
    private let queue = DispatchQueue(label: "kith.mail")

    /// Reads `smtp://user:password@host:port` or `smtps://…`. Throws when it is neither.
    init(_ setting: String) throws(SettingFailure) {
        guard let parts = URLComponents(string: setting), let scheme = parts.scheme?.lowercased(), scheme == "smtp" || scheme == "smtps",
            let host = parts.host, !host.isEmpty, parts.path.isEmpty || parts.path == "/", parts.query == nil, parts.fragment == nil
        else { throw SettingFailure(name: "KITH_SMTP_URL", allowed: "smtp://user:password@host:port or smtps://user:password@host:port") }
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        user = parts.user
        password = parts.password
        mustEncrypt = !Loopback.isName(self.host)
        let named = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        url = "\(scheme)://\(named)" + (parts.port.map { ":\($0)" } ?? "")
    }

    func send(_ message: [UInt8], from sender: String, to recipient: String) async -> Outcome {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: MailTransfer(self, message).perform(from: sender, to: recipient)) }
        }
    }
}

/// Names of this machine.
enum Loopback {
    static func isName(_ host: String) -> Bool { ["127.0.0.1", "::1", "localhost"].contains(host.lowercased()) }
}

/// One letter on one libcurl handle, on one thread.
private final class MailTransfer {
    private let server: MailServer
    private let message: [UInt8]
    private var position = 0

    init(_ server: MailServer, _ message: [UInt8]) {
        self.server = server
        self.message = message
    }

    func perform(from sender: String, to recipient: String) -> MailServer.Outcome {
        guard let handle = curl_easy_init() else { return .again(reason: "No memory was left for the connection.", isReachable: false) }
        defer { curl_easy_cleanup(handle) }
        let recipients = curl_slist_append(nil, "<\(recipient)>")
        defer { curl_slist_free_all(recipients) }
        _ = kith_curl_set_text(handle, CURLOPT_URL, "\(server.url)/\(sender.split(separator: "@").last ?? "localhost")")
        _ = kith_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        _ = kith_curl_set_text(handle, CURLOPT_PROXY, "")
        _ = kith_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        _ = kith_curl_set_long(handle, CURLOPT_TIMEOUT_MS, MailServer.timeoutMs)
        _ = kith_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, MailServer.connectTimeoutMs)
        _ = kith_curl_set_long(handle, CURLOPT_USE_SSL, Int((server.mustEncrypt ? CURLUSESSL_ALL : CURLUSESSL_NONE).rawValue))
        if let user = server.user {
            _ = kith_curl_set_text(handle, CURLOPT_USERNAME, user)
            _ = kith_curl_set_text(handle, CURLOPT_PASSWORD, server.password ?? "")
        }
        _ = kith_curl_set_text(handle, CURLOPT_MAIL_FROM, "<\(sender)>")
        _ = kith_curl_set_pointer(handle, CURLOPT_MAIL_RCPT, recipients)
        _ = kith_curl_set_long(handle, CURLOPT_UPLOAD, 1)
        _ = kith_curl_set_pointer(handle, CURLOPT_READDATA, Unmanaged.passUnretained(self).toOpaque())
        _ = kith_curl_set_read(handle) { target, size, count, source in
            guard let target, let source else { return 0 }
            return Unmanaged<MailTransfer>.fromOpaque(source).takeUnretainedValue().give(UnsafeMutableRawPointer(target), size * count)
        }
        // What the server says goes nowhere: it may name the person.
        _ = kith_curl_set_write(handle) { _, size, count, _ in size * count }
        let code = curl_easy_perform(handle)
        var status = 0
        _ = kith_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return outcome(code, status)
    }

    private func outcome(_ code: CURLcode, _ status: Int) -> MailServer.Outcome {
        if code == CURLE_OK { return .accepted }
        // Wrong credentials and a server that turns everybody away are no fault of the letter. The number is the last one heard.
        let isAboutLetter = code == CURLE_SEND_ERROR || (code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY) && position > 0
        if isAboutLetter, (500..<600).contains(status) { return .refused(reason: "The mail server answered \(status).") }
        if isAboutLetter, (400..<500).contains(status) { return .again(reason: "The mail server answered \(status).", isReachable: true) }
        return .again(reason: String(cString: curl_easy_strerror(code)) + ".", isReachable: false)
    }

    private func give(_ target: UnsafeMutableRawPointer, _ room: Int) -> Int {
        let count = min(room, message.count - position)
        guard count > 0 else { return 0 }
        message.withUnsafeBytes { source in
            if let start = source.baseAddress { target.copyMemory(from: start + position, byteCount: count) }
        }
        position += count
        return count
    }
}
