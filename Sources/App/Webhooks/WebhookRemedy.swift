/// What a webhook that fails needs, by how its last try ended.
enum WebhookRemedy: String, CaseIterable, Sendable {
    case redirect, unauthorized, notFound, gone, tooMany, turnedAway, broken, silent

    /// Nil for a try that succeeded. A status of nil: nobody answered.
    init?(status: Int64?) {
        switch status {
        case nil: self = .silent
        case .some(200..<300): return nil
        case .some(300..<400): self = .redirect
        case 401, 403: self = .unauthorized
        case 404, 405: self = .notFound
        case 410: self = .gone
        case 429: self = .tooMany
        case .some(400..<500): self = .turnedAway
        default: self = .broken
        }
    }
}
