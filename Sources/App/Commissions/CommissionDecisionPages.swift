import HTTPTypes
import Hummingbird
import Web

/// Deciding about the commissions that were ticked, and taking that back.
enum CommissionDecisionPages {
    static func add(to api: inout API, gate: PageGate) {
        api.form("/commissions/decisions", .commissionsWrite, gate) { visit, fields in try await decide(visit, fields) }
        api.form("/commissions/decisions/{id}/undo", .commissionsWrite, gate) { visit, fields in try await undo(visit, fields) }
    }

    private static func decide(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        guard let action = fields["action"].flatMap({ CommissionDecision.Action(rawValue: $0) }) else { throw Problem.notFound() }
        let ids = fields.all("id").prefix(CommissionPages.rowsPerPage).compactMap { CommissionID($0) }
        let typed = String((fields["reason"] ?? "").prefix(CommissionDecision.reasonLengthMax))
        guard !ids.isEmpty else { return visit.seeOther(back(fields, "none")) }
        do {
            let decision = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try CommissionDecision.make(action, ids, reason: typed.isEmpty ? nil : typed, in: write)
            }
            return visit.seeOther(back(fields, action.rawValue, decision.id))
        } catch let problem as Problem where problem.code == "reason_missing" || problem.code == "nothing_to_decide" {
            return visit.seeOther(back(fields, problem.code == "reason_missing" ? "reason" : "none"))
        }
    }

    private static func undo(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: CommissionDecisionID = try visit.context.id()
        do {
            _ = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try CommissionDecision.undo(id, in: write)
            }
        } catch let problem as Problem where problem.code == "too_late" || problem.code == "undone_already" {
            return visit.seeOther(back(fields, "tooLate"))
        }
        return visit.seeOther(back(fields, "undone"))
    }

    /// The list as it was filtered, or the commission's page, with what was done.
    private static func back(_ fields: FormFields, _ done: String, _ decision: CommissionDecisionID? = nil) -> String {
        let wanted = fields["back"] ?? ""
        let place = wanted == "/commissions" || wanted.hasPrefix("/commissions?") || wanted.hasPrefix("/commissions/com_") ? wanted : "/commissions"
        let query = "done=\(done)" + (decision.map { "&decision=\($0.text)" } ?? "")
        return place + (place.contains("?") ? "&" : "?") + query
    }

    /// What was done, with the way back while there is one.
    static func notice(_ visit: PageVisit, _ decision: CommissionDecision?, back: String) -> PageFrame.Notice? {
        let language = visit.language
        guard let done = visit.query["done"] else { return nil }
        switch done {
        case "none", "reason", "tooLate": return PageFrame.Notice(kind: done == "none" ? "" : "warn", icon: "warning", text: language("commissions.done.\(done)"))
        case "undone": return PageFrame.Notice(kind: "good", icon: "check", text: language("commissions.done.undone"))
        default: break
        }
        guard let decision, decision.action.rawValue == done, decision.undoneAt == nil else { return nil }
        var notice = PageFrame.Notice(kind: "good", icon: "check", text: language.plural("commissions.done.\(done)", Int64(decision.items.count)))
        if decision.mayBeUndone(at: visit.now), visit.session.may(.commissionsWrite) {
            notice.undo = PageFrame.Notice.Undo(
                action: "/commissions/decisions/\(decision.id.text)/undo", fields: [("back", back)], label: language("commissions.undo"))
        }
        return notice
    }

    /// The decision that the address names.
    static func named(_ visit: PageVisit) -> CommissionDecisionID? { visit.query["decision"].flatMap { CommissionDecisionID($0) } }

    /// What can be done with commissions, or with one in this state.
    static func buttons(_ language: PageLanguage, for state: Commission.State? = nil) -> PageValue {
        let actions: [CommissionDecision.Action] =
            switch state {
            case .pending: [.approve, .hold]
            case .approved: [.hold]
            case .held: [.approve, .release]
            default: CommissionDecision.Action.allCases
            }
        return PageValue(
            actions.map {
                PageObject(["value": .text($0.rawValue), "label": .text(language("commissions.bulk.\($0.rawValue)"))])
            })
    }
}
