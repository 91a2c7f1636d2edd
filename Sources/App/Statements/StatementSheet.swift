import Chronology
import Ledger
import Money
import Persistence
import Web

/// A statement in finished words: what the page and the PDF both show.
struct StatementSheet: Sendable {
    /// Where the causes of lines lead: the team's pages, or the member's own.
    enum Reader: Sendable { case team, member }

    struct Line: Sendable {
        var at: Instant
        var day: String
        var what: String
        var url: String?
        var amount: String
    }

    struct Part: Sendable {
        var unit: String
        var opening: String
        var lines: [Line]
        var closing: String
        /// What the end's balance is made of.
        var made: [(label: String, amount: String)]
    }

    var memberID: MemberID
    var company: Company
    var recipient: String
    var recipientDetails: String
    var period: String
    var parts: [Part]
    var language: PageLanguage

    static func make(
        _ statement: Statement, of member: Member, in workspace: Workspace, for reader: Reader, vault: Vault, language: PageLanguage,
        on connection: any Connection
    ) throws -> StatementSheet {
        let causes = statement.parts.flatMap { $0.lines.map(\.cause) }
        let say = try words(of: causes, for: reader, of: member, in: workspace, vault: vault, language: language, on: connection)
        let fields = try PersonStore.fields(of: [member.personID], [.name, .email], vault: vault, on: connection)[member.personID] ?? [:]
        let lastDay = language.zone.day(of: (try? statement.until.adding(milliseconds: -1)) ?? statement.until)
        return StatementSheet(
            memberID: member.id, company: try Company.of(workspace, on: connection),
            recipient: fields[.name] ?? fields[.email] ?? language("person.unknown"), recipientDetails: fields[.name] == nil ? "" : fields[.email] ?? "",
            period: language(
                "statement.period",
                ["from": language.day(statement.from), "until": language.day(language.zone.start(of: lastDay))]),
            parts: statement.parts.map { part in
                Part(
                    unit: part.unit.code, opening: language.amount(part.openingMinor, part.unit),
                    lines: part.lines.map { line in
                        let (what, url) = say(line)
                        return Line(
                            at: line.recordedAt, day: language.day(line.recordedAt), what: what, url: url,
                            amount: language.amount(line.amountMinor, part.unit))
                    }, closing: language.amount(part.closingMinor, part.unit),
                    made: [
                        ("pending", part.closing.pending.minor), ("held", part.closing.held.minor), ("available", part.closing.available.minor),
                        ("inPayout", part.closing.inPayout.minor), ("debt", -part.closing.debt.minor),
                    ].filter { $0.1 != 0 }.map { (language("statement.made.\($0.0)"), language.amount($0.1, part.unit)) })
            }, language: language)
    }

    /// What lines are called and where they lead. Buyers' orders are none of the member's.
    private static func words(
        of causes: [String], for reader: Reader, of member: Member, in workspace: Workspace, vault: Vault, language: PageLanguage,
        on connection: any Connection
    ) throws -> (Statement.Line) -> (what: String, url: String?) {
        switch reader {
        case .member:
            let known = try PortalCauses.load(causes, of: member.id, language: language, on: connection)
            return { line in (known.what(line.purpose), known.url(line.cause)) }
        case .team:
            let words = try LedgerWords.load(paths: [], causes: causes, in: workspace.id, vault: vault, language: language, on: connection)
            return { line in
                let cause = words.cause(line.cause)
                var (what, url) = (words.purpose(line.purpose), String?.none)
                if case .text(let text)? = cause["url"] { url = text }
                if case .text(let text)? = cause["text"] { what = language("statement.what", ["purpose": what, "cause": text]) }
                return (what, url)
            }
        }
    }
}

extension StatementSheet: PageModel {
    var page: PageObject {
        [
            "company": .text(company.name), "companyLines": PageValue(company.lines), "recipient": .text(recipient),
            "recipientDetails": PageValue(recipientDetails), "period": .text(period), "isEmpty": .flag(parts.isEmpty),
            "parts": PageValue(
                parts.map { part -> PageObject in
                    [
                        "unit": .text(part.unit), "opening": .text(part.opening), "closing": .text(part.closing),
                        "lines": PageValue(
                            part.lines.map { line -> PageObject in
                                [
                                    "at": language.time(line.at), "what": .text(line.what), "url": PageValue(line.url), "amount": .text(line.amount),
                                ]
                            }),
                        "made": PageValue(part.made.map { PageObject(["label": .text($0.label), "amount": .text($0.amount)]) }),
                    ]
                }),
        ]
    }
}

extension Company {
    /// Address, number and contact, a line each.
    var lines: [String] {
        (address.split(whereSeparator: \.isNewline).map(String.init) + [number, contact]).filter { !$0.isEmpty }
    }
}
