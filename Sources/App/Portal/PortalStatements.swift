import Chronology
import Hummingbird
import Money
import Persistence
import Web

/// A member's own statements: for each month, for each payment, or for days they choose; as a page and as a PDF.
enum PortalStatements {
    static let monthsMax = 24
    static let paymentsMax = 24

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/statements", gate) { visit in try await list(visit) }
        api.portalPage("/portal/statement", gate) { visit in try await show(visit) }
        api.portalPage("/portal/statement.pdf", gate) { visit in
            let (sheet, period) = try await sheet(visit)
            return period.isRefused ? visit.seeOther("/portal/statement?until=none") : try StatementPages.file(sheet, period)
        }
    }

    static func url(from: LocalDay, until: LocalDay, isPDF: Bool = false) -> String {
        "/portal/statement\(isPDF ? ".pdf" : "")?from=\(from.iso8601)&until=\(until.iso8601)"
    }

    static func url(from: Instant, until: Instant, zone: Zone) -> String { url(from: zone.day(of: from), until: zone.day(of: until)) }

    private static func list(_ visit: PortalVisit) async throws -> Response {
        let (member, language) = (visit.member, visit.language)
        let payments = try await visit.installation.main.read { connection in
            try PortalStore.payments(of: member.id, limit: paymentsMax, on: connection)
        }
        let today = language.zone.day(of: visit.now)
        return try visit.page(
            "portal-statements", title: language("portalStatements.title"), tab: .earnings,
            [
                "months": PageValue(try months(from: language.zone.day(of: member.joinedAt), until: today).map { try month($0, today, language) }),
                "hasPayments": .flag(!payments.isEmpty),
                "payments": PageValue(
                    payments.map { payment in
                        PageObject([
                            "url": .text("/portal/payments/\(payment.id.text)"), "title": .text(language("portalEarnings.payment.\(payment.state.rawValue)")),
                            "why": .text(language.day(payment.at)), "amount": .text(language.money(payment.amountMinor, payment.unit)),
                        ])
                    }),
                "from": .text(String(today.iso8601.prefix(4)) + "-01-01"), "until": .text(today.iso8601),
            ])
    }

    /// The first days of the months since somebody joined, the newest first.
    private static func months(from first: LocalDay, until today: LocalDay) throws -> [LocalDay] {
        var months: [LocalDay] = []
        var day = try LocalDay(iso8601: String(today.iso8601.prefix(8)) + "01")
        let oldest = try LocalDay(iso8601: String(first.iso8601.prefix(8)) + "01")
        while day >= oldest, months.count < monthsMax {
            months.append(day)
            day = try LocalDay(iso8601: String(day.adding(days: -1).iso8601.prefix(8)) + "01")
        }
        return months.isEmpty ? [day] : months
    }

    private static func month(_ first: LocalDay, _ today: LocalDay, _ language: PageLanguage) throws -> PageObject {
        // The 28th and four days more lie in the next month, whatever the month.
        let next = try LocalDay(iso8601: String(try first.adding(days: 31).iso8601.prefix(8)) + "01")
        let last = min(try next.adding(days: -1), today)
        let name = language.messages.formatter.monthName(epochMs: first.startInUTC.millisecondsSince1970, timeZone: "UTC")
        let title = language("portalStatements.month", ["month": name, "year": String(first.year)])
        return [
            "title": .text(title), "url": .text(url(from: first, until: last)), "pdfURL": .text(url(from: first, until: last, isPDF: true)),
            "pdfLabel": .text(language("portalStatements.pdfOf", ["month": title])),
        ]
    }

    private static func sheet(_ visit: PortalVisit) async throws -> (StatementSheet, StatementPeriod) {
        let (member, workspace, vault, language) = (visit.member, visit.session.workspace, visit.installation.vault, visit.language)
        let period = StatementPeriod(from: visit.query["from"], until: visit.query["until"], now: visit.now, zone: language.zone)
        let sheet = try await visit.installation.main.read { connection in
            let statement = try Statement.make(of: member.id, from: period.from, until: period.until, in: workspace.id, on: connection)
            return try StatementSheet.make(statement, of: member, in: workspace, for: .member, vault: vault, language: language, on: connection)
        }
        return (sheet, period)
    }

    private static func show(_ visit: PortalVisit) async throws -> Response {
        let (sheet, period) = try await sheet(visit)
        var page = sheet.page
        page["pdfURL"] = .text(url(from: period.fromDay, until: period.lastDay, isPDF: true))
        let notice = period.isRefused ? visit.language("statement.refused") : nil
        return try visit.page("portal-statement", title: visit.language("portalStatement.title"), tab: .earnings, notice: notice, page)
    }
}
