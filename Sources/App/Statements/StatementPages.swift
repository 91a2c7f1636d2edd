import Chronology
import HTTPTypes
import Hummingbird
import NIOCore
import Persistence
import Web

/// Statements of members for the team, and who they say pays.
enum StatementPages {
    static func add(to api: inout API, gate: PageGate) {
        api.page("/members/{id}/statement", .ledgerRead, gate) { visit in try await show(visit) }
        api.page("/members/{id}/statement.pdf", .ledgerRead, gate) { visit in
            let (sheet, period) = try await sheet(visit)
            return period.isRefused ? visit.seeOther("/members/\(sheet.memberID.text)/statement?until=none") : try file(sheet, period)
        }
        api.page("/settings/company", .workspaceWrite, gate) { visit in try await company(visit, refused: false) }
        api.form("/settings/company", .workspaceWrite, gate) { visit, fields in try await keep(visit, fields) }
    }

    /// The PDF of a statement, as an answer.
    static func file(_ sheet: StatementSheet, _ period: StatementPeriod) throws -> Response {
        let name = "statement-\(sheet.memberID.text)-\(period.fromDay.iso8601)-\(period.lastDay.iso8601).pdf"
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/pdf", .contentDisposition: "attachment; filename=\"\(name)\"", .cacheControl: "no-store",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: try StatementPDF.make(sheet))))
    }

    private static func sheet(_ visit: PageVisit) async throws -> (StatementSheet, StatementPeriod) {
        let id: MemberID = try visit.context.id()
        let period = StatementPeriod(from: visit.query["from"], until: visit.query["until"], now: visit.now, zone: visit.language.zone)
        let workspace = visit.session.workspace
        let vault = visit.installation.vault
        let language = visit.language
        let sheet = try await visit.installation.main.read { connection -> StatementSheet? in
            guard let member = try MemberStore.find(id, in: workspace.id, on: connection) else { return nil }
            let statement = try Statement.make(of: id, from: period.from, until: period.until, in: workspace.id, on: connection)
            return try StatementSheet.make(statement, of: member, in: workspace, for: .team, vault: vault, language: language, on: connection)
        }
        guard let sheet else { throw Problem.notFound() }
        return (sheet, period)
    }

    private static func show(_ visit: PageVisit) async throws -> Response {
        let (sheet, period) = try await sheet(visit)
        let path = "/members/\(sheet.memberID.text)"
        var page = sheet.page
        page["memberURL"] = .text(path)
        page["pdfURL"] = .text("\(path)/statement.pdf?from=\(period.fromDay.iso8601)&until=\(period.lastDay.iso8601)")
        page["action"] = .text("\(path)/statement")
        page["from"] = .text(period.fromDay.iso8601)
        page["until"] = .text(period.lastDay.iso8601)
        page["companyURL"] = visit.session.may(.workspaceWrite) ? "/settings/company" : nil
        let notice = period.isRefused ? PageFrame.Notice(kind: "bad", icon: "warning", text: visit.language("statement.refused")) : nil
        return try visit.page("statement", title: visit.language("statement.title"), current: "/members", isNarrow: true, notice: notice, page)
    }

    // MARK: Who pays

    private static func company(_ visit: PageVisit, refused: Bool, typed: Company? = nil) async throws -> Response {
        let workspace = visit.session.workspace
        let known = try await visit.installation.main.read { connection in try Company.of(workspace, on: connection) }
        let company = typed ?? known
        let notice = visit.query["saved"] == nil ? nil : PageFrame.Notice(kind: "good", icon: "check", text: visit.language("company.saved"))
        return try visit.page(
            "company", title: visit.language("company.title"), current: nil, isNarrow: true, notice: notice,
            status: refused ? .unprocessableContent : .ok,
            [
                "csrfToken": .text(visit.session.csrf(visit.installation).text()), "refused": .flag(refused), "name": .text(company.name),
                "address": .text(company.address), "number": .text(company.number), "contact": .text(company.contact),
            ])
    }

    private static func keep(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let company = Company(
            name: fields["name"] ?? "", address: fields["address"] ?? "", number: fields["number"] ?? "", contact: fields["contact"] ?? "")
        let isShort = [company.name, company.number, company.contact].allSatisfy { $0.unicodeScalars.count <= Company.lineLengthMax }
        guard company.name.isName, OneLine.isOne(company.number), OneLine.isOne(company.contact), isShort, company.address.unicodeScalars.count <= Company.addressLengthMax else {
            return try await self.company(visit, refused: true, typed: company)
        }
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in try company.keep(in: write) }
        return visit.seeOther("/settings/company?saved=1")
    }
}
