import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Rules
import Web

/// Groups as a list; each with its offer, its rung, its people and who came and went.
enum GroupPages {
    static let path = "/groups"
    static let membersPerPage = 50
    static let movesMax = 20
    static let programsMax = 200
    static let groupsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/groups", .membersRead, gate) { visit in try await list(visit) }
        api.form(path, .programsWrite, gate) { visit, fields in try await create(visit, fields) }
        api.page("/groups/{id}", .membersRead, gate) { visit in try await show(visit) }
        api.form(path + "/{id}", .programsWrite, gate) { visit, fields in try await change(visit, fields) }
        api.form(path + "/{id}/rung", .programsWrite, gate) { visit, fields in try await setRung(visit, fields) }
        api.form(path + "/{id}/members", .membersWrite, gate) { visit, fields in try await place(visit, fields) }
    }

    // MARK: All groups

    static func list(_ visit: PageVisit, typed: [String: String] = [:], errors: [String: String] = [:]) async throws -> Response {
        let workspace = visit.workspaceID
        let (groups, programs, counts) = try await visit.installation.main.read { connection -> ([MemberGroup], [Program], [ProgramID: [String: Int64]]) in
            let groups = try GroupStore.page(in: workspace, program: nil, after: nil, limit: groupsMax, on: connection)
            var counts: [ProgramID: [String: Int64]] = [:]
            for program in Set(groups.map(\.programID)) { counts[program] = try GroupStore.memberCounts(in: program, on: connection) }
            return (groups, try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection), counts)
        }
        let model = GroupListModel(
            groups: groups, programs: programs, counts: counts, typed: typed, errors: errors, mayWrite: visit.session.may(.programsWrite), csrfToken: visit.csrfToken,
            language: visit.language)
        return try visit.blocks(model.blocks, current: path, status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private static func create(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = ["program", "name", "description"].reduce(into: [String: String]()) { $0[$1] = fields[$1] }
        let name = OneLine.folded(typed["name"] ?? "")
        let description = typed["description"] ?? ""
        guard let program = typed["program"].flatMap({ ProgramID($0) }) else { return try await list(visit, typed: typed, errors: ["program": visit.language("groups.error.program")]) }
        guard (1...MemberGroup.nameLengthMax).contains(name.unicodeScalars.count) else {
            return try await list(visit, typed: typed, errors: ["name": visit.language("groups.error.name")])
        }
        guard description.unicodeScalars.count <= MemberGroup.descriptionLengthMax else {
            return try await list(visit, typed: typed, errors: ["description": visit.language("groups.error.description")])
        }
        do {
            let group = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try MemberGroup.create(MemberGroup.Input(name: name, key: nil, description: description), in: program, write)
            }
            return visit.seeOther("\(path)/\(group.id.text)?done=created")
        } catch let problem as Problem where problem.status == .unprocessableContent {
            let key = ["group_known": "known", "too_many_groups": "tooMany"][problem.code] ?? "program"
            return try await list(visit, typed: typed, errors: ["name": visit.language("groups.error.\(key)")])
        }
    }

    // MARK: One group

    /// What a group's page shows, read at once.
    struct Facts: Sendable {
        var group: MemberGroup
        var program: Program
        var others: [MemberGroup]
        var count: Int64
        var members: [MemberID]
        var hasMore: Bool
        var rules: [Rule]
        var moves: [GroupMove]
        var names: PersonNames
        var authors: OperatorNames
    }

    static func show(_ visit: PageVisit, typed: [String: String] = [:], errors: [String: String] = [:]) async throws -> Response {
        let (workspace, vault) = (visit.workspaceID, visit.installation.vault)
        let id: GroupID = try visit.context.id()
        let after = visit.query["startingAfter"].flatMap { MemberID($0) }
        let facts = try await visit.installation.main.read { connection -> Facts? in
            guard let group = try GroupStore.find(id, in: workspace, on: connection),
                let program = try ProgramStore.find(group.programID, in: workspace, at: visit.now, on: connection)
            else { return nil }
            let members = try GroupStore.members(of: group, after: after?.text, limit: membersPerPage + 1, on: connection)
            let moves = try GroupStore.moves(of: group, limit: movesMax, on: connection)
            let rules = try RuleStore.newestOfAll(in: program.id, on: connection).filter { rule in
                rule.programID == program.id && rule.terms.conditions.leaves.contains { $0.field == .memberGroup && $0.value.names(group.key) }
            }
            return Facts(
                group: group, program: program, others: try GroupStore.list(in: program.id, on: connection),
                count: try GroupStore.memberCounts(in: program.id, on: connection)[group.key] ?? 0, members: Array(members.prefix(membersPerPage)),
                hasMore: members.count > membersPerPage, rules: rules, moves: moves,
                names: try PersonNames.load(members: Array(Set(members + moves.map(\.memberID))), vault: vault, on: connection),
                authors: try OperatorNames.load(moves.map(\.author), in: workspace, vault: vault, on: connection))
        }
        guard let facts else { throw Problem.notFound() }
        let model = GroupModel(
            facts: facts, isFirstPage: after == nil, typed: typed, errors: errors, mayWrite: visit.session.may(.programsWrite), mayPlace: visit.session.may(.membersWrite),
            csrfToken: visit.csrfToken, language: visit.language)
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("groups", ["created", "changed", "rung", "noRung", "placed", "left"]),
            status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private static func change(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: GroupID = try visit.context.id()
        let name = OneLine.folded(fields["name"] ?? "")
        let description = fields["description"] ?? ""
        let typed = ["name": name, "description": description]
        guard (1...MemberGroup.nameLengthMax).contains(name.unicodeScalars.count) else {
            return try await show(visit, typed: typed, errors: ["name": visit.language("groups.error.name")])
        }
        guard description.unicodeScalars.count <= MemberGroup.descriptionLengthMax else {
            return try await show(visit, typed: typed, errors: ["description": visit.language("groups.error.description")])
        }
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
            _ = try MemberGroup.find(id, in: write).change(name: name, description: description, in: write)
        }
        return visit.seeOther("\(path)/\(id.text)?done=changed")
    }

    private static func setRung(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: GroupID = try visit.context.id()
        let numbers = visit.language.numbers
        let typed = ["position", "metric", "atLeast", "days", "fallsBack"].reduce(into: [String: String]()) { $0[$1] = fields[$1] }
        var rung: MemberGroup.Rung?
        if fields["act"] != "remove" {
            var errors: [String: String] = [:]
            func fault(_ field: String) { errors[field] = visit.language("groups.error.\(field)") }
            let metric = MemberGroup.Rung.Metric(rawValue: typed["metric"] ?? "") ?? .sales
            let position = numbers.count(typed["position"] ?? "", in: 1...Int64(MemberGroup.countMax))
            if position == nil { fault("position") }
            let workspace = visit.workspaceID
            let exponent = try await visit.installation.main.read { connection -> Int in
                guard let group = try GroupStore.find(id, in: workspace, on: connection),
                    let program = try ProgramStore.find(group.programID, in: workspace, at: visit.now, on: connection)
                else { throw Problem.notFound() }
                return Currency(code: program.currency)?.exponent ?? 2
            }
            let least = metric == .amount ? numbers.amountMinor(typed["atLeast"] ?? "", exponent: exponent) : numbers.count(typed["atLeast"] ?? "", in: 1...Schemas.amountMax)
            let atLeast = least.flatMap { (1...Schemas.amountMax).contains($0) ? $0 : nil }
            if atLeast == nil { fault("atLeast") }
            var days: Int64?
            if let text = typed["days"], !text.isEmpty {
                days = numbers.count(text, in: 1...MemberGroup.Rung.daysMax)
                if days == nil { fault("days") }
            }
            guard let position, let atLeast, errors.isEmpty else { return try await show(visit, typed: typed, errors: errors) }
            rung = MemberGroup.Rung(position: position, metric: metric, atLeast: atLeast, days: days, fallsBack: typed["fallsBack"] != nil)
        }
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { [rung] write in
                _ = try MemberGroup.find(id, in: write).set(rung, in: write)
            }
        } catch let problem as Problem where problem.code == "rung_taken" {
            return try await show(visit, typed: typed, errors: ["position": visit.language("groups.error.rungTaken")])
        }
        return visit.seeOther("\(path)/\(id.text)?done=\(rung == nil ? "noRung" : "rung")")
    }

    private static func place(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: GroupID = try visit.context.id()
        let (workspace, vault) = (visit.workspaceID, visit.installation.vault)
        let typed = ["member", "reason", "act"].reduce(into: [String: String]()) { $0[$1] = fields[$1] }
        let reason = typed["reason"] ?? ""
        func refuse(_ field: String, _ key: String) async throws -> Response {
            try await show(visit, typed: typed, errors: [field: visit.language("groups.error.\(key)")])
        }
        guard (1...GroupMove.reasonLengthMax).contains(reason.unicodeScalars.count) else { return try await refuse("reason", "reason") }
        let found = try await visit.installation.main.read { connection in
            try MemberLookup.find(String((typed["member"] ?? "").prefix(255)), in: workspace, vault: vault, language: visit.language, on: connection)
        }
        guard let memberID = found.first else { return try await refuse("member", "member") }
        guard found.count == 1 else { return try await refuse("member", "several") }
        let leaves = typed["act"] == "leave"
        do {
            try await visit.installation.write(workspace, actor: visit.session.actor, rights: visit.session.rights) { write in
                let group = try MemberGroup.find(id, in: write)
                let member = try Member.find(.id(memberID), field: "memberId", in: write)
                if leaves, try MemberStore.group(of: memberID, in: group.programID, on: write.connection) != group.key {
                    throw Problem.conflict(code: "not_in_group", detail: "The member is not in this group.")
                }
                _ = try MemberGroup.place(member, in: leaves ? nil : group, of: group.programID, reason: reason, write)
            }
        } catch let problem as Problem where ["not_enrolled", "in_group_already", "not_in_group"].contains(problem.code) {
            return try await refuse("member", problem.code)
        }
        return visit.seeOther("\(path)/\(id.text)?done=\(leaves ? "left" : "placed")")
    }
}

extension ConditionValue {
    /// Whether the value is the word, or has it among others.
    func names(_ word: String) -> Bool {
        switch self {
        case .text(let text): text == word
        case .list(let scalars): scalars.contains(.text(word))
        default: false
        }
    }
}
