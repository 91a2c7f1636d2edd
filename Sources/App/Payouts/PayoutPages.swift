import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Money
import NIOCore
import Persistence
import Web

/// Paying members: what is due, a preview, the batch, its file, and what the bank said.
enum PayoutPages {
    static let payoutsPerPage = 25
    static let itemsPerPage = 100
    /// Rows of each list of a preview.
    static let previewRowsMax = 200
    /// Commissions looked up for one page of items.
    static let commissionsMax = 5_000
    static let programsMax = 200
    /// Rows of the file, the newest.
    static let fileRowsMax = 10_000
    /// Waiting requests named on the list.
    static let requestsMax = 50

    static func add(to api: inout API, gate: PageGate) {
        api.page("/payouts", .ledgerRead, gate) { visit in try await list(visit) }
        api.page("/payouts.csv", .ledgerRead, gate) { visit in try await PayoutListFile.answer(visit) }
        api.form("/payouts", .payoutsWrite, gate) { visit, fields in try await make(visit, fields) }
        api.page("/payouts/{id}", .ledgerRead, gate) { visit in try await show(visit) }
        api.confirmedPage("/payouts/{id}/file", .payoutsWrite, gate) { visit in try await file(visit) }
        api.confirmedForm(
            "/payouts/{id}/approval", .payoutsApprove, gate, next: { visit in "/payouts/\(visit.context.parameters.get("id") ?? "")" }
        ) { visit, _ in try await step(visit, Payout.approve) }
        api.form("/payouts/{id}/cancellation", .payoutsWrite, gate) { visit, _ in try await step(visit, Payout.cancel) }
        api.form("/payouts/{id}/dispatch", .payoutsWrite, gate) { visit, _ in try await step(visit, Payout.dispatch) }
        api.form("/payout-requests/{id}/cancellation", .payoutsWrite, gate) { visit, _ in
            let id: PayoutRequestID = try visit.context.id()
            do {
                _ = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                    try PayoutRequest.cancel(id, in: write)
                }
            } catch let problem as Problem where problem.code == "request_taken" {
                return visit.seeOther("/payouts?refused=\(problem.code)")
            }
            return visit.seeOther("/payouts")
        }
        PayoutAccountPages.add(to: &api, gate: gate)
        api.form("/payouts/{id}/removals", .payoutsWrite, gate) { visit, fields in try await leaveOut(visit, fields) }
        api.form("/payouts/{id}/outcomes", .payoutsWrite, gate) { visit, fields in try await record(visit, fields) }
    }

    // MARK: All payouts

    private static func list(_ visit: PageVisit) async throws -> Response {
        let before = visit.query["startingAfter"].flatMap { PayoutID($0) }
        let filter = filter(visit)
        let order = ListOrder(visit)
        let workspace = visit.workspaceID
        let now = visit.now
        let vault = visit.installation.vault
        let (programs, due, found, makers, requests, names) = try await visit.installation.main.read { connection in
            let requests = try PayoutRequestStore.list(
                in: workspace, PayoutRequestStore.Filter(state: .waiting), after: nil, limit: requestsMax, on: connection)
            let found = try PayoutListStore.list(
                in: workspace, filter, order: order, behind: before, limit: payoutsPerPage + 1, on: connection)
            return (
                try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection),
                try PayoutListStore.due(in: workspace, at: now, on: connection), found,
                try OperatorNames.load(found.map(\.createdBy), in: workspace, vault: vault, on: connection), requests,
                try PersonNames.load(members: requests.map(\.memberID), vault: vault, on: connection)
            )
        }
        let model = PayoutListModel(
            requests: requests, names: names, today: visit.language.zone.day(of: now).iso8601,
            payouts: Array(found.prefix(payoutsPerPage)), hasMore: found.count > payoutsPerPage, isFirstPage: before == nil, due: due,
            programs: programs, filter: filter, order: order, makers: makers, mayWrite: visit.session.may(.payoutsWrite),
            csrfToken: visit.session.csrf(visit.installation).text(), language: visit.language)
        return try visit.page(
            "payout-list", title: visit.language("payouts.title"), current: "/payouts", notice: refusal(visit), model.page)
    }

    static func filter(_ visit: PageVisit) -> PayoutListStore.Filter {
        PayoutListStore.Filter(
            state: visit.query["state"].flatMap { Payout.State(rawValue: $0) }, program: visit.query["program"].flatMap { ProgramID($0) })
    }

    // MARK: Making one

    /// First shows what would happen, by a run that is taken back; makes it when the preview's button says so.
    private static func make(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        guard let program = fields["programId"].flatMap({ ProgramID($0) }) else { throw Refusal.unknownProgram() }
        // A day is meant with all of its hours, but nothing that is due later than now.
        let day = fields["cutoffDay"].flatMap { try? LocalDay(iso8601: $0) }.flatMap { day in
            day > visit.language.zone.day(of: visit.now) ? nil : min(visit.now, visit.language.zone.start(of: day.plus(days: 1)))
        }
        guard let cutoff = fields["cutoff"].flatMap({ try? Instant(rfc3339: $0) }) ?? day else {
            return visit.seeOther("/payouts?refused=cutoff_unreadable")
        }
        let unit = fields["unit"].flatMap { Currency(code: $0) }.map { UnitCode.currency($0) }
        let kinds = fields["kinds"].flatMap { PayoutKinds(rawValue: $0) } ?? .all
        let isDryRun = fields["make"] == nil
        let payout: Payout
        do {
            payout = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try Payout.make(NewPayout(programID: program, cutoff: cutoff, unit: unit, kinds: kinds.kinds, isDryRun: isDryRun), in: write)
            }
        } catch let problem as Problem where problem.code == "nothing_due" {
            return visit.seeOther("/payouts?refused=\(problem.code)")
        }
        guard isDryRun else { return visit.seeOther("/payouts/\(payout.id.text)") }
        let shown = payout.items.prefix(previewRowsMax).map(\.memberID) + payout.excluded.prefix(previewRowsMax).map(\.memberID)
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let (names, known) = try await visit.installation.main.read { connection in
            (
                try PersonNames.load(members: shown, vault: vault, on: connection),
                try ProgramStore.find(program, in: workspace, at: visit.now, on: connection)
            )
        }
        guard let known else { throw Refusal.unknownProgram() }
        let model = PayoutPreviewModel(
            payout: payout, program: known, kinds: kinds, names: names, csrfToken: visit.session.csrf(visit.installation).text(), language: visit.language)
        return try visit.page(
            "payout-preview", title: visit.language("payoutPreview.title"), current: "/payouts", isNarrow: true, model.page)
    }

    /// Who is meant by a batch: those who are paid by the SEPA file, the others, or all.
    enum PayoutKinds: String, CaseIterable, Sendable {
        case all, iban, others, ach, paypal, stripe, wise, external

        var kinds: Set<PayoutAccount.Kind>? {
            switch self {
            case .all: nil
            case .iban: [.iban]
            case .others: Set(PayoutAccount.Kind.allCases).subtracting([.iban])
            case .ach: [.ach]
            case .paypal: [.paypal]
            case .stripe: [.stripe]
            case .wise: [.wise]
            case .external: [.external]
            }
        }
    }

    // MARK: One payout

    private static func show(_ visit: PageVisit) async throws -> Response {
        let id: PayoutID = try visit.context.id()
        let first = max(0, visit.query["from"].flatMap { Int($0) } ?? 0)
        let (workspace, seal) = (visit.workspaceID, visit.installation.railSeal)
        let vault = visit.installation.vault
        let model = try await visit.installation.main.read { connection -> PayoutModel? in
            guard let payout = try PayoutStore.find(id, in: workspace, on: connection),
                let program = try ProgramStore.find(payout.programID, in: workspace, at: visit.now, on: connection)
            else { return nil }
            let shown = Array(payout.items.dropFirst(first).prefix(itemsPerPage))
            let members = shown.map(\.memberID)
            let others = payout.excluded.prefix(previewRowsMax).map(\.memberID)
            return PayoutModel(
                payout: payout, shown: shown, first: first, program: program,
                names: try PersonNames.load(members: members + others, vault: vault, on: connection),
                commissions: try PayoutListStore.commissions(of: id, members: members, limit: commissionsMax, on: connection),
                people: try OperatorNames.load(
                    [payout.createdBy, payout.approvedBy].compactMap { $0 }, in: workspace, vault: vault, on: connection),
                session: visit.session,
                waitsUntil: try NewApprover.waitsUntil(
                    visit.session.actor, in: visit.session.workspace, at: visit.installation.world.now(), on: connection),
                rail: try PayoutRail.load(payout, shown: members, seal: seal, on: connection),
                csrfToken: visit.session.csrf(visit.installation).text(), language: visit.language)
        }
        guard let model else { throw Problem.notFound() }
        return try visit.page("payout-show", title: model.heading, current: "/payouts", notice: refusal(visit), model.page)
    }

    private static func step(
        _ visit: PageVisit, _ verb: @escaping @Sendable (PayoutID, Write) throws -> Payout
    ) async throws -> Response {
        let id: PayoutID = try visit.context.id()
        return try await back(to: id, visit) { write in _ = try verb(id, write) }
    }

    private static func leaveOut(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: PayoutID = try visit.context.id()
        guard let member = fields["memberId"].flatMap({ MemberID($0) }) else { throw Problem.notFound() }
        guard let reason = fields["reason"], !reason.allSatisfy(\.isWhitespace), reason.unicodeScalars.count <= Payout.reasonMaximum else {
            return visit.seeOther("/payouts/\(id.text)?refused=reason_missing")
        }
        return try await back(to: id, visit) { write in _ = try Payout.leaveOut(LeftOut(memberID: member, reason: reason), of: id, in: write) }
    }

    private static func record(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: PayoutID = try visit.context.id()
        guard let member = fields["memberId"].flatMap({ MemberID($0) }),
            let result = fields["outcome"].flatMap({ PayoutOutcome.Result(rawValue: $0) })
        else { throw Problem.notFound() }
        guard let reference = fields["reference"], !reference.isEmpty, reference.utf8.count <= 200 else {
            return visit.seeOther("/payouts/\(id.text)?refused=reference_missing")
        }
        return try await back(to: id, visit) { write in
            _ = try Payout.record(PayoutOutcome(memberID: member, result: result, reference: reference), of: id, in: write)
        }
    }

    /// Hands the file over and notes who took it: it names people and their accounts.
    private static func file(_ visit: PageVisit) async throws -> Response {
        let id: PayoutID = try visit.context.id()
        guard let format = visit.query["format"].flatMap({ PayoutFile.Format(rawValue: $0) }) else { throw Problem.notFound() }
        let (workspace, seal) = (visit.workspaceID, visit.installation.railSeal)
        let text: String
        do {
            text = try await visit.installation.write(workspace, actor: visit.session.actor) { write in
                let text = try PayoutFile.make(id, format, in: workspace, at: write.now, vault: write.vault, seal: seal, on: write.connection)
                try write.audit("payout.file", subject: id.text, JSONText(["format": .text(format.rawValue)]))
                return text
            }
        } catch {
            guard let problem = Refusal.of(error), refusals.contains(problem.code) else { throw error }
            return visit.seeOther("/payouts/\(id.text)?refused=\(problem.code)")
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: format.contentType, .contentDisposition: "attachment; filename=\"\(id.text).\(format.ending)\"",
                .cacheControl: "no-store",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// Does something to a payout and shows its page again, with the reason when it was refused.
    static func back(
        to id: PayoutID, _ visit: PageVisit, _ act: @escaping @Sendable (Write) throws -> Void
    ) async throws -> Response {
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, act)
        } catch {
            guard let problem = Refusal.of(error), refusals.contains(problem.code) else { throw Refusal.of(error) ?? error }
            return visit.seeOther("/payouts/\(id.text)?refused=\(problem.code)")
        }
        return visit.seeOther("/payouts/\(id.text)")
    }

    /// Refusals that the page itself explains.
    private static let refusals: Set<String> = [
        "nothing_due", "same_person", "wrong_state", "payout_settled", "already_exists", "not_approved", "no_account", "not_euro", "no_debtor",
        "not_iban", "reference_missing", "request_taken", "account_changed", "member_not_active", "nobody_payable", "payout_sent", "last_payment",
        "reason_missing", "cutoff_unreadable", "not_dollar", "above_nacha", "not_ach", "above_wise", "not_wise", "wise_currency", "no_company",
        "rail_not_connected", "other_accounts", "currency_not_supported", "no_rail", "outcomes_recorded", "not_sepa", "above_sepa", "approver_too_new",
    ]

    private static func refusal(_ visit: PageVisit) -> PageFrame.Notice? {
        guard let code = visit.query["refused"], refusals.contains(code) else { return nil }
        let words = code.split(separator: "_")
        let key = words.dropFirst().reduce(String(words[0])) { $0 + $1.capitalized }
        return PageFrame.Notice(kind: "bad", icon: "warning", text: visit.language("payoutRefused.\(key)"))
    }
}
