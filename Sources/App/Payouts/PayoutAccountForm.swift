import Persistence
import Web

/// An account as a person types it: which fields belong to which kind, and what was wrong, field by field.
struct PayoutAccountForm: Sendable {
    static let names = ["holder", "iban", "bic", "accountNumber", "routingNumber", "accountType", "email", "currency", "stripeAccount", "reference"]

    var kind: PayoutAccount.Kind
    /// What was typed, by field.
    var typed: [String: String]

    init(_ fields: FormFields, standard: PayoutAccount.Kind = .iban) {
        kind = fields["kind"].flatMap { PayoutAccount.Kind(rawValue: $0) } ?? standard
        typed = Self.names.reduce(into: [:]) { $0[$1] = fields[$1] ?? "" }
    }

    /// Fields of a kind; the others are left alone.
    static func names(_ kind: PayoutAccount.Kind) -> [String] {
        switch kind {
        case .iban: ["holder", "iban", "bic"]
        case .ach: ["holder", "accountNumber", "routingNumber", "accountType"]
        case .paypal: ["holder", "email"]
        case .stripe: ["holder", "stripeAccount"]
        case .wise: ["holder", "email", "currency"]
        case .external: ["holder", "reference"]
        }
    }

    enum Outcome: Sendable {
        case read(PayoutAccountDetails)
        /// The names of the fields that can't be right.
        case refused(Set<String>)
    }

    func read() -> Outcome {
        var members = [JSONMember("kind", .text(kind.rawValue))]
        for name in Self.names(kind) {
            guard let text = typed[name], !text.allSatisfy(\.isWhitespace) else { continue }
            // One field for both: a payer id is no mail.
            let isPayer = name == "email" && kind == .paypal && PayoutAccountDetails.payerID(text) != nil
            members.append(JSONMember(isPayer ? "payerId" : name, .text(text)))
        }
        do {
            let reader = try JSONReader(.object(members))
            let details = PayoutAccountDetails.read(reader)
            try reader.finish()
            return .read(details)
        } catch let problem as Problem {
            let known = Set(problem.errors.map(\.field))
            return .refused(known.isEmpty ? ["kind"] : known)
        } catch {
            return .refused(["kind"])
        }
    }
}
