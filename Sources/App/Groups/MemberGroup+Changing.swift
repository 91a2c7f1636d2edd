import Persistence
import Web

extension MemberGroup {
    struct Input: Sendable {
        var name: String
        /// Nil: made of the name.
        var key: String?
        var description: String
    }

    static func create(_ input: Input, in program: ProgramID, _ write: Write) throws -> MemberGroup {
        guard try ProgramStore.find(program, in: write.workspace.id, at: write.now, on: write.connection) != nil else {
            throw Refusal.unknown("program", field: "programId")
        }
        guard try GroupStore.count(in: program, on: write.connection) < countMax else {
            throw Refusal.field("name", "A program has at most \(countMax) groups.", code: "too_many_groups")
        }
        let key = input.key ?? word(of: input.name)
        guard try GroupStore.find(key: key, in: program, on: write.connection) == nil else {
            throw Refusal.field("key", "Another group of this program is called \(key).", code: "group_known")
        }
        let group = MemberGroup(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program, key: key, name: input.name, description: input.description,
            createdAt: write.now)
        try GroupStore.insert(group, on: write.connection)
        try write.audit("group.create", subject: group.id.text, JSONText(["key": .text(key), "name": .text(input.name)]))
        return group
    }

    /// Small letters, digits and hyphens; a name without any letter of those is numbered by its length.
    static func word(of name: String) -> String {
        var word = ""
        for scalar in name.lowercased().unicodeScalars {
            let isPlain = ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
            if isPlain { word.unicodeScalars.append(scalar) } else if !word.isEmpty, word.last != "-" { word.append("-") }
            if word.count == keyLengthMax { break }
        }
        while word.last == "-" { word.removeLast() }
        return word.isEmpty ? "group-\(name.unicodeScalars.count)" : word
    }

    func change(name: String?, description: String?, in write: Write) throws -> MemberGroup {
        var group = self
        group.name = name ?? self.name
        group.description = description ?? self.description
        try GroupStore.update(group, on: write.connection)
        try write.audit("group.change", subject: id.text, JSONText(["name": .text(group.name)]))
        return group
    }

    /// Sets or takes away what brings members in. The ladder is looked at anew at once.
    func set(_ rung: Rung?, in write: Write) throws -> MemberGroup {
        var group = self
        group.rung = rung
        if let rung {
            let others = try GroupStore.list(in: programID, on: write.connection).filter { $0.id != id }
            if let other = others.first(where: { $0.rung?.position == rung.position }) {
                throw Refusal.field("position", "\(other.name) stands on rung \(rung.position) already.", code: "rung_taken")
            }
        }
        try GroupStore.put(rung, of: self, at: write.now, on: write.connection)
        try GroupStore.lookAt(programID, in: write.workspace.id, at: write.now, on: write.connection)
        try write.audit("group.rung", subject: id.text, JSONText(rung?.json ?? .object([])))
        return group
    }

    static func find(_ id: GroupID, in write: Write) throws -> MemberGroup {
        guard let group = try GroupStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("group") }
        return group
    }

    /// The key of the group that an enrolment names by id or key.
    static func key(_ text: String, of program: ProgramID, in write: Write) throws -> String {
        if let id = GroupID(text), let group = try GroupStore.find(id, in: write.workspace.id, on: write.connection), group.programID == program { return group.key }
        guard try GroupStore.find(key: text, in: program, on: write.connection) != nil else {
            throw Refusal.field("groupId", "No group of this program has this id or key. Groups stand at GET /groups.", code: "unknown_group")
        }
        return text
    }

    /// A file that moves a company in brings its groups along.
    static func ensure(_ text: String, of program: ProgramID, in write: Write) throws {
        guard GroupID(text) == nil, try GroupStore.find(key: text, in: program, on: write.connection) == nil else { return }
        _ = try create(Input(name: text, key: text, description: ""), in: program, write)
    }
}
