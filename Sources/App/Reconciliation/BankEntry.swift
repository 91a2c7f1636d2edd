import Chronology
import Money

/// One thing that a bank or provider says about payments: a status, or an entry on the account.
struct BankEntry: Sendable, Equatable {
    enum Meaning: String, Sendable, CaseIterable {
        /// It is on its way: nothing changes.
        case accepted
        /// A report says that it was carried out.
        case settled
        /// The account was charged.
        case booked
        /// It never left.
        case rejected
        /// It left and came back.
        case returned
        /// Nothing to do with payments of ours.
        case other
    }

    /// Where in the file it stands.
    var line: Int
    var meaning: Meaning
    /// About a whole batch, not one payment.
    var isBatch = false
    /// What the bank calls the entry.
    var bankReference: String?
    /// What we called the payment.
    var endToEndID: String?
    /// What we called the file or the batch in it.
    var batchReference: String?
    /// Nil where a report does not say.
    var amountMinor: Int64?
    var currency: String?
    var bookedOn: LocalDay?
    /// The bank's own word: ACSC, RJCT, BOOK.
    var status: String?
    var reasonCodes: [String] = []
    /// People's data: sealed wherever it is kept.
    var counterparty = Counterparty()

    struct Counterparty: Sendable, Equatable {
        var name: String?
        var account: String?
        /// What stands in the entry for its reader.
        var text: String?
    }

    /// Texts in which our references may stand, the likeliest first.
    var references: [String] { [endToEndID, batchReference, bankReference, counterparty.text].compactMap { $0 } }

    /// What makes it this entry and no other, wherever it is told again. Whom it names is no part of it.
    func identity(_ format: BankFile.Format, account: String?, turn: Int) -> String {
        let parts = [
            format.family, account ?? "", meaning.rawValue, isBatch ? "batch" : "line",
            // A report's own number is of the report, not of what it says.
            format == .pain002 ? "" : bankReference ?? "", endToEndID ?? "", batchReference ?? "",
            amountMinor.map { String($0) } ?? "", currency ?? "", bookedOn?.iso8601 ?? "", status ?? "", reasonCodes.joined(separator: " "),
            // A report that says the same twice says it once; an account can be charged twice.
            format == .pain002 ? "" : String(turn),
        ]
        return parts.map { "\($0.utf8.count):\($0)" }.joined()
    }
}

/// Why a payment was not made or came back, as ISO 20022 codes it (External Code Sets: ExternalStatusReason1Code, ExternalReturnReason1Code).
enum BankReason: String, Sendable, CaseIterable {
    case AC01, AC03, AC04, AC06, AC13, AG01, AG02, AM01, AM02, AM04, AM05, AM09, AM10, BE01, BE04, BE05, CNOR, CURR, CUST, DNOR, DT01, DUPL, ED05, FF01, FOCR
    case MD07, MS02, MS03, NARR, NOAS, RC01, RF01, RR01, RR02, RR03, RR04, TECH, TM01

    /// The catalogue's key of its words.
    var messageKey: String { "reconciliation.reason.\(rawValue.lowercased())" }
}
