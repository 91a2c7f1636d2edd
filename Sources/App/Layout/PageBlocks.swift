import HTTPTypes
import Hummingbird
import Web

/// A page made of the usual parts in their usual order: where, the answer in a sentence, filters, then sections with tables, facts and forms.
struct PageBlocks: PageModel {
    struct Link: Sendable {
        var url: String
        var label: String
        var style = "btn-plain"
        var icon: String?
    }

    struct Fact: Sendable {
        var label: String
        var text: String
        var url: String? = nil
    }

    struct Event: Sendable {
        var what: String
        var url: String? = nil
        var time: PageValue
        var below: String? = nil
        var isMajor = false
    }

    /// A bar that follows long work; `url` tells a script how far it is.
    struct Progress: Sendable {
        var url: String
        var text: String
        var thousandths: Int64
    }

    struct Block: Sendable {
        var heading: String?
        var text: String?
        var links: [Link] = []
        var facts: [Fact] = []
        /// Drawn above its table.
        var chart: PageChart?
        var table: PageTable?
        var trail: [Event] = []
        var progress: Progress?
        var code: String?
        /// What the button says that puts the code on the clipboard, before and after.
        var copy: (label: String, done: String)?
        var forms: [PageForm] = []
        /// What stands here while there is nothing else.
        var empty: String?
        /// The small line below.
        var note: String?
        var isWarning = false
    }

    struct Empty: Sendable {
        var heading: String
        var text: String
        var link: Link?
    }

    var heading: String
    var crumb: (url: String, label: String)?
    var links: [Link] = []
    var tabs: [(url: String, label: String, isCurrent: Bool)] = []
    var lead: PageValue = []
    /// Above the forms when one was refused.
    var refused: String?
    var filters: PageForm?
    var clear: (url: String, label: String)?
    var blocks: [Block] = []
    var pager: PageValue = .nothing
    var empty: Empty?

    var page: PageObject {
        [
            "heading": .text(heading), "crumb": PageValue(crumb.map { PageObject(["url": .text($0.url), "label": .text($0.label)]) }),
            "links": PageValue(links.map(Self.link)), "hasLead": .flag(lead != []), "lead": lead, "refused": PageValue(refused),
            "tabs": tabs.isEmpty
                ? nil
                : [
                    "label": .text(heading),
                    "tabs": PageValue(tabs.map { PageObject(["url": .text($0.url), "label": .text($0.label), "current": .flag($0.isCurrent)]) }),
                ],
            "filters": PageValue(filters?.page), "clear": PageValue(clear.map { PageObject(["url": .text($0.url), "label": .text($0.label)]) }),
            "blocks": PageValue(blocks.enumerated().map { Self.block($1, number: $0) }), "pager": pager,
            "empty": PageValue(
                empty.map {
                    PageObject([
                        "heading": .text($0.heading), "text": .text($0.text), "link": PageValue($0.link.map(Self.link)),
                    ])
                }),
        ]
    }

    private static func link(_ link: Link) -> PageObject {
        ["url": .text(link.url), "label": .text(link.label), "style": .text(link.style), "icon": PageValue(link.icon)]
    }

    private static func block(_ block: Block, number: Int) -> PageObject {
        [
            "id": .text("block-\(number + 1)"), "header": block.heading.map { ["heading": .text($0)] } ?? nil, "text": PageValue(block.text),
            "links": PageValue(block.links.map(link)), "hasFacts": .flag(!block.facts.isEmpty), "warning": .flag(block.isWarning),
            "facts": PageValue(
                block.facts.map {
                    PageObject(["label": .text($0.label), "text": .text($0.text), "url": PageValue($0.url), "bare": .flag($0.url == nil)])
                }), "figure": PageValue(block.chart?.page), "table": PageValue(block.table?.page), "hasTrail": .flag(!block.trail.isEmpty),
            "progress": PageValue(
                block.progress.map { PageObject(["url": .text($0.url), "text": .text($0.text), "width": .text("\($0.thousandths / 10)%")]) }),
            "trail": PageValue(
                block.trail.map {
                    PageObject([
                        "what": .text($0.what), "url": PageValue($0.url), "bare": .flag($0.url == nil), "time": $0.time, "below": PageValue($0.below),
                        "won": .flag($0.isMajor),
                    ])
                }), "code": PageValue(block.code),
            "copy": PageValue(block.copy.map { PageObject(["label": .text($0.label), "done": .text($0.done)]) }), "forms": PageValue(block.forms), "empty": PageValue(block.empty), "note": PageValue(block.note),
        ]
    }
}

extension PageVisit {
    func blocks(
        _ blocks: PageBlocks, current: String, isNarrow: Bool = false, notice: PageFrame.Notice? = nil, status: HTTPResponse.Status = .ok
    ) throws -> Response {
        try page("blocks", title: blocks.heading, current: current, isNarrow: isNarrow, notice: notice, status: status, blocks.page)
    }

    /// The proof that forms of this person carry.
    var csrfToken: String { session.csrf(installation).text() }

    /// A quiet word of success, after `?done=KEY`; only keys of the list are said.
    func done(_ prefix: String, _ known: Set<String>) -> PageFrame.Notice? {
        guard let key = query["done"], known.contains(key) else { return nil }
        return PageFrame.Notice(kind: "good", icon: "check", text: language("\(prefix).done.\(key)"))
    }
}
