import Chronology
import Foundation
import Persistence
import Web

/// One set of rules within a workspace, with the version of its settings that is in force.
struct Program: Sendable {
    var id: ProgramID
    var workspaceID: WorkspaceID
    var name: String
    var slug: String
    var currency: String
    var zone: Zone
    var createdAt: Instant
    var version: Int
    var settings: ProgramSettings
}

struct NewProgram: Sendable {
    var name: String
    var currency: String
    var zone: Zone
    var settings: ProgramSettings
}

extension Program {
    /// Makes a program.
    static func create(_ input: NewProgram, in write: Write) throws -> Program {
        try check(input.settings, in: write)
        let slug = try freeSlug(input.name, in: write)
        let program = Program(
            id: write.world.newID(), workspaceID: write.workspace.id, name: input.name, slug: slug, currency: input.currency,
            zone: input.zone, createdAt: write.now, version: 1, settings: input.settings)
        try ProgramStore.insert(program, on: write.connection)
        // The first version is in force from the beginning, so that history can be imported.
        try ProgramStore.insertVersion(
            ProgramHistory.Version(
                version: 1, effectiveFrom: .earliest, fields: JSONText(input.settings.json).text, isPartial: false, zone: nil),
            of: program.id, recordedAt: write.now, author: write.actor, on: write.connection)
        try write.audit("program.create", subject: program.id.text, JSONText(["version": 1]))
        return program
    }

    /// What a change asks for; nil: stays as it is.
    struct Change: Sendable {
        var name: String?
        var zone: Zone?
        /// Fields of the settings, as `ProgramSettings.read` takes them. What is not named stays as it is.
        var fields: [JSONMember]
        /// Nil: now.
        var effectiveFrom: Instant?
    }

    /// Puts a new zone and new settings in force; what happened before `effectiveFrom` keeps the old ones. A name is the program's at once
    /// and everywhere: nothing is reckoned by it. Answers the program as it is at `effectiveFrom`, as far as is known now.
    static func change(_ id: ProgramID, _ change: Change, in write: Write) throws -> Program {
        let from = change.effectiveFrom ?? write.now
        guard let before = try ProgramStore.find(id, in: write.workspace.id, at: from, on: write.connection) else { throw Refusal.unknownProgram() }
        var after = before
        after.name = change.name ?? before.name
        after.zone = change.zone ?? before.zone
        let reader = try JSONReader(.object(change.fields))
        after.settings = ProgramSettings.read(reader, over: before.settings)
        try reader.finish()
        let isOtherZone = after.zone.name != before.zone.name
        // What is named for later holds then, also when it is the same as now: it may be changed until then.
        let isScheduled = from > write.now && (!change.fields.isEmpty || change.zone != nil)
        let isOtherVersion = isOtherZone || after.settings != before.settings || isScheduled
        guard isOtherVersion || after.name != before.name else { return before }
        guard !isOtherZone || from >= write.now else {
            // Caps, tiers and bindings of the past were counted in days and months of the zone that was.
            throw Refusal.field("effectiveFrom", "Must not be in the past when the timezone changes: past periods stay.", code: "zone_in_past")
        }
        if after.settings != before.settings { try check(after.settings, of: id, in: write) }
        if after.name != before.name { try ProgramStore.setName(id, after.name, on: write.connection) }
        if isOtherVersion {
            after.version = try ProgramStore.newestVersion(of: id, on: write.connection) + 1
            guard after.version <= ProgramHistory.versionsMax else {
                throw Problem.conflict(
                    code: "too_many_versions", detail: "A program has at most \(ProgramHistory.versionsMax) versions. Go on with a new program.")
            }
            try ProgramStore.insertVersion(
                ProgramHistory.Version(
                    version: after.version, effectiveFrom: from, fields: JSONText(.object(change.fields)).text, isPartial: true,
                    zone: isOtherZone || isScheduled ? change.zone?.name : nil),
                of: id, recordedAt: write.now, author: write.actor, on: write.connection)
        }
        try tell(before, after, from: from, in: write)
        return after
    }

    private static func tell(_ before: Program, _ after: Program, from: Instant, in write: Write) throws {
        let (old, new) = (before.json, after.json)
        guard case .object(let oldFields) = old, case .object(let newFields) = new else { return }
        let gone = oldFields.map(\.name).filter { new[$0] == nil }
        let changed = newFields.map(\.name).filter { $0 != "version" && new[$0] != old[$0] } + gone
        let changes = JSONText(.object(changed.map { JSONMember($0, ["before": old[$0] ?? .null, "after": new[$0] ?? .null]) }))
        // The name of a program is the company's own text, no person's: it may stand where nothing is ever deleted.
        try write.audit(
            "program.change", subject: after.id.text,
            JSONText(["version": .integer(Int64(after.version)), "effectiveFrom": .text(from.rfc3339), "changes": changes.value]))
        try write.emit(
            .programChanged, subject: after.id.text, JSONText(.object(newFields + [JSONMember("effectiveFrom", .text(from.rfc3339))])), changes: changes)
    }

    /// Who gets the sales that nobody brought must be a member of this workspace, and of the program once it exists.
    private static func check(_ settings: ProgramSettings, of program: ProgramID? = nil, in write: Write) throws {
        guard let orphan = settings.orphanMemberID else { return }
        guard try MemberStore.find(orphan, in: write.workspace.id, on: write.connection) != nil else {
            throw Refusal.unknown("member", field: "orphanMemberId")
        }
        if let program, try !MemberStore.isEnrolled(orphan, in: program, on: write.connection) {
            throw Refusal.field("orphanMemberId", "This member is not enrolled in the program.")
        }
    }

    private static func freeSlug(_ name: String, in write: Write) throws -> String {
        let base = Slug.make(name)
        for number in 0..<1_000 {
            let slug = number == 0 ? base : "\(base)-\(number + 1)"
            if try !ProgramStore.slugExists(slug, in: write.workspace.id, on: write.connection) { return slug }
        }
        return write.world.newID(ProgramKind.self).text
    }
}

/// A short name for addresses: lower case letters, digits and hyphens.
enum Slug {
    static let lengthMax = 60

    static func make(_ name: String) -> String {
        var slug = ""
        let latin = name.applyingTransform(.toLatin, reverse: false)?.applyingTransform(.stripDiacritics, reverse: false) ?? name
        for scalar in latin.lowercased().unicodeScalars {
            if ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) {
                slug.unicodeScalars.append(scalar)
            } else if !slug.hasSuffix("-") && !slug.isEmpty {
                slug += "-"
            }
        }
        slug = String(slug.prefix(lengthMax))
        while slug.hasSuffix("-") { slug.removeLast() }
        return slug.isEmpty ? "program" : slug
    }
}
