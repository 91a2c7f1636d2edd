import Web

extension Member {
    /// Somebody who shares from now on: found by their mail address or enrolled, and a link of theirs in the program.
    static func enrollWithLink(
        _ name: String, email: String, program: ProgramID, destination: String, code: String? = nil, in write: Write
    ) throws -> Link {
        var enrolment = Enrolment(programID: program)
        (enrolment.email, enrolment.name) = (email, name)
        let hash = write.vault.lookupHash(write.workspace.id, PersonLookup.email.rawValue, email)
        let known = try MemberPageStore.members(emailHash: hash, in: write.workspace.id, on: write.connection).first
        let member = try known.flatMap { try MemberStore.find($0, in: write.workspace.id, on: write.connection) } ?? enroll(enrolment, in: write)
        if try !MemberStore.isEnrolled(member.id, in: program, on: write.connection) {
            try MemberStore.enroll(member.id, in: program, group: nil, at: write.now, on: write.connection)
        }
        return try Link.create(
            NewLink(
                programID: program, member: .id(member.id), destination: destination, code: code, host: nil, kind: nil, codeRate: nil,
                codeNeedsReferral: false, expiresAt: nil, variants: [], utm: []), in: write)
    }
}
