import Chronology
import Hummingbird
import Persistence
import Web

/// Where a member is paid, in full: seeing it and changing it need a fresh proof, and seeing it is noted.
enum PayoutAccountPages {
    static func add(to api: inout API, gate: PageGate) {
        api.confirmedPage("/members/{id}/payout-account", .payoutsWrite, gate) { visit in try await show(visit, form: nil, refused: []) }
        api.confirmedForm(
            "/members/{id}/payout-account", .payoutsWrite, gate,
            next: { visit in "/members/\(visit.context.parameters.get("id") ?? "")/payout-account" }
        ) { visit, form in try await change(visit, form) }
    }

    private static func show(_ visit: PageVisit, form: PayoutAccountForm?, refused: Set<String>) async throws -> Response {
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
        let chosen = (form?.kind ?? details?.kind ?? .iban).rawValue
        let notice =
            visit.query["saved"] == nil ? nil : PageFrame.Notice(kind: "good", icon: "check", text: language("payoutAccount.saved"))
        return try visit.page(
            "payout-account", title: title, current: "/members", isNarrow: true, notice: notice, status: refused.isEmpty ? .ok : .unprocessableContent,
            [
                "heading": .text(title), "name": .text(name), "memberURL": .text("/members/\(id.text)"),
                "lead": language.sentence("payoutAccount.lead"), "csrfToken": .text(visit.session.csrf(visit.installation).text()),
                "action": .text("/members/\(id.text)/payout-account"), "refused": .flag(!refused.isEmpty),
                "account": details.map { details -> PageValue in
                    [
                        "kind": .text(language("payoutAccount.kind.\(details.kind.rawValue)")), "holder": PageValue(details.holder),
                        "number": .text(details.number), "routing": PageValue(details.routing), "currency": PageValue(details.currency),
                        "accountType": details.accountType.map { .text(language("payoutAccount.accountType.\($0.rawValue)")) } ?? nil,
                        "usableFrom": account.map { language.time($0.usableFrom) } ?? nil,
                    ]
                } ?? nil,
                "kinds": PageValue(
                    PayoutAccount.Kind.allCases.map {
                        ["value": .text($0.rawValue), "label": .text(language("payoutAccount.kind.\($0.rawValue)")), "chosen": .flag($0.rawValue == chosen)]
                    }),
                "fields": PageValue(
                    PayoutAccountForm.names.map { name in
                        [
                            "name": .text(name), "label": .text(language("payoutAccount.\(name)")), "value": .text(form?.typed[name] ?? ""),
                            "error": PageValue(refused.contains(name) ? language("payoutAccount.error.\(name)") : nil),
                        ]
                    }),
            ])
    }

    private static func change(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: MemberID = try visit.context.id()
        let form = PayoutAccountForm(fields)
        switch form.read() {
        case .refused(let names): return try await show(visit, form: form, refused: names)
        case .read(let details):
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                guard let member = try MemberStore.find(id, in: write.workspace.id, on: write.connection) else { throw Problem.notFound() }
                _ = try PayoutAccount.set(details, for: member, in: write)
            }
            return visit.seeOther("/members/\(id.text)/payout-account?saved=1")
        }
    }
}
