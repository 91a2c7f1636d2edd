/// What one client may take from the server. Each limit is checked by the server itself, before any handler runs.
public struct ServerLimits: Sendable {
    /// Seconds from the first byte of a connection, or from the end of the last answer, to the end of the next request's head.
    public var headerDeadlineSeconds: Int = 10
    /// Seconds from the end of the head to the end of the body, however small the pieces are.
    public var bodyDeadlineSeconds: Int = 30
    /// Seconds a kept connection may wait for its next request.
    public var idleSeconds: Int = 60
    /// Seconds in which a client must take in some of an answer it is being sent.
    public var writeStallSeconds: Int = 30
    /// Seconds between an answer with `Connection: close` and the end of the connection, so that a client still sending can read it.
    public var lingerSeconds: Int = 2
    /// Connections at once; more wait in the backlog.
    public var maximumConnections: Int = 4096
    /// Connections the system keeps waiting.
    public var backlog: Int = 1024
    /// Bytes of one header line.
    public var maximumHeaderFieldBytes: Int = 8 * 1024
    /// Bytes of all header lines.
    public var maximumHeaderBytes: Int = 32 * 1024
    public var maximumHeaderCount: Int = 100

    public init() {}
}

/// The limits of bodies, in bytes. A route that needs more names its own limit.
public enum BodyLimit {
    /// A JSON body of the API.
    public static let apiBytes = 64 * 1024
    /// A form.
    public static let formBytes = 64 * 1024
    /// A vendor's webhook.
    public static let webhookBytes = 256 * 1024
}
