import CCurl
import Foundation
import HTTPTypes
import Web

/// Speaks to a running server through its Unix socket.
enum CommandClient {
    static let timeoutSeconds = 600
    /// A file of millions of rows takes hours; it goes on when nobody waits for it any more.
    static let importTimeoutSeconds = 12 * 3_600

    /// There is no socket, or nobody listens at it.
    struct NobodyAnswers: Error {}

    static func send(_ name: String, _ arguments: JSONValue, socket: String) async throws -> JSONValue {
        let answer = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<JSONValue, any Error>) in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try sendNow(name, arguments, socket: socket) })
            }
        }
        if case .text(let detail)? = answer["detail"], case .number(let status)? = answer["status"], (status.integer ?? 0) >= 400 {
            let errors = (answer["errors"]?.elements ?? []).map {
                FieldError(field: $0["field"]?.string ?? "", message: $0["message"]?.string ?? "")
            }
            throw Problem(status: .badRequest, code: "command_refused", detail: detail, errors: errors)
        }
        return answer
    }

    private static func sendNow(_ name: String, _ arguments: JSONValue, socket: String) throws -> JSONValue {
        guard FileManager.default.fileExists(atPath: socket), let handle = curl_easy_init() else { throw NobodyAnswers() }
        defer { curl_easy_cleanup(handle) }
        var received: [UInt8] = []
        let body = String(decoding: arguments.bytes, as: UTF8.self)
        let headers = curl_slist_append(nil, "Content-Type: application/json")
        defer { curl_slist_free_all(headers) }
        let code = withUnsafeMutablePointer(to: &received) { pointer -> CURLcode in
            kith_curl_set_text(handle, CURLOPT_URL, "http://localhost/commands/\(name)")
            kith_curl_set_text(handle, CURLOPT_UNIX_SOCKET_PATH, socket)
            kith_curl_set_text(handle, CURLOPT_COPYPOSTFIELDS, body)
            kith_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headers)
            kith_curl_set_long(handle, CURLOPT_TIMEOUT, name.hasPrefix("import-") ? importTimeoutSeconds : timeoutSeconds)
            kith_curl_set_pointer(handle, CURLOPT_WRITEDATA, pointer)
            kith_curl_set_write(handle) { bytes, size, count, target in
                guard let bytes, let target else { return 0 }
                let length = size * count
                let raw = UnsafeRawBufferPointer(start: bytes, count: length)
                target.assumingMemoryBound(to: [UInt8].self).pointee.append(contentsOf: raw)
                return length
            }
            return curl_easy_perform(handle)
        }
        if code == CURLE_COULDNT_CONNECT { throw NobodyAnswers() }
        guard code == CURLE_OK else {
            throw Problem.unavailable(
                detail: "The running Kith does not answer on \(socket): \(String(cString: curl_easy_strerror(code))).", retryAfterSeconds: 1)
        }
        return try JSONValue.parse(received, maximumBytes: CommandSocket.bodyMaxBytes)
    }
}
