import HTTPTypes
import Web

/// The tools, in the order in which they are listed. Approving payouts and accepting runs is not among them: that is for two people.
enum MCPTools {
    static let reading: [MCPTool] = [
        MCPTool(
            name: "overview", title: "Where we stand",
            text: "Programs, the latest sales and commissions, what is held, runs, payouts and requests for money, at one glance."),
        MCPTool(name: "list_programs", title: "Programs", text: "Programs with their settings.", path: "/programs", arguments: page),
        MCPTool(
            name: "list_rules", title: "Rules of a program", text: "What a program pays for, in its present version.", path: "/programs/{programId}/rules",
            arguments: [id("programId", "The program, prog_…")]),
        MCPTool(
            name: "list_members", title: "Members", text: "People of the workspace or of one program.", path: "/members",
            arguments: page + [query("programId", "Only of this program.")]),
        MCPTool(name: "get_member", title: "A member", text: "One person: stage, status, who introduced them.", path: "/members/{memberId}", arguments: [member]),
        MCPTool(
            name: "get_balances", title: "What a member has", text: "Pending, held, available, in payout, paid and owed, for each unit, in minor units.",
            path: "/members/{memberId}/balances", arguments: [member]),
        MCPTool(
            name: "list_links", title: "Links", text: "Links with their codes and clicks.", path: "/links",
            arguments: page + [query("programId", "Only of this program."), query("memberId", "Only of this member: mem_… or ext:….")]),
        MCPTool(
            name: "list_sales", title: "Sales", text: "Sales, the newest first.", path: "/sales",
            arguments: page + [
                query("programId", "Only of this program."), query("memberId", "Only those that this member has a share of: mem_… or ext:…."),
                query("invoiceId", "Only the sale of this invoice."),
                query("from", "From this time on, RFC 3339."), query("until", "Before this time, RFC 3339."),
            ]),
        MCPTool(
            name: "sale_receipt", title: "Why a sale paid what it paid", text: "Touches, shares, rules, arithmetic, refusals and refunds of a sale. Its answer is one sentence.",
            path: "/sales/{saleId}/receipt", arguments: [id("saleId", "The sale, sale_…")]),
        MCPTool(
            name: "list_commissions", title: "Commissions", text: "Commissions, the newest first.", path: "/commissions",
            arguments: page + [
                query("programId", "Only of this program."), query("memberId", "Only of this member: mem_… or ext:…."), query("saleId", "Only of this sale."),
                MCPTool.Argument(
                    name: "state", place: .query, schema: .enumeration(Commission.State.allCases.map(\.rawValue)), isRequired: false, text: "Only in this state."),
            ]),
        MCPTool(
            name: "commission_receipt", title: "Why a commission is what it is", text: "Its rule in the version of then, its arithmetic, what it is for.",
            path: "/commissions/{commissionId}/receipt", arguments: [id("commissionId", "The commission, com_…")]),
        MCPTool(name: "list_runs", title: "Runs", text: "Compensation runs, the newest first.", path: "/runs", arguments: page + [query("planId", "Only of this plan.")]),
        MCPTool(name: "get_run", title: "A run", text: "A compensation run: state, totals, counts.", path: "/runs/{runId}", arguments: [run]),
        MCPTool(
            name: "list_run_lines", title: "Lines of a run", text: "Who gets what by which bonus.", path: "/runs/{runId}/lines",
            arguments: [run] + page + [query("memberId", "Only of this member: mem_… or ext:….")]),
        MCPTool(name: "run_audit", title: "Legal audit of a run", text: "Retail share, internal consumption and other findings.", path: "/runs/{runId}/audit", arguments: [run]),
        MCPTool(name: "list_payouts", title: "Payouts", text: "Batches of payments.", path: "/payouts", arguments: page),
        MCPTool(
            name: "get_payout", title: "A payout", text: "A batch with its items and who is left out, with the reason.", path: "/payouts/{payoutId}",
            arguments: [id("payoutId", "The payout, pay_…")]),
        MCPTool(name: "list_events", title: "Events", text: "What happened, in order.", path: "/events", arguments: page),
    ]

    static let writing: [MCPTool] = [
        MCPTool(
            name: "enroll_member", title: "Enrol a person", text: "Enrols a person in a program, or brings the one with this externalId up to date.", effect: .adds,
            method: .post, path: "/members",
            arguments: [
                body("programId", .text, "The program, prog_…", isRequired: true), body("email", .email, "Their mail address."), body("name", .string(maximumLength: 200), "Their name."),
                body("externalId", .string(maximumLength: 255), "The company's own id of them."),
                body("enrollerId", .string(maximumLength: 260), "Who introduced them: mem_… or ext:…. Never changes."),
            ]),
        MCPTool(
            name: "create_link", title: "Make a link", text: "Makes a link with a code for a member.", effect: .adds, method: .post, path: "/links",
            arguments: [
                body("programId", .text, "The program, prog_…", isRequired: true), body("memberId", .string(maximumLength: 260), "Whose it is: mem_… or ext:….", isRequired: true),
                body("destination", .string(maximumLength: 2_048), "Where it leads: a host that the program allows.", isRequired: true),
                body("code", .string(maximumLength: 100), "A short word; one is made without it."),
            ]),
        MCPTool(
            name: "record_sale", title: "Record a sale", text: "Records a sale that no other way told: an invoice is one sale.", effect: .takesAway, method: .post,
            path: "/track/sale",
            arguments: [
                body("invoiceId", .string(maximumLength: 255), "The invoice.", isRequired: true),
                body("customerExternalId", .string(maximumLength: 255), "The buyer, as the company knows them.", isRequired: true),
                body("amount", .integer(0...Schemas.amountMax), "In minor units.", isRequired: true), body("currency", .string(maximumLength: 3), "ISO 4217.", isRequired: true),
                body("code", .string(maximumLength: 100), "The code that was used."), body("occurredAt", .string(maximumLength: 35), "When, RFC 3339."),
            ], shows: ["/sales?invoiceId={invoiceId}"]),
        MCPTool(
            name: "record_refund", title: "Record a refund", text: "Takes back what was earned by a sale, in proportion.", effect: .takesAway, method: .post,
            path: "/track/refund",
            arguments: [
                body("invoiceId", .string(maximumLength: 255), "The invoice of the sale.", isRequired: true),
                body("refundId", .string(maximumLength: 255), "The refund's own number.", isRequired: true),
                body("amount", .integer(1...Schemas.amountMax), "In minor units; all that is left without it."), body("reason", .string(maximumLength: 500), "Why."),
            ], shows: ["/sales?invoiceId={invoiceId}"]),
        MCPTool(
            name: "correct_commission", title: "Correct a commission", text: "Sets what a commission is worth, with its earlier corrections.", effect: .takesAway,
            method: .post, path: "/commissions/{commissionId}/corrections",
            arguments: [
                id("commissionId", "The commission, com_…"), body("amount", .integer(0...Schemas.amountMax), "What it shall be worth, in minor units.", isRequired: true), reason,
            ], shows: ["/commissions/{commissionId}"], rehearses: true),
        MCPTool(
            name: "cancel_commission", title: "Take a commission back", text: "Takes back all that is left of a commission.", effect: .takesAway, method: .post,
            path: "/commissions/{commissionId}/cancellation", arguments: [id("commissionId", "The commission, com_…"), reason],
            shows: ["/commissions/{commissionId}"], rehearses: true),
        MCPTool(
            name: "create_payout", title: "Make a payout batch", text: "Makes a draft batch of what is due. A person must approve it, another than who made it.", effect: .takesAway,
            method: .post, path: "/payouts",
            arguments: [
                body("programId", .text, "The program, prog_…", isRequired: true), body("cutoff", .string(maximumLength: 35), "What is due until then, RFC 3339.", isRequired: true),
            ], rehearses: true),
    ]

    private static let page = [
        MCPTool.Argument(name: "limit", place: .query, schema: .integer(1...100), isRequired: false, text: "Rows, 25 without it."),
        query("startingAfter", "nextCursor of the part before."),
    ]
    private static let member = id("memberId", "mem_…, or ext: and the company's own id.")
    private static let run = id("runId", "The run, run_…")
    private static let reason = body("reason", .string(maximumLength: 500), "Why: the member reads it.", isRequired: true)

    private static func id(_ name: String, _ text: String) -> MCPTool.Argument {
        MCPTool.Argument(name: name, place: .path, schema: .string(maximumLength: 260), isRequired: true, text: text)
    }

    private static func query(_ name: String, _ text: String) -> MCPTool.Argument {
        MCPTool.Argument(name: name, place: .query, schema: .string(maximumLength: 260), isRequired: false, text: text)
    }

    private static func body(_ name: String, _ schema: APISchema, _ text: String, isRequired: Bool = false) -> MCPTool.Argument {
        MCPTool.Argument(name: name, place: .body, schema: schema, isRequired: isRequired, text: text)
    }
}
