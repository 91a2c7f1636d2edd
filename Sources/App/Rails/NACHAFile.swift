import Chronology
import Foundation
import Money
import Persistence
import Web

/// Credits to American accounts (Nacha operating rules, appendix three: PPD entries without addenda): lines of 94 characters, in blocks of ten.
struct NACHAFile {
    /// Ten digits of an entry's amount: 99,999,999.99.
    static let amountMinorMax: Int64 = 9_999_999_999
    /// Twelve digits of a batch's sum.
    static let totalMinorMax: Int64 = 999_999_999_999
    static let width = 94
    static let blockLines = 10
    /// Banks book by the days of New York.
    static let zone = "America/New_York"

    var company: NACHACompany
    var payout: Payout
    var payments: [PayoutFile.Payment]
    /// How many batches of the currency were approved before this one.
    var ordinal: Int
    var isTest: Bool
    var now: Instant

    func text() throws -> String {
        guard payout.unit.code == "USD" else {
            throw Problem.conflict(code: "not_dollar", detail: "A NACHA file is for dollars only, this payout is in \(payout.unit.code). Take the CSV file.")
        }
        let total = payments.reduce(Int64(0)) { $0 &+ $1.item.amountMinor }
        guard payments.allSatisfy({ $0.item.amountMinor <= Self.amountMinorMax }), total <= Self.totalMinorMax else {
            throw Problem.conflict(code: "above_nacha", detail: "An amount is above what one NACHA entry or batch holds. Take the CSV file.")
        }
        guard let zone = Zone(Self.zone) else { throw Problem.internalError }
        let today = zone.day(of: now)
        let entries = try payments.enumerated().map { try entry($1, number: $0 + 1) }
        let hash = Self.digits(payments.reduce(Int64(0)) { $0 &+ (Int64(($1.account.routing ?? "").prefix(8)) ?? 0) } % 10_000_000_000, 10)
        let batchControl = "8220" + Self.digits(Int64(entries.count), 6) + hash + Self.digits(0, 12) + Self.digits(total, 12) + Self.left(company.companyID, 10)
            + Self.left("", 25) + company.originatingRouting.prefix(8) + "0000001"
        let count = entries.count + 4
        let blocks = (count + Self.blockLines - 1) / Self.blockLines
        let fileControl = "9000001" + Self.digits(Int64(blocks), 6) + Self.digits(Int64(entries.count), 8) + hash + Self.digits(0, 12) + Self.digits(total, 12)
            + Self.left("", 39)
        let fill = Array(repeating: String(repeating: "9", count: Self.width), count: blocks * Self.blockLines - count)
        return ([fileHeader(today, zone), batchHeader(today)] + entries + [batchControl, fileControl] + fill).map { $0 + "\r\n" }.joined()
    }

    private func fileHeader(_ today: LocalDay, _ zone: Zone) -> String {
        let minutes = zone.timeOfDayMs(of: now) / 60_000
        return "101" + " " + company.destination + Self.right(company.origin, 10) + Self.day(today) + Self.digits(minutes / 60, 2) + Self.digits(minutes % 60, 2)
            + modifier + "094101" + Self.left(company.destinationName, 23) + Self.left(isTest ? "TEST \(company.name)" : company.name, 23)
            + Self.left(isTest ? "TEST" : "", 8)
    }

    /// Two files of one day differ in it: 36 batches in a row do.
    private var modifier: String { String(Self.modifiers[ordinal % Self.modifiers.count]) }

    private static let modifiers = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")

    private func batchHeader(_ today: LocalDay) -> String {
        "5220" + Self.left(company.name, 16) + Self.left(String(payout.id.text.suffix(20)), 20) + Self.left(company.companyID, 10) + "PPD"
            + Self.left(isTest ? "TEST" : company.entryDescription, 10) + Self.day(today) + Self.day(Self.effectiveDay(after: today)) + "   " + "1"
            + company.originatingRouting.prefix(8) + "0000001"
    }

    private func entry(_ payment: PayoutFile.Payment, number: Int) throws -> String {
        guard payment.account.kind == .ach, let routing = payment.account.routing else {
            throw Problem.conflict(
                code: "not_ach",
                detail: "The member \(payment.item.memberID) is not paid to an American account. Leave them out, or make a batch with \"kinds\": [\"ach\"].")
        }
        let code = payment.account.accountType == .savings ? "32" : "22"
        return "6" + code + routing + Self.left(payment.account.number, 17) + Self.digits(payment.item.amountMinor, 10) + Self.left(payment.shortReference, 15)
            + Self.left(payment.name, 22) + "  0" + company.originatingRouting.prefix(8) + Self.digits(Int64(number), 7)
    }

    /// The next day on which banks work by the week; on holidays they book a day later by themselves.
    static func effectiveDay(after today: LocalDay) -> LocalDay {
        var day = today
        repeat { day = (try? day.adding(days: 1)) ?? day } while day.weekday > 5 && day < .latest
        return day
    }

    // MARK: Fields

    private static func day(_ day: LocalDay) -> String { digits(Int64(day.year % 100), 2) + digits(Int64(day.month), 2) + digits(Int64(day.day), 2) }

    private static func digits(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text.suffix(width)
    }

    private static func left(_ text: String, _ width: Int) -> String {
        let plain = plain(text).prefix(width)
        return plain + String(repeating: " ", count: width - plain.utf8.count)
    }

    private static func right(_ text: String, _ width: Int) -> String {
        let plain = plain(text).prefix(width)
        return String(repeating: " ", count: width - plain.utf8.count) + plain
    }

    /// Capitals, digits and the simple signs: what is none becomes its Latin likeness or a blank.
    private static func plain(_ text: String) -> String {
        let latin = text.applyingTransform(StringTransform("Any-Latin; Latin-ASCII"), reverse: false) ?? text
        let bytes = latin.uppercased().unicodeScalars.map { scalar -> UInt8 in
            (0x20...0x7E).contains(scalar.value) ? UInt8(truncatingIfNeeded: scalar.value) : 0x20
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
