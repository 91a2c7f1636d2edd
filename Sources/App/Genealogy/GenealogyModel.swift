import Chronology
import Compensation
import Money
import Persistence
import Web

/// A branch of a tree: who stands above the chosen member, and some levels below, with rank and volume of the last run.
struct GenealogyModel: PageModel, Sendable {
    struct Row: Sendable {
        var node: GenealogyStore.Node
        var level: Int
        var hasChildren: Bool
        var statement: StoredStatement?
        /// More members stand beside the last one shown.
        var hasMore = false
    }

    var asked: GenealogyPages.Asked
    var programs: [Program]
    var trees: [String]
    var above: [MemberID]
    var rows: [Row]
    var hasMoreRoots: Bool
    var names: PersonNames
    var ranks: [String]
    var unit: UnitCode
    var find: String
    var isMissing: Bool
    var language: PageLanguage

    static func empty(_ language: PageLanguage) -> PageObject {
        ["isEmpty": true, "lead": language.sentence("genealogy.none"), "hasProgram": false, "rows": [], "data": "[]", "hasRows": false]
    }

    static func load(
        _ asked: GenealogyPages.Asked, programs: [Program], find: String, isMissing: Bool, vault: Vault, language: PageLanguage,
        on connection: any Connection
    ) throws -> GenealogyModel {
        let program = asked.program.id
        var rows: [Row] = []
        var above: [MemberID] = []
        var hasMoreRoots = false
        if let root = asked.root,
            let node = try GenealogyStore.node(root, program: program, tree: asked.tree, at: asked.at, on: connection)
        {
            var next = node.parentID
            while let member = next, above.count < GenealogyPages.aboveMax, !above.contains(member) {
                guard let parent = try GenealogyStore.node(member, program: program, tree: asked.tree, at: asked.at, on: connection) else { break }
                above.insert(member, at: 0)
                next = parent.parentID
            }
            rows = try branch(node, asked, on: connection)
        } else {
            let roots = try GenealogyStore.roots(
                tree: asked.tree, program: program, after: asked.after, limit: GenealogyPages.rootsMax + 1, at: asked.at, on: connection)
            hasMoreRoots = roots.count > GenealogyPages.rootsMax
            rows = roots.prefix(GenealogyPages.rootsMax).map { Row(node: $0, level: 0, hasChildren: false) }
        }
        let parents = try GenealogyStore.parents(
            among: rows.map(\.node.memberID), tree: asked.tree, program: program, at: asked.at, on: connection)
        var ranks: [String] = []
        if let run = try RunStore.newestComputed(of: program, on: connection), let found = try RunStore.find(run, in: asked.program.workspaceID, on: connection),
            let plan = try PlanStore.find(found.planID, version: found.planVersion, in: found.workspaceID, on: connection)
        {
            ranks = try plan.plan(for: asked.program).ranks.map(\.code)
            let statements = try StatementRows(of: run, on: connection)
            for place in rows.indices { rows[place].statement = try statements.statement(of: rows[place].node.memberID) }
        }
        for place in rows.indices { rows[place].hasChildren = parents.contains(rows[place].node.memberID) }
        return GenealogyModel(
            asked: asked, programs: programs, trees: try GenealogyStore.trees(of: program, on: connection), above: above, rows: rows,
            hasMoreRoots: hasMoreRoots, names: try PersonNames.load(members: rows.map(\.node.memberID) + above, vault: vault, on: connection),
            ranks: ranks, unit: try UnitCode(asked.program.currency), find: find, isMissing: isMissing, language: language)
    }

    /// The chosen member and some levels below, depth first.
    private static func branch(_ root: GenealogyStore.Node, _ asked: GenealogyPages.Asked, on connection: any Connection) throws -> [Row] {
        var rows: [Row] = []
        var pending = [Row(node: root, level: 0, hasChildren: true)]
        while let row = pending.popLast() {
            rows.append(row)
            guard row.level < GenealogyPages.levels else { continue }
            let limit = row.level == 0 ? GenealogyPages.childrenMax : GenealogyPages.childrenMax / 5
            let children = try GenealogyStore.children(
                of: row.node.memberID, tree: asked.tree, program: asked.program.id, after: row.level == 0 ? asked.after : nil, limit: limit + 1,
                at: asked.at, on: connection)
            var shown = children.prefix(limit).map { Row(node: $0, level: row.level + 1, hasChildren: false) }
            if children.count > limit, !shown.isEmpty { shown[shown.count - 1].hasMore = true }
            pending += shown.reversed()
        }
        return rows
    }

    private func url(_ member: MemberID?, after: String? = nil, tree: String? = nil) -> String {
        var url = "/genealogy?program=\(asked.program.id.text)&tree=\(tree ?? asked.tree)&day=\(asked.day.iso8601)"
        if let member { url += "&member=\(member.text)" }
        if let after { url += "&after=\(after)" }
        return url
    }

    private func rank(_ statement: StoredStatement?) -> String {
        guard let number = statement?.paidRank, number > 0, number <= ranks.count else { return language("run.noRank") }
        return ranks[number - 1]
    }

    var page: PageObject {
        let last = rows.last { $0.level == (asked.root == nil ? 0 : 1) }
        let hasMore = asked.root == nil ? hasMoreRoots : rows.contains { $0.level == 1 && $0.hasMore }
        return [
            "hasProgram": true, "isEmpty": .flag(rows.isEmpty), "lead": lead, "programId": .text(asked.program.id.text), "tree": .text(asked.tree),
            "day": .text(asked.day.iso8601), "find": .text(find), "missing": isMissing ? .text(language("genealogy.missing", ["text": find])) : nil,
            "programs": PageValue(
                programs.map { ["id": .text($0.id.text), "name": .text($0.name), "selected": .flag($0.id == asked.program.id)] as PageObject }),
            "trees": PageValue(
                (["enroller"] + trees).map { tree -> PageObject in
                    [
                        "url": .text(url(asked.root, tree: tree)), "current": .flag(tree == asked.tree),
                        "label": .text(tree == "enroller" ? language("genealogy.tree.enroller") : tree == "placement" ? language("genealogy.tree.placement") : tree),
                    ]
                }), "topUrl": .text(url(nil)),
            "above": PageValue(above.map { ["url": .text(url($0)), "name": .text(names.member($0, language))] as PageObject }),
            "unit": .text(unit.code), "hasRows": .flag(!rows.isEmpty), "rows": PageValue(rows.map(row)), "data": .text(data),
            "moreUrl": hasMore ? PageValue(last.map { url(asked.root, after: $0.node.memberID.text) }) : nil,
        ]
    }

    private var lead: PageValue {
        guard let first = rows.first, asked.root != nil else { return language.sentence("genealogy.lead.roots", count: Int64(rows.count)) }
        let name = names.member(first.node.memberID, language)
        guard let statement = first.statement else { return language.sentence("genealogy.lead.member", ["name": name]) }
        return language.sentence(
            "genealogy.lead.volume", ["name": name, "volume": language.amount(statement.groupVolume, unit), "rank": rank(statement)])
    }

    private func row(_ row: Row) -> PageObject {
        let member = row.node.memberID
        let name = names.member(member, language)
        return [
            "name": .text(name), "initials": .text(Initials.of(name)), "url": .text(url(member)), "storyUrl": .text("/members/\(member.text)"),
            "depth": .text("depth-\(row.level)"), "rank": .text(rank(row.statement)), "active": .flag(row.statement?.isActive ?? (row.node.status == .active)),
            "state": .text(language("members.status.\(row.node.status.rawValue)")), "promoter": .flag(row.node.kind == .promoter),
            "slot": row.node.slot.map { .text(language.integer($0)) } ?? nil,
            "personal": .text(language.amount(row.statement?.personalVolume ?? 0, unit)), "group": .text(language.amount(row.statement?.groupVolume ?? 0, unit)),
            "more": row.hasChildren && row.level >= GenealogyPages.levels ? .text(language("genealogy.below")) : nil,
            "openLabel": .text(language("genealogy.open", ["name": name])),
        ]
    }

    /// What the drawing needs, as JSON: the same rows, in the same order.
    private var data: String {
        let values: [JSONValue] = rows.map { row in
            let name = names.member(row.node.memberID, language)
            return [
                "name": .text(name), "initials": .text(Initials.of(name)), "url": .text(url(row.node.memberID)), "level": .integer(Int64(row.level)),
                "idle": .boolean(!(row.statement?.isActive ?? (row.node.status == .active))),
                "sub": .text(row.statement == nil ? language("members.status.\(row.node.status.rawValue)") : "\(rank(row.statement)) · \(language.amount(row.statement?.groupVolume ?? 0, unit))"),
                "more": .boolean(row.hasChildren && row.level >= GenealogyPages.levels),
            ]
        }
        return String(decoding: JSONValue.array(values).bytes, as: UTF8.self)
    }
}

/// Statements of a run by member, part by part as they are asked for.
final class StatementRows {
    private let run: RunID
    private let connection: any Connection
    private var parts: [(part: RunPart, statements: [PackedID: StoredStatement])] = []
    private let members: MemberRows
    private static let partsMax = 8

    init(of run: RunID, on connection: any Connection) throws {
        self.run = run
        self.connection = connection
        members = try MemberRows(of: run, on: connection)
    }

    func statement(of member: MemberID) throws -> StoredStatement? {
        guard let id = PackedID(member.text) else { return nil }
        if let known = parts.first(where: { $0.part.firstID <= member.text && $0.part.lastID >= member.text }) { return known.statements[id] }
        guard let part = try RunPartStore.part(.statements, holding: member.text, of: run, on: connection) else { return nil }
        var reader = PackedReader(part.bytes)
        var statements: [PackedID: StoredStatement] = [:]
        while !reader.isAtEnd {
            let statement = try StoredStatement.read(&reader)
            statements[try members.id(statement.member)] = statement
        }
        if parts.count >= Self.partsMax { parts.removeFirst() }
        parts.append((part, statements))
        return statements[id]
    }
}
