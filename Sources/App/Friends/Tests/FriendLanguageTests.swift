import Chronology
import TestSupport
import Testing
import Web

@testable import App

/// Friends are spoken to in the language of their browser, in every language that is whole.
@Suite struct FriendLanguageTests {
    @Test func everyLanguageIsWhole() throws {
        let catalogue = try MessageCatalogue(Embedded.files(.catalogue), audiences: TextAudience.ours)
        #expect(catalogue.faults(TextAudience.languagesOfFriends, audience: .friends) == [])
        #expect(catalogue.spokenLocales(for: .friends) == TextAudience.languagesOfFriends)
        #expect(catalogue.spokenLocales() == ["en"], "operators' pages are not half in another language")
        let english = catalogue.messages(for: "en", audience: .friends)
        let same = TextAudience.languagesOfFriends.filter { $0 != "en" }.filter { locale in
            let own = catalogue.messages(for: locale, audience: .friends)
            return ["friendPage.take", "friendPage.remembers", "unwanted.link.lead", "partyPage.come", "mail.friendInvitation.lead"].contains {
                own($0) == english($0)
            }
        }
        #expect(same == [], "these are English")
    }

    @Test(arguments: Engine.allCases)
    func theBrowserDecides(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.rule(
                program, ["name": "Friend", "for": "friend", "reward": ["kind": "credit", "amount": 500, "currency": "EUR"]])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "AMIRA")
            let german = try await PageVisitor(app, language: "de-AT, en;q=0.5").get("/f/amira").text
            #expect(german.contains("<html lang=\"de\" dir=\"ltr\">") && german.contains("picture.png?lang=de"))
            #expect(!german.contains("Advertisement") && !german.contains("Take my"))
            let arabic = try await PageVisitor(app, language: "ar").get("/f/amira").text
            #expect(arabic.contains("<html lang=\"ar\" dir=\"rtl\">"))
            #expect(try await PageVisitor(app, language: "xx").get("/f/amira").text.contains("lang=\"en\""))
            #expect(try await PageVisitor(app).get("/f/amira?lang=uk").text.contains("lang=\"uk\""))
            #expect(try await PageVisitor(app).get("/f/amira?lang=xx").text.contains("lang=\"en\""))
            #expect(try await PageVisitor(app, accept: "text/html", language: "fr").get("/r/nobody-here").text.contains("lang=\"fr\""))
            #expect(try await PageVisitor(app, language: "pl").get("/f/amira/unwanted").text.contains("lang=\"pl\""))
            #expect(try await PageVisitor(app, language: "de").get("/sign-in").text.contains("lang=\"en\""), "that page has no German yet")
        }
    }
}
