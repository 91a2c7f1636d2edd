public import Foundation
#if canImport(FoundationNetworking)
internal import FoundationNetworking
#endif

/// A request as the client makes it.
public struct HTTPRequest: Sendable, Equatable {
    public var method: String
    public var url: URL
    public var headers: [String: String]
    public var body: Data?
    public var timeoutSeconds: Double
}

/// An answer as it came.
public struct HTTPAnswer: Sendable, Equatable {
    public var status: Int
    /// By names in lower case.
    public var headers: [String: String]
    public var body: Data

    public init(status: Int, headers: [String: String] = [:], body: Data = Data()) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// No answer came.
public enum TransportFailure: Error, Sendable, Equatable {
    /// With a sentence for people.
    case noAnswer(String)
    case answerTooLarge
    case cancelled
}

/// What carries requests. Servers with an HTTP client of their own can give it here.
public protocol HTTPTransport: Sendable {
    /// Must not follow redirects: the key would go along.
    func send(_ request: HTTPRequest) async throws(TransportFailure) -> HTTPAnswer
}

/// Foundation's `URLSession`, without cookies, caches and redirects.
public final class URLSessionTransport: HTTPTransport {
    /// The most bytes of an answer.
    public static let answerBytesMax = 16 * 1024 * 1024

    private let session: URLSession

    public init() {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        configuration.urlCache = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        session = URLSession(configuration: configuration, delegate: Staying(), delegateQueue: nil)
    }

    deinit { session.finishTasksAndInvalidate() }

    public func send(_ request: HTTPRequest) async throws(TransportFailure) -> HTTPAnswer {
        var wanted = URLRequest(url: request.url, timeoutInterval: request.timeoutSeconds)
        wanted.httpMethod = request.method
        wanted.httpBody = request.body
        for (name, value) in request.headers { wanted.setValue(value, forHTTPHeaderField: name) }
        let answer = await answer(to: wanted)
        return try answer.get()
    }

    /// What comes first: the answer, or the end of its time. (Foundation's own timeout does not end a silence everywhere.)
    private func answer(to request: URLRequest) async -> Result<HTTPAnswer, TransportFailure> {
        await withTaskGroup(of: Result<HTTPAnswer, TransportFailure>.self) { group in
            group.addTask { [session] in await Self.exchange(request, session) }
            group.addTask {
                do {
                    try await Task.sleep(nanoseconds: UInt64(min(max(request.timeoutInterval, 0.001), 3_600) * 1_000_000_000))
                    return .failure(.noAnswer("No answer came in \(request.timeoutInterval) seconds."))
                } catch {
                    return .failure(.cancelled)
                }
            }
            let first = await group.next() ?? .failure(.cancelled)
            group.cancelAll()
            return first
        }
    }

    private static func exchange(_ request: URLRequest, _ session: URLSession) async -> Result<HTTPAnswer, TransportFailure> {
        do {
            let (body, response) = try await session.data(for: request)
            guard let response = response as? HTTPURLResponse else { return .failure(.noAnswer("What answered is no web server.")) }
            guard body.count <= answerBytesMax else { return .failure(.answerTooLarge) }
            var headers: [String: String] = [:]
            for (name, value) in response.allHeaderFields { headers["\(name)".lowercased()] = "\(value)" }
            return .success(HTTPAnswer(status: response.statusCode, headers: headers, body: body))
        } catch {
            if Task.isCancelled || error is CancellationError || (error as? URLError)?.code == .cancelled { return .failure(.cancelled) }
            return .failure(.noAnswer(error.localizedDescription))
        }
    }

    /// Takes a redirect as the answer it is.
    private final class Staying: NSObject, URLSessionTaskDelegate {
        func urlSession(
            _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
            completionHandler: @escaping @Sendable (URLRequest?) -> Void
        ) { completionHandler(nil) }
    }
}
