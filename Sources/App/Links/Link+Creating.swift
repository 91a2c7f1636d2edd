import Chronology
import Foundation
import Money
import Persistence
import Web

struct NewLink: Sendable {
    var programID: ProgramID
    var member: MemberReference?
    var destination: String
    var code: String?
    var host: String?
    var kind: Link.Kind?
    var codeRate: Rate?
    var codeNeedsReferral: Bool
    var expiresAt: Instant?
    var variants: [Link.Variant]
    var utm: [(String, String)]
}

extension Link {
    static let variantsMax = 20

    static func create(_ input: NewLink, in write: Write) throws -> Link {
        guard let program = try ProgramStore.find(input.programID, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        let member = try input.member.map { try Member.find($0, field: "memberId", in: write) }
        if let member, try !MemberStore.isEnrolled(member.id, in: program.id, on: write.connection) {
            throw Refusal.field("memberId", "This member is not enrolled in the program.")
        }
        func checked(_ destination: String, _ field: String) throws -> String {
            switch Destination.check(destination, allowedHosts: program.settings.allowedHosts) {
            case .success(let address): Destination.adding(input.utm, to: address)
            case .failure(let refused): throw Refusal.field(field, refused.message)
            }
        }
        let destination = try checked(input.destination, "destination")
        let variants = try input.variants.enumerated().map {
            Variant(destination: try checked($1.destination, "variants[\($0)].destination"), weight: $1.weight)
        }
        let host = input.host?.lowercased() ?? ""
        if !host.isEmpty, try !LinkStore.hostBelongs(host, to: write.workspace.id, on: write.connection) {
            throw Refusal.field("host", "Is not a short domain of this workspace.")
        }
        let (code, folded) = try freeCode(input.code, host: host, member: member, in: write)
        if program.settings.linkPaths.contains(""), OwnPaths.firstWords.contains(folded) {
            throw Refusal.field("code", "Codes of this program stand at the root of a host, where /\(folded) is a page of Kith's own.", code: "reserved_code")
        }
        let link = Link(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, memberID: member?.id, host: host, code: code,
            destination: destination, kind: input.kind ?? (member == nil ? .paid : .link), codeRate: input.codeRate,
            codeNeedsReferral: input.codeNeedsReferral, expiresAt: input.expiresAt, createdAt: write.now, variants: variants)
        try LinkStore.insert(link, folded: folded, on: write.connection)
        try Welcome.give(for: link, in: write)
        try write.audit("link.create", subject: link.id.text)
        return link
    }

    /// The wanted code when it is free, or a made one: eight characters that are hard to confuse.
    private static func freeCode(_ wanted: String?, host: String, member: Member?, in write: Write) throws -> (String, String) {
        if let wanted {
            guard let folded = Normalised.code(wanted) else {
                throw Refusal.field("code", "Must be 1 to \(Normalised.codeLengthMax) letters, digits, hyphens or underscores.")
            }
            guard !ReservedCodes.words.contains(folded) else { throw Refusal.field("code", "Is reserved; choose another word.", code: "reserved_code") }
            guard try !LinkStore.codeIsTaken(host: host, folded: folded, on: write.connection),
                try CouponCodeStore.find(folded: folded, in: write.workspace.id, on: write.connection) == nil
            else {
                throw Refusal.field("code", "Is taken; choose another word.", code: "code_taken")
            }
            return (wanted.trimmingCharacters(in: .whitespaces).precomposedStringWithCompatibilityMapping, folded)
        }
        for _ in 0..<20 {
            let code = String(decoding: write.world.random.bytes(8).map { Base32.digits[Int($0 & 31)] }, as: UTF8.self)
            if try !LinkStore.codeIsTaken(host: host, folded: code, on: write.connection) { return (code, code) }
        }
        throw Problem.unavailable(detail: "No free code was found. Try again.", retryAfterSeconds: 1)
    }
}
