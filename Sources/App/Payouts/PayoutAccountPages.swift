import Chronology
import Hummingbird
import Persistence
import Web

/// Where a member is paid, in full: seeing it and changing it need a fresh proof, and seeing it is noted.
enum PayoutAccountPages {
    private static let fields = ["kind", "holder", "iban", "bic", "accountNumber", "routingNumber", "email", "reference"]

    static func add(to api: inout API, gate: PageGate) {
        api.confirmedPage("/members/{id}/payout-account", .payoutsWrite, gate) { visit in try await show(visit, typed: [:], isRefused: false) }
        api.confirmedForm(
            "/members/{id}/payout-account", .payoutsWrite, gate,
            next: { visit in "/members/\(visit.context.parameters.get("id") ?? "")/payout-account" }
        ) { visit, form in try await change(visit, form) }
    }

    private static func show(_ visit: PageVisit, typed: [String: String], isRefused: Bool) async throws -> Response {
        let id: MemberID = try visit.context.id()
        let workspace = visit.workspaceID
        let language = visit.language
        let read = try await visit.installation.write(workspace, actor: visit.session.actor) {
            write -> (String, PayoutAccount?, PayoutAccountDetails?)? in
            guard let member = try MemberStore.find(id, in: workspace, on: write.connection) else { return nil }
            let known = try PersonStore.fields(of: [member.personID], [.payoutAccount], vault: write.vault, on: write.connection)[member.personID]
            let names = try PersonNames.load(members: [id], vault: write.vault, on: write.connection)
            if known?[.payoutAccount] != nil { try write.audit("payout_account.read", subject: id.text) }
            return (
                names.member(id, language), try PayoutStore.account(of: id, on: write.connection),
                known?[.payoutAccount].flatMap(PayoutAccountDetails.init(sealed:))
            )
        }
        guard let (name, account, details) = read else { throw Problem.notFound() }
        let title = language("payoutAccount.title", ["name": name])
        let chosen = typed["kind"] ?? details?.kind.rawValue ?? PayoutAccount.Kind.iban.rawValue
        let notice =
            visit.query["saved"] == nil ? nil : PageFrame.Notice(kind: "good", icon: "check", text: language("payoutAccount.saved"))
        return try visit.page(
            "payout-account", title: title, current: "/members", isNarrow: true, notice: notice, status: isRefused ? .unprocessableContent : .ok,
            [
                "heading": .text(title), "name": .text(name), "memberURL": .text("/members/\(id.text)"),
                "lead": language.sentence("payoutAccount.lead"), "csrfToken": .text(visit.session.csrf(visit.installation).text()),
                "action": .text("/members/\(id.text)/payout-account"), "refused": .flag(isRefused),
                "account": details.map { details -> PageValue in
                    [
                        "kind": .text(language("payoutAccount.kind.\(details.kind.rawValue)")), "holder": PageValue(details.holder),
                        "number": .text(details.number), "routing": PageValue(details.routing),
                        "usableFrom": account.map { language.time($0.usableFrom) } ?? nil,
                    ]
                } ?? nil,
                "kinds": PageValue(
                    PayoutAccount.Kind.allCases.map {
                        ["value": .text($0.rawValue), "label": .text(language("payoutAccount.kind.\($0.rawValue)")), "chosen": .flag($0.rawValue == chosen)]
                    }),
                "fields": PageValue(
                    fields.dropFirst().map { ["name": .text($0), "label": .text(language("payoutAccount.\($0)")), "value": .text(typed[$0] ?? "")] }),
            ])
    }

    private static func change(_ visit: PageVisit, _ form: FormFields) async throws -> Response {
        let id: MemberID = try visit.context.id()
        let typed = fields.reduce(into: [String: String]()) { $0[$1] = form[$1] ?? "" }
        // What belongs to the kind; the rest of the form is left alone.
        let wanted: Set<String> =
            switch typed["kind"].flatMap({ PayoutAccount.Kind(rawValue: $0) }) {
            case .iban, nil: ["kind", "holder", "iban", "bic"]
            case .ach: ["kind", "holder", "accountNumber", "routingNumber"]
            case .paypal: ["kind", "holder", "email"]
            case .external: ["kind", "holder", "reference"]
            }
        let members = typed.filter { wanted.contains($0.key) && !$0.value.isEmpty }.sorted { $0.key < $1.key }
        let details: PayoutAccountDetails
        do {
            let reader = try JSONReader(.object(members.map { JSONMember($0.key, .text($0.value)) }))
            details = PayoutAccountDetails.read(reader)
            try reader.finish()
        } catch let problem as Problem where problem.status.code < 500 {
            return try await show(visit, typed: typed, isRefused: true)
        }
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
            guard let member = try MemberStore.find(id, in: write.workspace.id, on: write.connection) else { throw Problem.notFound() }
            _ = try PayoutAccount.set(details, for: member, in: write)
        }
        return visit.seeOther("/members/\(id.text)/payout-account?saved=1")
    }
}
