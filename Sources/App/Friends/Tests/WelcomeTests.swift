import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What friends get at once: a code of whoever recommends, good for the first order of each friend, that says who is to be thanked.
@Suite struct WelcomeTests {
    private static func path(_ program: String) -> String { "/programs/\(program)/refer-a-friend" }

    /// From an empty program to both sides, on the page alone; then what a friend sees and what an order brings, and what a return takes back.
    @Test(arguments: Engine.allCases) func bothSidesAreSetUpOnOnePage(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            let made = try await owner.submit(
                "/programs", from: "/programs/new",
                ["name": "Friends of Halm", "currency": "EUR", "zone": "UTC", "template": "referral", "hosts": "shop.test"])
            let path = try #require(made.headers[.location])
            #expect(path.hasSuffix("/refer-a-friend"))
            let program = String(path.split(separator: "/")[1])
            let first = try await owner.get(path).text
            #expect(first.contains("value=\"10\"") && first.contains("A percentage off the first order, at once"))
            let fields = ["memberKind": "flat", "memberValue": "10", "friendKind": "percentOff", "friendValue": "10", "when": "first", "least": "30", "act": "look"]
            let looked = try await owner.submit(path, from: path, fields)
            #expect(looked.status == 200 && looked.text.contains("10% off for you at"))
            #expect(try await app.get("/coupons?programId=\(program)")["data"].list.isEmpty, "nothing is written by looking")
            #expect(try await owner.submit(path, from: path, fields.merging(["act": "save"]) { $1 }).status == 303)
            let saved = try await owner.get(path + "?done=saved").text
            #expect(saved.contains("Both sides are set up.") && saved.contains("/members/new?program=\(program)"))
            let member = try await owner.submit(
                "/members/new", from: "/members/new",
                ["program": program, "name": "Amira Kaya", "email": "amira@shop.test", "destination": "https://shop.test/", "code": "amira"])
            let link = try await owner.get(try #require(member.headers[.location])).text
            #expect(link.contains("AMIRA-10") && link.contains("/f/amira"))
            let page = try await PageVisitor(app).get("/f/amira").text
            for words in ["10% off for you at", "AMIRA-10", "Your code for the checkout:", "It is taken off your first order", "from €30.00", "Amira gets €10.00"] {
                #expect(page.contains(words), "\(words)")
            }
            // The shop asks, then tells.
            let asked = try await app.post("/coupon-codes/check", ["code": "amira-10", "amount": 5_000, "currency": "EUR", "customerExternalId": "ben"])
            #expect(asked["valid"] == .boolean(true) && asked["discount"].integer == 500)
            let sale = try await app.sale("inv-1", "ben", 4_500, ["couponCode": "AMIRA-10"])
            #expect(AppHarness.amounts(sale) == [1_000])
            let report = try await app.get("/programs/\(program)/referral-report?months=1")["months"].list
            #expect(report.first?["friendCost"].integer == 500 && report.first?["memberCost"].integer == 1_000)
            // Once for a friend, as often as there are friends, never for whoever gives it.
            let again = try await app.sale("inv-2", "ben", 5_000, ["couponCode": "AMIRA-10"])
            #expect(again["attribution"]["coupon"]["reason"].text == "notNew" && again["commissions"].list.isEmpty)
            #expect(AppHarness.amounts(try await app.sale("inv-3", "cleo", 5_000, ["couponCode": "amira-10"])) == [1_000])
            let own = try await app.sale("inv-4", "amira", 5_000, ["couponCode": "AMIRA-10", "customerEmail": "amira@shop.test"])
            #expect(own["commissions"].list.isEmpty)
            _ = try await app.refund("inv-1", "ref-1")
            #expect(try await app.get("/programs/\(program)/referral-report?months=1")["months"].list.first?["friendCost"].integer == 556)
            // The same mailbox under another id of the shop's is nobody new, neither to the code nor to the rules.
            _ = try await app.sale("inv-5", "guest-1", 5_000, ["customerEmail": "dora@friends.test"])
            let guest: JSONValue = ["code": "amira-10", "amount": 5_000, "currency": "EUR", "customerExternalId": "guest-2", "customerEmail": "Dora@friends.test"]
            #expect(try await app.post("/coupon-codes/check", guest)["reason"].text == "notNew")
            let second = try await app.sale("inv-6", "guest-2", 5_000, ["customerEmail": "dora@friends.test", "couponCode": "AMIRA-10"])
            #expect(second["attribution"]["coupon"]["reason"].text == "notNew" && second["commissions"].list.isEmpty)
            let byLink = try await app.sale("inv-7", "guest-3", 5_000, ["customerEmail": "dora@friends.test", "code": "amira"])
            #expect(byLink["commissions"].list.isEmpty)
            // An order of nothing brings nothing.
            #expect(try await app.sale("inv-8", "emil", 0, ["code": "amira"])["commissions"].list.isEmpty)
            // The button hands the code on to the shop, and nothing that is no code.
            let taken = try await PageVisitor(app).get("/r/amira?kith_code=AMIRA-10").headers[.location] ?? ""
            #expect(page.contains("/r/amira?kith_code=AMIRA-10") && taken.hasSuffix("&kith_code=AMIRA-10"))
            #expect(try await PageVisitor(app).get("/r/amira?kith_code=%3Cb%3E").headers[.location]?.contains("kith_code") == false)
            // Whoever sent all of it back is new again; whoever is not new, or is the owner by mail, is told before the order.
            #expect(try await app.post("/coupon-codes/check", ["code": "amira-10", "amount": 5_000, "currency": "EUR", "customerExternalId": "cleo"])["reason"].text == "notNew")
            let order: JSONValue = ["code": "amira-10", "amount": 5_000, "currency": "EUR"]
            #expect(try await app.post("/coupon-codes/check", order.adding("newCustomer", false))["reason"].text == "notNew")
            #expect(try await app.post("/coupon-codes/check", order.adding("customerEmail", "Amira@shop.test"))["reason"].text == "ownCode")
            try await app.proveAll()
        }
    }

    /// Saving again replaces what was there; both stay only for who says so.
    @Test(arguments: Engine.allCases) func savingTwiceDoublesNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["holdDays": 0])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let path = Self.path(program)
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            var fields = ["memberKind": "flat", "memberValue": "10", "friendKind": "amountOff", "friendValue": "5", "when": "first", "act": "save"]
            #expect(try await owner.submit(path, from: path, fields).status == 303)
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 5_000, ["code": "anna"])) == [1_000])
            try await app.moveClock(days: 1)
            (fields["memberValue"], fields["friendValue"]) = ("12", "20")
            fields["friendKind"] = "percentOff"
            let looked = try await owner.submit(path, from: path, fields.merging(["act": "look"]) { $1 })
            #expect(looked.text.contains("Ends now"))
            #expect(try await owner.submit(path, from: path, fields).status == 303)
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-2", 5_000, ["code": "anna"])) == [1_200])
            #expect(try await PageVisitor(app).get("/f/anna").text.contains("ANNA-20"))
            let old = try await app.post("/coupon-codes/check", ["code": "ANNA-5", "amount": 5_000, "currency": "EUR"])
            #expect(old["reason"].text == "ended", "one offer at a time")
            let again = try await owner.get(path).text
            #expect(again.contains("value=\"12\"") || again.contains("value=\"12.00\""), "the form says what is in force")
            #expect(again.contains("value=\"20\""))
            fields["known"] = "add"
            fields["friendKind"] = "nothing"
            #expect(try await owner.submit(path, from: path, fields.merging(["act": "look"]) { $1 }).text.contains("Paid besides"))
            #expect(try await owner.submit(path, from: path, fields).status == 303)
            try await app.moveClock(days: 1)
            #expect(AppHarness.amounts(try await app.sale("inv-3", "c-3", 5_000, ["code": "anna"])).reduce(0, +) == 2_400)
            try await app.proveAll()
        }
    }

    /// Who shared before the code was thought of gets one as well, in parts; who comes later gets one with the link.
    @Test(arguments: Engine.allCases) func everybodyWhoSharesHasACode(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let many = Welcome.codesAtOnceMax + 3
            let id = try #require(ProgramID(program))
            try await app.installation.write(app.twinID, actor: .system("test")) { write in
                for number in 0..<many {
                    let address = "m\(number)@members.test"
                    _ = try Member.enrollWithLink("M", email: address, program: id, destination: "https://shop.test/", code: "word\(number)", in: write)
                }
            }
            let coupon = try await CouponTests.coupon(app, program, ["usesPerCode": 1_000])
            _ = try await app.api(.put, "/programs/\(program)/friend-page", ["couponId": .text(coupon)]).success("it")
            try await app.installation.doDueWork()
            let given = try await app.installation.main.read { connection -> Int? in
                try connection.value("SELECT count(DISTINCT member_id) FROM coupon_code WHERE member_id IS NOT NULL")
            }
            #expect(given == many)
            let late = try await app.member(program, "late")
            try await app.link(program, late, code: "late")
            #expect(try await PageVisitor(app).get("/f/late").text.contains("LATE-5"))
            // A word that is taken is no reason to have none.
            _ = try await CouponTests.code(app, coupon, ["code": "TAKEN-5"])
            let other = try await app.member(program, "other")
            try await app.link(program, other, code: "taken")
            let page = try await PageVisitor(app).get("/f/taken").text
            #expect(page.contains("Your code for the checkout:") && !page.contains("TAKEN-5"))
            _ = try await app.post("/coupons/\(coupon)/end", .object([]))
            #expect(try await !PageVisitor(app).get("/f/late").text.contains("LATE-5"), "an offer that has ended is not promised")
        }
    }

    @Test(arguments: Engine.allCases) func whatCannotBeForEveryFriendIsRefused(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, other) = (try await app.program(), try await app.program())
            let cases: [(more: JSONValue, belongs: String)] = [
                (.object([]), program), (["usesPerCode": 9, "validDays": 30], program), (["usesPerCode": 9, "kind": "storeCredit"], program), (["usesPerCode": 9], other),
            ]
            for (more, belongs) in cases {
                let coupon = try await CouponTests.coupon(app, belongs, more)
                let reply = try await app.api(.put, "/programs/\(program)/friend-page", ["couponId": .text(coupon)])
                #expect(reply.status == 422 && reply.text.contains("couponId"), "\(more)")
            }
            let path = Self.path(program)
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            for (fields, words) in [
                (["friendKind": "percentOff", "friendValue": "120"], "at most 100"), (["friendKind": "amountOff"], "Is needed."),
                (["friendKind": "amountOff", "friendValue": "5", "countries": "DE"], "good everywhere"),
            ] {
                let typed = fields.merging(["memberKind": "flat", "memberValue": "5", "act": "save"]) { old, _ in old }
                let reply = try await owner.submit(path, from: path, typed)
                #expect(reply.status == 422 && reply.text.contains(words), "\(words)")
            }
            let signUp = ["memberKind": "flat", "memberValue": "5", "friendKind": "percentOff", "friendValue": "10", "when": "lead", "act": "look"]
            #expect(try await owner.submit(path, from: path, signUp).status == 200, "a code at once goes with a reward for signing up")
            #expect(try await app.get("/programs/\(program)/rules")["data"].list.isEmpty)
        }
    }
}
