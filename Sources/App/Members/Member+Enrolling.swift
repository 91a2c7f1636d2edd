import Chronology
import Persistence
import Web

/// A person to enrol, or the new facts of one who is enrolled already (found by the company's own id).
struct Enrolment: Sendable {
    var programID: ProgramID
    var email: String?
    var name: String?
    var externalID: String?
    var enroller: MemberReference?
    var placementParent: MemberReference?
    var placementSlot: Int64?
    var groupID: String?
    var kind: Member.Kind?
    var status: Member.Status?
    var stage: Member.Stage?
    var joinedAt: Instant?
    var locale: String?
    var timeZone: String?
    var country: String?
    var website: String?
    var channels: String?
    var attributes: String?
    var paymentFingerprint: String?
    var homeAddressHash: String?
    var payoutAccountHash: String?
    var deviceID: String?
    /// Somebody who is known already, from their application.
    var personID: PersonID?
    /// An import: nobody is written to.
    var isQuiet = false
}

extension Member {
    /// Enrols a person, or brings the one with the same external id up to date.
    static func enroll(_ input: Enrolment, in write: Write) throws -> Member {
        guard try ProgramStore.find(input.programID, in: write.workspace.id, at: write.now, on: write.connection) != nil else {
            throw Refusal.unknown("program", field: "programId")
        }
        if let joinedAt = input.joinedAt, joinedAt > write.now {
            throw Refusal.field("joinedAt", "Must not be in the future.")
        }
        let enroller = try input.enroller.map { try find($0, field: "enrollerId", in: write) }
        let existing = try input.externalID.flatMap {
            try MemberStore.find(.external($0), in: write.workspace.id, vault: write.vault, on: write.connection)
        }
        let member =
            if let existing { try existing.update(input, enroller: enroller, in: write) } else { try create(input, enroller: enroller, in: write) }
        let isNew = try existing == nil || !MemberStore.isEnrolled(member.id, in: input.programID, on: write.connection)
        let group = try input.groupID.map { try MemberGroup.key($0, of: input.programID, in: write) }
        try MemberStore.enroll(member.id, in: input.programID, group: group, at: input.joinedAt ?? write.now, on: write.connection)
        if isNew, let group { try MemberGroup.noteJoining(member, group: group, program: input.programID, at: input.joinedAt ?? write.now, in: write) }
        try place(member, input, in: write)
        try HoldingTankStore.admit(member, to: input.programID, at: input.joinedAt ?? write.now, in: write)
        return member
    }

    private static func create(_ input: Enrolment, enroller: Member?, in write: Write) throws -> Member {
        guard input.email != nil || input.personID != nil else { throw Refusal.field("email", "Is required.") }
        let kind = input.kind ?? .promoter
        let member = Member(
            id: write.world.newID(), workspaceID: write.workspace.id, personID: try input.personID ?? PersonStore.insert(in: write), kind: kind,
            status: input.status ?? .active, stage: input.stage ?? (kind == .promoter ? .promoter : .prospect), enrollerID: enroller?.id,
            country: input.country, locale: input.locale, timeZone: input.timeZone, joinedAt: input.joinedAt ?? write.now,
            createdAt: write.now)
        try MemberStore.insert(
            member, externalHash: input.externalID.map { write.vault.lookupHash(write.workspace.id, "member", $0) }, on: write.connection)
        if let external = input.externalID {
            try PersonStore.set(.externalId, external, of: member.personID, in: write)
            try CustomerMemberStore.link(member: member.id, toCustomerNamed: external, in: write)
        }
        try member.seal(input, in: write)
        try MemberStore.recordMove(member.id, from: nil, to: member.stage, cause: "enrolled", in: write)
        try write.audit("member.create", subject: member.id.text)
        // Whoever joined elsewhere, long ago, is not greeted now.
        if input.joinedAt == nil, !input.isQuiet, member.status == .active,
            let program = try ProgramStore.find(input.programID, in: write.workspace.id, at: write.now, on: write.connection)
        {
            try Mail.queue(.memberWelcome(program: program.name), to: .person(member.personID), locale: member.locale, in: write)
        }
        try write.emit(.memberCreated, subject: member.id.text, JSONText(["memberId": .text(member.id.text), "stage": .text(member.stage.rawValue)]))
        return member
    }

    private func update(_ input: Enrolment, enroller: Member?, in write: Write) throws -> Member {
        guard status != .erased else {
            throw Problem.conflict(code: "member_erased", detail: "The person behind this member was erased; nothing about them can be set any more.")
        }
        var member = self
        if let enroller, enroller.id != enrollerID {
            guard enrollerID == nil else { throw Refusal.field("enrollerId", "Is set already; who introduced a member never changes.") }
            guard enroller.id != id else { throw Refusal.field("enrollerId", "A member cannot enrol themselves.", code: "enroller_cycle") }
            if try MemberStore.hasRecruits(id, on: write.connection),
                try MemberStore.isAbove(id, enroller.id, on: write.connection)
            {
                throw Refusal.field("enrollerId", "This member stands above that enroller: it would close a circle.", code: "enroller_cycle")
            }
            member.enrollerID = enroller.id
        }
        member.kind = input.kind ?? kind
        member.status = input.status ?? status
        member.stage = input.stage ?? stage
        member.country = input.country ?? country
        member.locale = input.locale ?? locale
        member.timeZone = input.timeZone ?? timeZone
        try MemberStore.update(member, on: write.connection)
        if let address = input.email { try moveMail(to: address, in: write) }
        try member.seal(input, in: write)
        if member.stage != stage { try Self.noteMove(member.id, from: stage, to: member.stage, cause: "set", in: write) }
        try write.audit("member.change", subject: id.text)
        return member
    }

    /// Changes a member's own facts (PATCH).
    func change(_ input: Enrolment, in write: Write) throws -> Member {
        let enroller = try input.enroller.map { try Self.find($0, field: "enrollerId", in: write) }
        return try update(input, enroller: enroller, in: write)
    }

    /// Moves a member forward to a stage; never back, and not when they are there already.
    static func advance(_ id: MemberID, to stage: Stage, cause: String, in write: Write) throws {
        guard var member = try MemberStore.find(id, in: write.workspace.id, on: write.connection), member.stage < stage else { return }
        let before = member.stage
        member.stage = stage
        try MemberStore.update(member, on: write.connection)
        try noteMove(id, from: before, to: stage, cause: cause, in: write)
    }

    private static func noteMove(_ id: MemberID, from: Stage, to: Stage, cause: String, in write: Write) throws {
        try MemberStore.recordMove(id, from: from, to: to, cause: cause, in: write)
        try write.emit(
            .memberStageChanged, subject: id.text,
            JSONText(["memberId": .text(id.text), "from": .text(from.rawValue), "to": .text(to.rawValue), "cause": .text(cause)]),
            changes: .change("stage", from.rawValue, to.rawValue))
    }

    static func find(_ reference: MemberReference, field: String, in write: Write) throws -> Member {
        guard let member = try MemberStore.find(reference, in: write.workspace.id, vault: write.vault, on: write.connection) else {
            throw Refusal.unknown("member", field: field)
        }
        return member
    }

    private func seal(_ input: Enrolment, in write: Write) throws {
        if let email = input.email {
            try PersonStore.set(.email, email, of: personID, in: write)
            try PersonStore.replaceLookup(.email, email, of: personID, in: write)
            try PersonStore.replaceLookup(.mailbox, Normalised.mailbox(email), of: personID, in: write)
        }
        for (field, value) in [
            (PersonField.name, input.name), (.website, input.website), (.channels, input.channels), (.attributes, input.attributes),
        ] {
            if let value { try PersonStore.set(field, value, of: personID, in: write) }
        }
        for (lookup, value) in [
            (PersonLookup.paymentFingerprint, input.paymentFingerprint), (.homeAddress, input.homeAddressHash),
            (.payoutAccount, input.payoutAccountHash), (.device, input.deviceID),
        ] {
            if let value { try PersonStore.setLookup(lookup, value, of: personID, in: write) }
        }
    }

    private static func place(_ member: Member, _ input: Enrolment, in write: Write) throws {
        guard let reference = input.placementParent else { return }
        let parent = try find(reference, field: "placementParentId", in: write)
        guard parent.id != member.id else {
            throw Refusal.field("placementParentId", "A member cannot stand below themselves.", code: "placement_cycle")
        }
        guard try MemberStore.placementParent(of: member.id, on: write.connection) == nil else { return }
        guard try !MemberStore.isPlacedAbove(member.id, parent.id, on: write.connection) else {
            throw Refusal.field("placementParentId", "This member stands above that place: it would close a circle.", code: "placement_cycle")
        }
        try MemberStore.insertPlacement(
            program: input.programID, tree: "placement", member: member.id, parent: parent.id, slot: input.placementSlot,
            from: input.joinedAt ?? write.now, recordedAt: write.now, on: write.connection)
    }
}
