import Web

/// What a friend reads: who recommends, the offer in one line, one button, the terms in plain words, and who is paid for it.
struct FriendModel: PageModel {
    var offer: FriendOffer
    var said: FriendPage
    var link: Link
    var company: String
    var name: String?
    var words: String?
    var windowDays: Int64
    var isCookieless: Bool
    var isTest: Bool
    var isOver: Bool
    var takeURL: String
    /// Where somebody says that they did not want it.
    var unwantedURL: String?
    var language: PageLanguage

    init(
        offer: FriendOffer, page: FriendPage, link: Link, company: String, name: String?, words: String?, windowDays: Int64, isCookieless: Bool, isTest: Bool,
        isOver: Bool, takeURL: String, unwantedURL: String?, language: PageLanguage
    ) {
        self.offer = offer
        said = page
        self.link = link
        self.company = company
        self.name = name
        self.words = words
        self.windowDays = windowDays
        self.isCookieless = isCookieless
        self.isTest = isTest
        self.isOver = isOver
        self.takeURL = takeURL
        self.unwantedURL = unwantedURL
        self.language = language
    }

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("friendPage.\(key)", values.merging(["company": company]) { own, _ in own }) }

    /// The offer in one line.
    var headline: String {
        if isOver { return say("over") }
        if !said.headline.isEmpty { return said.headline }
        if let gift = offer.gift { return say("headline", ["gift": gift]) }
        return say("headlineNone")
    }

    /// The title of the page where it is shared.
    var title: String {
        guard !isOver, let name else { return headline }
        return offer.gift.map { say("titleGift", ["name": name, "gift": $0]) } ?? say("titleNone", ["name": name])
    }

    var description: String { said.lead.isEmpty ? say("description") : said.lead }

    var from: String { link.memberID == nil ? company : name.map { say("from", ["name": $0]) } ?? say("fromSomebody") }

    var initials: String { Initials.of(name ?? company) }

    var page: PageObject {
        var lines: [PageObject] = []
        func add(_ icon: String, _ text: String?) { if let text { lines.append(["icon": .text(icon), "text": .text(text)]) } }
        if !isOver {
            add("step-payout", offer.conditions)
            add("clock", offer.when)
            add("step-payout", offer.also)
            for detail in said.details { add("done", detail) }
            if let end = link.expiresAt { add("clock", say("until", ["day": language.day(end)])) }
        }
        return [
            "test": .flag(isTest), "headline": .text(headline), "lead": PageValue(isOver ? say("overLead") : said.lead.isEmpty ? nil : said.lead),
            "from": link.memberID == nil || isOver ? nil : ["initials": .text(initials), "words": PageValue(words), "who": .text(from)],
            "button": ["url": .text(takeURL), "label": .text(button), "open": .flag(!isOver)],
            "code": link.memberID == nil || isOver
                ? nil : ["label": .text(say(offer.code == nil ? "orSay" : "yourCode")), "text": .text(offer.code ?? link.code.uppercased())],
            "hasLines": .flag(!lines.isEmpty), "lines": PageValue(lines),
            "disclosure": .text(disclosure), "hasLegal": .flag(!legal.isEmpty), "legal": PageValue(legal),
            "unwanted": PageValue(unwantedURL),
        ]
    }

    private var button: String {
        if !said.button.isEmpty { return said.button }
        return offer.gift.map { say("take", ["gift": $0]) } ?? say("go")
    }

    /// Who earns, and what is remembered.
    private var disclosure: String {
        guard link.memberID != nil else { return say("advertisement") }
        let who = name ?? say("somebody")
        let earns = offer.thanks.map { say("earns", ["name": who, "what": $0]) } ?? say("earnsMaybe", ["name": who])
        let remembers = isCookieless ? say("remembersNothing") : language.plural("friendPage.remembers", windowDays)
        return [say("advertisement"), earns, remembers].joined(separator: " ")
    }

    private var legal: [PageObject] {
        [("terms", said.termsURL), ("privacy", said.privacyURL), ("imprint", said.imprintURL)].filter { !$0.1.isEmpty }.map {
            ["url": .text($0.1), "label": .text(say($0.0))]
        }
    }
}
