import CCurl
import CNIOLinux
import Dispatch
import Foundation

/// Requests to other servers: the only way out. No redirects, limits on time and size, and a check of the address that is really
/// connected to. What goes wrong outside is a value: the caller shows it.
struct Outbound: Sendable {
    struct Request: Sendable {
        var method = "POST"
        var url: String
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var timeoutMs = 10_000
        var answerBytesMax = 1 << 20
        /// Reads the beginning of a longer answer instead of refusing it.
        var cutsAnswer = false
        /// Without TLS only networks that the operator lists are connected to.
        var encryptsUnlessAllowed = false
    }

    enum Outcome: Sendable, Equatable {
        case answered(status: Int, headers: [String: String], body: [UInt8])
        /// The address is private, or the connection, TLS or time failed. A sentence for people.
        case failed(reason: String)
    }

    /// Requests under way at once, without another number; more wait.
    static let concurrencyMax = 16

    private let guardian: Guardian
    private let listed: Guardian
    private let queue = DispatchQueue(label: "kith.outbound", attributes: .concurrent)
    private let slots: DispatchSemaphore

    /// - Parameter concurrency: how many requests may be under way at once.
    init(allowed: [String], concurrency: Int = concurrencyMax) {
        slots = DispatchSemaphore(value: concurrency)
        guardian = Guardian(PublicAddress(allowed: allowed))
        listed = Guardian(PublicAddress(allowed: allowed, isPublicAllowed: false))
    }

    func send(_ request: Request) async -> Outcome {
        await withCheckedContinuation { continuation in
            let isOpen = request.encryptsUnlessAllowed && request.url.lowercased().hasPrefix("http:")
            let guardian = isOpen ? listed : guardian
            queue.async { [slots] in
                slots.wait()
                defer { slots.signal() }
                continuation.resume(returning: Transfer(request, guardian).perform())
            }
        }
    }

    /// What the open-socket callback asks; it outlives every transfer.
    final class Guardian: Sendable {
        let addresses: PublicAddress
        init(_ addresses: PublicAddress) { self.addresses = addresses }
    }
}

/// One request on one libcurl handle, on one thread.
private final class Transfer {
    private let request: Outbound.Request
    private let guardian: Outbound.Guardian
    private var received: [UInt8] = []
    private var headers: [String: String] = [:]
    private var isTooLarge = false

    init(_ request: Outbound.Request, _ guardian: Outbound.Guardian) {
        self.request = request
        self.guardian = guardian
    }

    func perform() -> Outbound.Outcome {
        guard let parts = URLComponents(string: request.url), let scheme = parts.scheme?.lowercased(), scheme == "https" || scheme == "http",
            parts.host?.isEmpty == false, parts.user == nil, parts.password == nil
        else { return .failed(reason: "The address must begin with https:// or http:// and name a host without user name.") }
        guard request.headers.allSatisfy({ Self.isPlain($0.name) && Self.isPlain($0.value) }) else {
            return .failed(reason: "A header holds a line break.")
        }
        guard let handle = curl_easy_init() else { return .failed(reason: "No memory was left for the request.") }
        defer { curl_easy_cleanup(handle) }
        var list: UnsafeMutablePointer<curl_slist>?
        for header in request.headers { list = curl_slist_append(list, "\(header.name): \(header.value)") }
        list = curl_slist_append(list, "Expect:")
        defer { curl_slist_free_all(list) }
        let code = configureAndRun(handle, list)
        if isTooLarge, !request.cutsAnswer { return .failed(reason: "The answer was larger than \(request.answerBytesMax) bytes.") }
        guard code == CURLE_OK || (isTooLarge && code == CURLE_WRITE_ERROR) else { return .failed(reason: Self.sentence(code)) }
        var status = 0
        _ = kith_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return .answered(status: status, headers: headers, body: received)
    }

    private func configureAndRun(_ handle: UnsafeMutableRawPointer, _ list: UnsafeMutablePointer<curl_slist>?) -> CURLcode {
        let me = Unmanaged.passUnretained(self).toOpaque()
        _ = kith_curl_set_text(handle, CURLOPT_URL, request.url)
        _ = kith_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = kith_curl_set_text(handle, CURLOPT_PROXY, "")
        _ = kith_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        _ = kith_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        _ = kith_curl_set_long(handle, CURLOPT_TIMEOUT_MS, request.timeoutMs)
        _ = kith_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, min(5_000, request.timeoutMs))
        _ = kith_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
        _ = kith_curl_set_pointer(handle, CURLOPT_HTTPHEADER, list)
        _ = kith_curl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, Unmanaged.passUnretained(guardian).toOpaque())
        _ = kith_curl_set_open_socket(handle) { context, _, address in
            guard let context, let address else { return -1 }
            let guardian = Unmanaged<Outbound.Guardian>.fromOpaque(context).takeUnretainedValue()
            guard let bytes = Transfer.addressBytes(address), guardian.addresses.mayConnect(bytes) else { return -1 }
            return socket(address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
        }
        _ = kith_curl_set_pointer(handle, CURLOPT_WRITEDATA, me)
        _ = kith_curl_set_write(handle) { bytes, size, count, target in
            guard let bytes, let target else { return 0 }
            return Unmanaged<Transfer>.fromOpaque(target).takeUnretainedValue().take(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = kith_curl_set_pointer(handle, CURLOPT_HEADERDATA, me)
        _ = kith_curl_set_header(handle) { bytes, size, count, target in
            guard let bytes, let target else { return 0 }
            return Unmanaged<Transfer>.fromOpaque(target).takeUnretainedValue().takeHeader(
                UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        guard !request.body.isEmpty else { return curl_easy_perform(handle) }
        return request.body.withUnsafeBytes { body in
            _ = kith_curl_set_long(handle, CURLOPT_POSTFIELDSIZE, body.count)
            _ = kith_curl_set_pointer(handle, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: body.baseAddress))
            return curl_easy_perform(handle)
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard received.count + bytes.count <= request.answerBytesMax else {
            isTooLarge = true
            if request.cutsAnswer { received.append(contentsOf: bytes.prefix(request.answerBytesMax - received.count)) }
            return 0
        }
        received.append(contentsOf: bytes)
        return bytes.count
    }

    private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        let line = String(decoding: bytes, as: UTF8.self)
        if let colon = line.firstIndex(of: ":"), headers.count < 100 {
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return bytes.count
    }

    private static func addressBytes(_ address: UnsafeMutablePointer<curl_sockaddr>) -> [UInt8]? {
        withUnsafePointer(to: &address.pointee.addr) { generic in
            // By their places, because no module surely owns the fields of `sockaddr_in` and `sockaddr_in6`.
            let bytes = UnsafeRawPointer(generic)
            let places: Range<Int>
            switch Int32(generic.pointee.sa_family) {
            case AF_INET: places = 4..<8
            case AF_INET6: places = 8..<24
            default: return nil
            }
            return places.map { bytes.load(fromByteOffset: $0, as: UInt8.self) }
        }
    }

    private static func sentence(_ code: CURLcode) -> String {
        code == CURLE_COULDNT_CONNECT
            ? "No connection was made: nobody listens there, or the address is not public."
            : String(cString: curl_easy_strerror(code)) + "."
    }

    private static func isPlain(_ text: String) -> Bool { !text.utf8.contains { $0 < 0x20 || $0 == 0x7F } }
}
