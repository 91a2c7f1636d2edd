import Attribution
import Chronology
import Persistence
import Web

/// The touches that an event names itself: a click id, a code, or a member (imports). What is unknown is accepted and noted.
struct Named: Sendable {
    var click: Click?
    var code: Link?
    var member: Member?
    /// The program that the event names, for a touch by hand.
    var wantedProgramID: ProgramID?

    /// Of a coupon's code that may be used: its program, and whose it is to give away.
    var coupon: (program: ProgramID, member: MemberID?)?

    var programID: ProgramID? { click?.programID ?? code?.programID ?? coupon?.program }

    static func resolve(_ input: NewSale, evidence: Evidence, notes: inout [JSONMember], in write: Write) throws -> Named {
        var named = try resolve(clickID: input.clickID, code: input.code, evidence: evidence, notes: &notes, in: write)
        named.wantedProgramID = input.programID
        named.member = try input.member.map { try Member.find($0, field: "memberId", in: write) }
        return named
    }

    static func resolve(
        clickID: String?, code: String?, evidence: Evidence, notes: inout [JSONMember], in write: Write
    ) throws -> Named {
        var named = Named(click: evidence.namedClick)
        if let clickID, named.click == nil {
            notes.append(JSONMember("unknownClick", .text(String(clickID.prefix(100)))))
        }
        if let code {
            if let folded = Normalised.code(code), let link = try LinkStore.find(code: folded, in: write.workspace.id, on: write.connection) {
                named.code = link
            } else {
                notes.append(JSONMember("unknownCode", .text(String(code.prefix(Normalised.codeLengthMax)))))
            }
        }
        return named
    }

    /// Keeps the touches with the customer. An expired code is kept too: that it came too late is the attribution's to say.
    func keep(of customer: Customer, cause: String, at instant: Instant, in write: Write) throws {
        let known = try TouchStore.of(customer.id, on: write.connection)
        func insert(_ kind: TouchKind, program: ProgramID, link: LinkID?, click: ClickID?, member: MemberID?, at: Instant) throws {
            let touch = KeptTouch(
                id: write.world.newID(), programID: program, kind: kind, linkID: link, clickID: click, memberID: member, at: at)
            try TouchStore.insert(touch, of: customer.id, cause: cause, workspace: write.workspace.id, on: write.connection)
        }
        if let click, !known.contains(where: { $0.clickID == click.id }) {
            try insert(click.kind, program: click.programID, link: click.linkID, click: click.id, member: click.memberID, at: click.at)
        }
        if let code {
            let kind: TouchKind = code.kind == .coupon ? .coupon : .friendCode
            try insert(kind, program: code.programID, link: code.id, click: nil, member: code.memberID, at: instant)
        }
        if let coupon, let owner = coupon.member {
            try insert(.coupon, program: coupon.program, link: nil, click: nil, member: owner, at: instant)
        }
        if let member, let program = try wantedProgramID ?? programID ?? MemberStore.programs(of: member.id, on: write.connection).first {
            try insert(.manual, program: program, link: nil, click: nil, member: member.id, at: instant)
        }
    }
}

extension Link {
    /// The code as conditions of a program's rules see it; nil for a code of another program.
    func coupon(in program: Program) -> String? { programID == program.id ? Normalised.code(code) : nil }
}

extension MemberStore {
    /// Members with the same mailbox as a person.
    static func sameMailbox(as person: PersonID, in workspace: WorkspaceID, on connection: any Connection) throws -> [MemberID] {
        try connection.rows(
            """
            SELECT m.id FROM person_lookup a
            JOIN person_lookup b ON b.workspace_id = a.workspace_id AND b.kind = a.kind AND b.hash = a.hash
            JOIN member m ON m.person_id = b.person_id
            WHERE a.person_id = \(person) AND a.kind = 'mailbox' AND a.workspace_id = \(workspace) ORDER BY m.id LIMIT 10
            """
        ).map { try $0.get(at: 0) }
    }
}
