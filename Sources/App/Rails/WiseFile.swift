import Money
import Web

/// Wise's batch template of payments by mail ("Send by email"): who is paid gives Wise the account themselves.
enum WiseFile {
    /// Payments of one file that Wise takes.
    static let paymentsMax = 1_000
    static let columns = ["name", "recipientEmail", "paymentReference", "receiverType", "amountCurrency", "amount", "sourceCurrency", "targetCurrency"]

    static func csv(_ payout: Payout, _ payments: [PayoutFile.Payment], sourceCurrency: String?, isTest: Bool) throws -> String {
        guard payments.count <= paymentsMax else {
            throw Problem.conflict(
                code: "above_wise", detail: "Wise takes \(paymentsMax) payments in a file, this payout has \(payments.count). Make batches of fewer.")
        }
        let rows = try payments.map { payment -> [CSVCell] in
            guard payment.account.kind == .wise, let target = payment.account.currency else {
                throw Problem.conflict(
                    code: "not_wise", detail: "The member \(payment.item.memberID) is not paid by Wise. Leave them out, or make a batch with \"kinds\": [\"wise\"].")
            }
            let source = sourceCurrency ?? payout.unit.code
            // What is owed is exact in its own currency: on the recipient's side when that is it, else on ours.
            guard target == payout.unit.code || source == payout.unit.code else {
                throw Problem.conflict(
                    code: "wise_currency",
                    detail: "The member \(payment.item.memberID) is paid in \(target) and Wise in \(source), but \(payout.unit.code) is owed: one of the two must be \(payout.unit.code).")
            }
            return [
                .text(name(payment.name)), .text(payment.account.number), .text(isTest ? "TEST \(payment.reference)" : payment.reference), .text("PERSON"),
                .text(target == payout.unit.code ? "target" : "source"), .number(Amount(minor: payment.item.amountMinor).decimalText(exponent: payout.unit.exponent)),
                .text(source), .text(target),
            ]
        }
        return CSVCell.text([columns.map { CSVCell.text($0) }] + rows)
    }

    /// No spreadsheet runs it, and Wise compares it with the account: instead of an apostrophe before it, the signs that begin a formula go.
    private static func name(_ name: String) -> String {
        let signs = "=+-@\t\r\n\u{0} ".unicodeScalars
        return String(String.UnicodeScalarView(name.unicodeScalars.drop { signs.contains($0) }))
    }
}
