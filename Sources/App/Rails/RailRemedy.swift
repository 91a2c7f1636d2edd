/// What a rail needs that refused, by the provider's word.
enum RailRemedy: String, CaseIterable, Sendable {
    case credentials, balance, permission, address, notConnected, provider

    init(code: String) {
        let code = code.lowercased()
        func says(_ words: String...) -> Bool { words.contains { code.contains($0) } }
        if says("not_connected") {
            self = .notConnected
        } else if code.hasPrefix("http_") {
            self = .address
        } else if says("insufficient") {
            self = .balance
        } else if says("credential", "authentication", "invalid_client", "api_key", "unauthorized", "token") {
            self = .credentials
        } else if says("authorization", "permission", "not_authorized", "not_allowed", "forbidden", "restricted") {
            self = .permission
        } else {
            self = .provider
        }
    }
}
