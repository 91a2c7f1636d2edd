import Money
import Web

/// The members page.
struct MemberListModel: PageModel {
    var members: [Member]
    var names: PersonNames
    /// More people fitted the name than were looked at.
    var isCut = false
    var hasMore: Bool
    var isFirstPage: Bool
    var stages: [Member.Stage: Int64]
    var sales: [MemberID: Int64]
    var earned: [MemberID: [MemberPageStore.Earned]]
    var programs: [Program]
    var filter: MemberPageStore.Filter
    var find: String
    var order: ListOrder
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var page: PageObject {
        let isFiltered = !find.isEmpty || filter.program != nil || filter.stage != nil || filter.status != nil
        return [
            "csvURL": .text(address("/members.csv", nil)), "duplicatesURL": "/members/duplicates",
            "bulk": mayWrite
                ? [
                    "csrfToken": .text(csrfToken),
                    "buttons": PageValue(
                        [Member.Status.Settable.active, .inactive, .suspended].map {
                            PageObject(["value": .text($0.rawValue), "label": .text(language("members.bulk.\($0.rawValue)"))])
                        }),
                ] : nil, "lead": lead, "newURL": PageValue(mayWrite ? MemberForm.path : nil), "hasAny": .flag(!members.isEmpty || isFiltered || !isFirstPage),
            "filter": [
                "find": .text(find), "help": .text(isCut ? language("search.cut", ["count": language.integer(Int64(NameIndex.candidatesMax))]) : language("members.filter.help")), "active": .flag(isFiltered || order != .newest), "orders": PageValue(ListOrder.options(order, language)),
                "programs": PageValue(
                    options(filter.program?.text, any: "members.filter.programAny", programs.map { ($0.id.text, $0.name) })),
                "stages": PageValue(
                    options(
                        filter.stage?.rawValue, any: "members.filter.stageAny",
                        Member.Stage.allCases.map { ($0.rawValue, language("members.stage.\($0.rawValue)")) })),
                "statuses": PageValue(
                    options(
                        filter.status?.rawValue, any: "members.filter.statusAny",
                        Member.Status.allCases.map { ($0.rawValue, language("members.status.\($0.rawValue)")) })),
            ], "hasMembers": .flag(!members.isEmpty), "members": PageValue(members.map(row)), "pager": pager,
            "nothingFound": .flag(members.isEmpty && isFiltered),
        ]
    }

    private var lead: PageValue {
        let total = stages.values.reduce(0, +)
        guard total > 0 else { return language.sentence("members.lead.none") }
        let values = [
            "sharing": language.integer(stages[.sharer] ?? 0), "promoting": language.integer(stages[.promoter] ?? 0),
        ]
        return language.sentence("members.lead.some", count: total, values)
    }

    private func row(_ member: Member) -> PageObject {
        let name = names.member(member.id, language)
        let amounts = (earned[member.id] ?? []).compactMap { sum in (try? UnitCode(sum.unit)).map { language.money(sum.keptMinor, $0) } }
        return [
            "id": .text(mayWrite ? member.id.text : ""), "url": .text("/members/\(member.id.text)"), "name": .text(name), "initials": .text(Initials.of(name)),
            "stage": .text(language("members.stage.\(member.stage.rawValue)")), "status": member.status.badge(language),
            "joinedAt": language.shortTime(member.joinedAt), "sales": .text(language.integer(sales[member.id] ?? 0)),
            "earned": .text(amounts.isEmpty ? "–" : amounts.joined(separator: language("list.separator"))),
        ]
    }

    private func options(_ chosen: String?, any: String, _ all: [(String, String)]) -> [PageObject] {
        ([("", language(any))] + all).map { value, label in
            ["value": .text(value), "label": .text(label), "chosen": .flag(value == chosen ?? "")]
        }
    }

    private var pager: PageValue {
        guard hasMore || !isFirstPage else { return .nothing }
        return [
            "label": .text(language("pager.label")), "summary": "",
            "previous": isFirstPage ? nil : ["url": .text(address("/members", nil)), "label": .text(language("pager.first"))],
            "next": hasMore ? ["url": .text(address("/members", members.last?.id)), "label": .text(language("pager.next"))] : nil,
        ]
    }

    /// An address with the filters.
    private func address(_ path: String, _ after: MemberID?) -> String {
        let fields = [
            ("find", find), ("program", filter.program?.text ?? ""), ("stage", filter.stage?.rawValue ?? ""),
            ("status", filter.status?.rawValue ?? ""), ("order", order.queryText), ("startingAfter", after?.text ?? ""),
        ]
        let query = fields.filter { !$0.1.isEmpty }.map { "\($0.0)=\(LocalPath.encoded($0.1))" }.joined(separator: "&")
        return path + (query.isEmpty ? "" : "?" + query)
    }
}

extension Member.Status {
    func badge(_ language: PageLanguage) -> PageValue {
        let (tone, icon) =
            switch self {
            case .active: ("good", "check")
            case .inactive: ("", "clock")
            case .suspended: ("warn", "warning")
            case .terminated, .erased: ("", "none")
            }
        return ["tone": .text(tone), "icon": .text(icon), "label": .text(language("members.status.\(rawValue)"))]
    }
}
