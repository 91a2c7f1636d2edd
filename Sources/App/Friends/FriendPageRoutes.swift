import HTTPTypes
import Persistence
import Web

/// What is said on a program's friend's page, and what members say in their own words, for programs.
enum FriendPageRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        let line = APISchema.string(maximumLength: FriendPage.urlLengthMax)
        api.write(
            .put, "/programs/{id}/friend-page", id: "setFriendPage", "Set what the page says that greets friends", tag: "Friends",
            access: .right(.programsWrite),
            body: .object([
                .optional("isShared", .described(.boolean, description: "Members are given its address to share, in place of the link that leads straight to the shop.")),
                .optional("headline", .described(.string(maximumLength: FriendPage.headlineLengthMax), description: "Left out: what the friend gets, by the rules.")),
                .optional("lead", .string(maximumLength: FriendPage.leadLengthMax)), .optional("button", .string(maximumLength: FriendPage.buttonLengthMax)),
                .optional("details", .array(.string(maximumLength: FriendPage.detailLengthMax))), .optional("termsUrl", line), .optional("privacyUrl", line),
                .optional("imprintUrl", line),
                .optional("invitations", .described(.boolean, description: "Members may write letters to friends; needs an imprint.")),
                .optional(
                    "couponId",
                    .described(
                        .nullable(.text), description: "What friends get at once: a coupon of the program, of which each member who shares gets a code for their friends. Left out or null: nothing.")),
            ]), answer: .reference("FriendPage"),
            decode: { body, context in
                (
                    program: try context.id(ProgramKind.self),
                    page: FriendPage(
                        isShared: body.optionalBoolean("isShared") ?? false,
                        headline: body.optionalText("headline", maximumLength: FriendPage.headlineLengthMax) ?? "",
                        lead: body.optionalText("lead", maximumLength: FriendPage.leadLengthMax) ?? "",
                        button: body.optionalText("button", maximumLength: FriendPage.buttonLengthMax) ?? "",
                        details: body.has("details")
                            ? body.textList("details", maximumCount: FriendPage.detailsMax, maximumLength: FriendPage.detailLengthMax) : [],
                        termsURL: body.optionalText("termsUrl", maximumLength: FriendPage.urlLengthMax) ?? "",
                        privacyURL: body.optionalText("privacyUrl", maximumLength: FriendPage.urlLengthMax) ?? "",
                        imprintURL: body.optionalText("imprintUrl", maximumLength: FriendPage.urlLengthMax) ?? "",
                        invites: body.optionalBoolean("invitations") ?? false, couponID: body.optionalCustom("couponId") { idReading($0, CouponKind.self, "coupon") })
                )
            }
        ) { input, write in Answer(try FriendPage.set(input.page, for: input.program, in: write).json(of: input.program)) }
        api.read(
            "/programs/{id}/friend-page", id: "getFriendPage", "What the page says that greets friends", tag: "Friends", access: .right(.programsRead),
            answer: .reference("FriendPage")
        ) { _, context, caller in
            let id = try context.id(ProgramKind.self)
            let page = try await installation.main.read { connection -> FriendPage? in
                guard try ProgramStore.exists(id, in: caller.workspaceID, on: connection) else { return nil }
                return try FriendPageStore.find(id, on: connection) ?? FriendPage()
            }
            guard let page else { throw Refusal.unknownProgram() }
            return ListAnswer.one(page.json(of: id))
        }
        api.write(
            .delete, "/members/{id}/recommendation", id: "hideRecommendation", "Take a member's own words off the friend's page", tag: "Friends",
            access: .right(.membersWrite), body: nil, answer: .object([.required("memberId", .text)]),
            decode: { _, context in try MemberReference.of(context) }
        ) { reference, write in
            let member = try Member.ofPath(reference, in: write)
            try Recommendation.hide(of: member, in: write)
            return Answer(["memberId": .text(member.id.text)])
        }
    }
}
