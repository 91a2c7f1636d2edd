import Foundation
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Where the team writes what a program's friend's page says.
enum FriendPageForms {
    /// A link to look at the page with.
    private static let linksLookedAt = 1

    static func add(to api: inout API, gate: PageGate) {
        api.page("/programs/{id}/friend-page", .programsRead, gate) { visit in try await show(visit, typed: nil, errors: [:]) }
        api.form("/programs/{id}/friend-page", .programsWrite, gate) { visit, fields in try await change(visit, fields) }
    }

    private static func change(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        func text(_ name: String, _ length: Int) -> String { String((fields[name] ?? "").prefix(length)).trimmingCharacters(in: .whitespacesAndNewlines) }
        let lines = (fields["details"] ?? "").split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        let page = FriendPage(
            isShared: fields["isShared"] == "yes", headline: text("headline", FriendPage.headlineLengthMax), lead: text("lead", FriendPage.leadLengthMax),
            button: text("button", FriendPage.buttonLengthMax), details: lines, termsURL: text("termsUrl", FriendPage.urlLengthMax),
            privacyURL: text("privacyUrl", FriendPage.urlLengthMax), imprintURL: text("imprintUrl", FriendPage.urlLengthMax),
            invites: fields["invitations"] == "yes", couponID: CouponID(fields["coupon"] ?? ""))
        var errors: [String: String] = [:]
        func say(_ key: String) -> String { visit.language("friendForm.error.\(key)") }
        if lines.count > FriendPage.detailsMax || lines.contains(where: { $0.count > FriendPage.detailLengthMax }) { errors["details"] = say("details") }
        for (name, url) in [("termsUrl", page.termsURL), ("privacyUrl", page.privacyURL), ("imprintUrl", page.imprintURL)] where !FriendPage.isAddress(url) {
            errors[name] = say("address")
        }
        if page.invites, page.imprintURL.isEmpty { errors["imprintUrl"] = say("imprint") }
        guard errors.isEmpty else { return try await show(visit, typed: page, errors: errors) }
        let id: ProgramID = try visit.context.id()
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                _ = try FriendPage.set(page, for: id, in: write)
            }
        } catch let problem as Problem where problem.status == .unprocessableContent {
            return try await show(visit, typed: page, errors: ["coupon": say("coupon")])
        }
        return visit.seeOther("/programs/\(id.text)/friend-page?done=saved")
    }

    private static func show(_ visit: PageVisit, typed: FriendPage?, errors: [String: String]) async throws -> Response {
        let id: ProgramID = try visit.context.id()
        let (workspace, now) = (visit.workspaceID, visit.now)
        let found = try await visit.installation.main.read { connection -> (program: Program, page: FriendPage?, links: [Link], coupons: [Coupon])? in
            guard let program = try ProgramStore.find(id, in: workspace, at: now, on: connection) else { return nil }
            return (
                program, try FriendPageStore.find(id, on: connection),
                try LinkStore.list(in: workspace, program: id, member: nil, after: nil, limit: linksLookedAt, on: connection),
                try CouponStore.list(in: workspace, program: id, limit: Coupon.listMax, on: connection).filter { $0.state == .active && $0.suitsEveryFriend }
            )
        }
        guard let found else { throw Problem.notFound() }
        let language = visit.language
        func say(_ key: String) -> String { language("friendForm.\(key)") }
        let page = typed ?? found.page ?? FriendPage()
        let links = found.links.map { PageBlocks.Link(url: FriendDoor.path + LocalPath.encoded($0.code), label: say("see")) } + [PageBlocks.Link(url: ComplaintPages.path, label: language("complaints.title"))]
        let blocks = PageBlocks(
            heading: language("friendForm.title", ["program": found.program.name]), crumb: ("/programs/\(id.text)", found.program.name), links: links,
            lead: language.sentence(page.isShared ? "friendForm.lead.shared" : "friendForm.lead.straight"),
            refused: errors.isEmpty ? nil : say("refused"),
            blocks: [
                PageBlocks.Block(
                    heading: say("words"), text: say("wordsText"),
                    forms: visit.session.may(.programsWrite) ? [form(page, id, found.coupons, errors, visit)] : [], empty: visit.session.may(.programsWrite) ? nil : say("readOnly"),
                    note: found.links.isEmpty ? say("noLink") : nil)
            ])
        return try visit.blocks(
            blocks, current: "/programs", notice: visit.done("friendForm", ["saved"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private static func form(_ page: FriendPage, _ id: ProgramID, _ coupons: [Coupon], _ errors: [String: String], _ visit: PageVisit) -> PageForm {
        func say(_ key: String) -> String { visit.language("friendForm.\(key)") }
        return PageForm(
            action: "/programs/\(id.text)/friend-page",
            fields: [
                FormField(
                    name: "isShared", label: say("field.isShared"),
                    control: .radios([
                        FormField.Choice(value: "yes", label: say("field.shared"), isChosen: page.isShared),
                        FormField.Choice(value: "no", label: say("field.straight"), isChosen: !page.isShared),
                    ])),
                FormField(
                    name: "coupon", label: say("field.coupon"), help: say("field.couponHelp"), error: errors["coupon"],
                    control: .select(
                        [FormField.Choice(value: "", label: say("field.couponNone"), isChosen: page.couponID == nil)]
                            + coupons.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id == page.couponID) })),
                .line("headline", say("field.headline"), page.headline, help: say("field.headlineHelp"), lengthMax: FriendPage.headlineLengthMax),
                .line("lead", say("field.lead"), page.lead, lengthMax: FriendPage.leadLengthMax),
                .line("button", say("field.button"), page.button, help: say("field.buttonHelp"), lengthMax: FriendPage.buttonLengthMax),
                FormField(
                    name: "details", label: say("field.details"), help: say("field.detailsHelp"), error: errors["details"],
                    control: .area(page.details.joined(separator: "\n"), rows: 4), lengthMax: FriendPage.detailsMax * (FriendPage.detailLengthMax + 2)),
                .line("termsUrl", say("field.terms"), page.termsURL, type: "url", error: errors["termsUrl"], lengthMax: FriendPage.urlLengthMax),
                .line("privacyUrl", say("field.privacy"), page.privacyURL, type: "url", error: errors["privacyUrl"], lengthMax: FriendPage.urlLengthMax),
                .line("imprintUrl", say("field.imprint"), page.imprintURL, type: "url", error: errors["imprintUrl"], lengthMax: FriendPage.urlLengthMax),
                FormField(
                    name: "invitations", label: say("field.invitations"),
                    control: .radios([
                        FormField.Choice(value: "yes", label: say("field.invited"), isChosen: page.invites),
                        FormField.Choice(value: "no", label: say("field.notInvited"), isChosen: !page.invites),
                    ])),
            ], buttons: [PageForm.Button(label: say("save"))], csrfToken: visit.csrfToken)
    }
}
