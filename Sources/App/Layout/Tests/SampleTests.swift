import Chronology
import Foundation
import Money
import Persistence
import Rules
import TestSupport
import Testing
import Web

@testable import App

/// The samples of templates that are filled by shared parts come from the parts themselves: `KITH_WRITE_SAMPLES=1` writes them anew.
@Suite struct SampleTests {
    @Test func blocks() throws {
        let language = try RuleSentenceTests.language()
        let now = AppHarness.start
        let choice = [FormField.Choice(value: "de", label: "Germany", help: "With its islands", isChosen: true)]
        let button = PageForm.Button(label: "Save", name: "act", value: "save")
        let fields: [FormField] = [
            .line("amount", "Amount", "12.50", help: "Of one sale", error: "Too little", isRequired: true, isMono: true, suffix: "EUR"),
            FormField(name: "country", label: "Country", control: .select(choice)),
            FormField(name: "text", label: "Words", help: "A few", error: "Too many", control: .area("Hello", rows: 3), isMono: true),
            FormField(name: "file", label: "File", help: "At most one", control: .file(accept: ".csv")), FormField(name: "some", label: "Some of these", control: .checks(choice)), FormField(name: "one", label: "One of these", control: .radios(choice)),
        ]
        let form = PageForm(
            action: "/blocks", hidden: [("id", "1")], fields: fields, buttons: [button], cancel: ("/", "Cancel"), note: "Kept as it is",
            csrfToken: "proof")
        let inline = PageForm(action: "/blocks", hidden: [("id", "2")], buttons: [button], isInline: true, csrfToken: "proof")
        let columns = ["Who", "Code", "When", "State", "Said", "Lines", "Name", "Words"].map { PageTable.Column(label: $0, isExtra: $0 == "Said") }
        let row: [PageTable.Cell] = [
            .person("Lena Moor", url: "/members/1"), .mono("LENA"), .time(now), .badge("Paid", tone: "good", icon: "check"), .text("Yes"),
            .lines("Above", "Below"), .name("Herbst", url: "/links/1"), .words(language.sentence("programNew.lead")),
        ]
        let table = PageTable(
            label: "People", columns: columns + [PageTable.Column(label: "Amount", isNumber: true), PageTable.Column(label: "Buttons", isHidden: true)],
            rows: [
                PageTable.Row(cells: row + [.number("12.50"), .nothing], id: "1", name: "Lena Moor"),
                PageTable.Row(cells: [.person("Owen", url: nil), .name("OWEN", url: nil)] + Array(repeating: .nothing, count: 6) + [.number("1.00"), .nothing], isOff: true),
            ], total: [.text("All")] + Array(repeating: .nothing, count: 7) + [.number("13.50"), .nothing],
            bulk: PageForm(action: "/blocks", hidden: [("all", "0")], buttons: [button], note: "For those ticked", csrfToken: "proof"), tickLabel: "Tick",
            language: language)
        let buttons = PageTable(
            label: "Keys", columns: [PageTable.Column(label: "Name"), PageTable.Column(label: "Buttons", isHidden: true)],
            rows: [PageTable.Row(cells: [.text("First key"), .forms([inline])])], language: language)
        let choices = PageTable(
            label: "Columns", columns: [PageTable.Column(label: "Field"), PageTable.Column(label: "Column")],
            rows: [
                PageTable.Row(cells: [.text("Country"), .choice(FormField(name: "country.column", label: "Country", error: "Choose one", control: .select(choice)))])
            ], bulk: PageForm(action: "/blocks", buttons: [button], csrfToken: "proof"), language: language)
        let link = PageBlocks.Link(url: "/new", label: "New", style: "btn-primary", icon: "plus")
        let page = PageBlocks(
            heading: "Blocks", crumb: ("/", "Home"), links: [link], tabs: [("/", "One", true), ("/two", "Two", false)],
            lead: language.sentence("programNew.lead"), refused: "Some of it can’t be right.",
            filters: PageForm(
                action: "/blocks", method: "get", fields: [.line("q", "Find", "lena", type: "search")], buttons: [PageForm.Button(label: "Show")], csrfToken: ""),
            clear: ("/blocks", "All"),
            blocks: [
                PageBlocks.Block(
                    heading: "Facts", text: "What is known", links: [link],
                    facts: [PageBlocks.Fact(label: "Name", text: "Lena", url: "/members/1"), PageBlocks.Fact(label: "Country", text: "Germany", url: nil)],
                    note: "As of today"),
                PageBlocks.Block(heading: "People", table: table), PageBlocks.Block(heading: "Keys", table: buttons),
                PageBlocks.Block(heading: "Columns", table: choices),
                PageBlocks.Block(heading: "Under way", progress: PageBlocks.Progress(url: "/blocks/progress", text: "200 of 800 rows", thousandths: 250)),
                PageBlocks.Block(
                    heading: "Story",
                    trail: [
                        PageBlocks.Event(what: "Joined", url: "/members/1", time: language.time(now), below: "By Owen", isMajor: true),
                        PageBlocks.Event(what: "Left", url: nil, time: language.time(now), below: nil),
                    ]), PageBlocks.Block(heading: "Code", code: "curl https://kith.example", copy: ("Copy", "Copied")), PageBlocks.Block(heading: "Form", forms: [form]),
                PageBlocks.Block(heading: "Nothing", empty: "Nothing yet", note: "Look at this", isWarning: true),
            ], empty: PageBlocks.Empty(heading: "Nothing yet", text: "It comes by itself.", link: link))
        try Self.check("Layout/blocks", page.page, title: "Blocks", current: "/")
    }

    @Test func ruleForm() async throws {
        try await AppHarness.with(.sqlite) { app in
            let program = try await app.program(["name": "Friends of Morgenrot"])
            let id = try await app.rule(program, ["name": "Sharer", "reward": ["kind": "percent", "rate": "0.10"]])
            _ = try await app.rule(program, ["name": "Above", "reward": ["kind": "percent", "rate": "0.03"], "level": 1])
            let lena = try await app.member(program, "lena")
            try await app.link(program, lena, code: "LENA")
            try await app.sale("d-1", "c-1", 6_000, ["code": "LENA", "occurredAt": "2025-12-10T12:00:00Z"])
            let language = try RuleSentenceTests.language()
            let vault = app.installation.vault
            let currency = try #require(Currency(code: "EUR"))
            let (rule, known) = try await app.installation.main.read { connection in
                let rule = try #require(try RuleStore.newest(RuleID(stored: id), in: app.twinID, on: connection))
                return (rule, try #require(try ProgramStore.find(rule.programID, in: app.twinID, at: AppHarness.start, on: connection)))
            }
            var draft = try #require(RuleDraft(rule, currency: currency, zone: .utc, numbers: language.numbers))
            (draft.value, draft.capKind, draft.cap) = ("12", .amount, "3")
            let typed = draft
            let changed = try RuleSentenceTests.rule(draft.document(currency: currency, zone: .utc, numbers: language.numbers, now: AppHarness.start).json)
            let reckoned = try await RuleEffect.reckon(changed.terms, replacing: rule, of: known, at: AppHarness.start, in: app.installation)
            let effect = try #require(reckoned)
            let model = try await app.installation.main.read { connection -> PageObject in
                let place = RulePages.Place(
                    program: known, currency: currency, rule: rule, versions: try RuleStore.versions(of: rule.id, limit: 5, on: connection),
                    authors: OperatorNames())
                let names = try PersonNames.load(members: effect.movers(6).map(\.member), vault: vault, on: connection)
                var page = RuleFormModel(
                    place: place, typed: .draft(typed), draft: changed, errors: ["value": "An amount is needed here."],
                    others: try RuleStore.newestOfAll(in: known.id, on: connection).filter { $0.id != rule.id },
                    effect: RuleEffectModel(effect: effect, names: names, place: place, language: language), mayWrite: true, csrfToken: "proof",
                    language: language
                ).page
                if case .object(var shown)? = page["effect"] {
                    shown["none"] = "Nothing was sold."
                    shown["notes"] = ["Only the first 5,000 events were worked out."]
                    page["effect"] = .object(shown)
                }
                return page
            }
            try Self.check("Rules/rule-form", model, title: "Sharer", current: "/programs")
        }
    }

    /// The sample names what the model has; with the variable set it is written.
    static func check(_ path: String, _ model: PageObject, title: String, current: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("\(path).sample.json")
        if ProcessInfo.processInfo.environment["KITH_WRITE_SAMPLES"] == "1" {
            var members = [JSONMember("_frame", ["template": "page", "title": .text(title), "current": .text(current)])]
            if case .object(let own) = json(.object(model)) { members += own }
            try Data((JSONValue.object(members).indented + "\n").utf8).write(to: file)
        }
        let sample = try JSONValue.parse(Array(Data(contentsOf: file)), maximumBytes: 1_000_000)
        guard case .object(let members) = sample else { return #expect(Bool(false), "\(path) is no object") }
        #expect(Set(members.map(\.name)).subtracting(["_frame"]) == Set(model.names))
    }

    private static func json(_ value: PageValue) -> JSONValue {
        switch value {
        case .nothing: .null
        case .text(let text): .text(text)
        case .html(let html): .text(html.markup)
        case .flag(let flag): .boolean(flag)
        case .list(let values): .array(values.map(json))
        case .object(let object): .object(object.names.map { JSONMember($0, json(object[$0] ?? .nothing)) })
        }
    }
}
