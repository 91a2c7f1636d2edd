import Chronology
import Foundation
import Persistence
import Web

extension FriendInvitation {
    /// The addresses that a letter holds.
    struct Addresses: Sendable {
        var friend: @Sendable (Link) -> String
        var unwanted: @Sendable (FriendInvitationID, [UInt8]) -> String

        init(_ installation: Installation, of workspace: WorkspaceID) {
            let base = installation.publicURL(of: workspace)
            friend = { link in base + FriendDoor.path + LocalPath.encoded(link.code) }
            unwanted = { id, hash in UnwantedLink(invitation: id, addressHash: hash).url(installation, of: workspace) }
        }
    }

    struct Sent: Sendable {
        var count: Int64
        var counts: InvitationCounts
    }

    /// Writes to friends, to all or to none. An address that wants no letters, or had one from somebody else of late, counts as written to:
    /// whoever writes learns nothing about it.
    static func send(_ input: FriendInvitationInput, by member: Member, addresses: Addresses, in write: Write) throws -> Sent {
        guard member.status == .active else { throw InvitationRefusal.notActive.problem() }
        guard input.isConfirmed else { throw InvitationRefusal.notConfirmed.problem() }
        let program = try program(input.programID, of: member, in: write)
        if try InvitationStore.isPaused(member.id, on: write.connection) { throw InvitationRefusal.paused.problem() }
        let words = try checked(input.words)
        let friends = try checked(input.emails, of: member, in: write)
        try mustBeWithinLimits(friends.count, member, in: write)
        let link = try link(of: member, in: program, write)
        let letter = try letter(words, from: member, program: program, url: addresses.friend(link), in: write)
        for friend in friends {
            let invitation = FriendInvitation(
                id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, memberID: member.id, linkID: link.id, createdAt: write.now)
            try InvitationStore.insert(invitation, on: write.connection)
            let mayBeWrittenTo = try !InvitationStore.isUnwanted(friend.hash, in: write.workspace.id, on: write.connection)
                && !InvitationStore.wasInvited(friend.hash, after: write.now.adding(milliseconds: -addressPauseMs), in: write.workspace.id, on: write.connection)
            try InvitationStore.noteInvited(friend.ownHash, at: write.now, in: write.workspace.id, on: write.connection)
            guard mayBeWrittenTo else { continue }
            try InvitationStore.noteInvited(friend.hash, at: write.now, in: write.workspace.id, on: write.connection)
            var letter = letter
            letter.unwantedURL = addresses.unwanted(invitation.id, friend.hash)
            try Mail.queue(.friendInvitation(letter), toStranger: friend.email, locale: member.locale, in: write)
        }
        try write.audit(
            "invitation.send", subject: member.id.text,
            JSONText(["programId": .text(program.id.text), "count": .integer(Int64(friends.count)), "confirmed": true]))
        return Sent(count: Int64(friends.count), counts: try InvitationStore.counts(of: member.id, at: write.now, on: write.connection))
    }

    private struct Friend {
        var email: String
        /// Of the mailbox, in this workspace.
        var hash: [UInt8]
        /// Of the mailbox and the member.
        var ownHash: [UInt8]
    }

    private static func program(_ wanted: ProgramID?, of member: Member, in write: Write) throws -> Program {
        let programs = try PortalStore.programs(of: member.id, in: write.workspace.id, at: write.now, on: write.connection)
        let offering = try FriendPageStore.inviting(programs.map(\.id), on: write.connection)
        guard let program = programs.first(where: { offering.contains($0.id) && (wanted == nil || wanted == $0.id) }) else {
            throw InvitationRefusal.off.problem()
        }
        return program
    }

    private static func checked(_ words: String) throws -> String {
        let words = words.replacing("\r\n", with: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
        let lower = words.lowercased()
        // A letter has one button; addresses in somebody's words are how people are cheated.
        guard words.unicodeScalars.count <= wordsLengthMax, !namesAddress(lower),
            !words.unicodeScalars.contains(where: { $0.properties.generalCategory == .control && $0 != "\n" })
        else { throw InvitationRefusal.words.problem() }
        return words
    }

    /// Whether words have an address in them, or what a mail program makes a link of: a scheme, a host, a path behind a host.
    static func namesAddress(_ words: String) -> Bool {
        if words.contains("://") || words.contains("www.") { return true }
        // Dots of other scripts are dots of a host too.
        let plain = words.map { "\u{3002}\u{FF0E}\u{FF61}".contains($0) ? "." : $0 }
        return plain.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") }).contains { word in
            let labels = word.split(separator: ".", omittingEmptySubsequences: false)
            // "12.50" and "9.30" are numbers, "e.g." and "z.B." have single letters alone.
            if labels.count == 4, labels.allSatisfy({ (1...3).contains($0.count) && $0.allSatisfy(\.isNumber) }) { return true }
            return zip(labels, labels.dropFirst()).contains { before, after in
                !before.isEmpty && after.count >= 2 && !(before.count == 1 && after.count == 1) && after.contains { $0.isLetter }
                    && !(before.allSatisfy(\.isNumber) && after.first?.isNumber == true)
            }
        }
    }

    private static func checked(_ emails: [String], of member: Member, in write: Write) throws -> [Friend] {
        guard emails.count <= atOnceMax else { throw InvitationRefusal.tooMany.problem() }
        let own = try PersonStore.fields(of: [member.personID], [.email], vault: write.vault, on: write.connection)[member.personID]?[.email]
        let after = try write.now.adding(milliseconds: -addressPauseMs)
        var friends: [Friend] = []
        for (place, text) in emails.enumerated() {
            guard let email = Normalised.email(text) else { throw InvitationRefusal.address.problem(at: place) }
            let mailbox = Normalised.mailbox(email)
            if let own, Normalised.mailbox(own) == mailbox { throw InvitationRefusal.own.problem(at: place) }
            let friend = Friend(
                email: email, hash: InvitedAddress.hash(email, in: write),
                ownHash: write.vault.lookupHash(write.workspace.id, "invited-by:\(member.id.text)", mailbox))
            if friends.contains(where: { $0.hash == friend.hash }) { continue }
            if try InvitationStore.wasInvited(friend.ownHash, after: after, in: write.workspace.id, on: write.connection) {
                throw InvitationRefusal.again.problem(at: place)
            }
            friends.append(friend)
        }
        guard !friends.isEmpty else { throw InvitationRefusal.empty.problem() }
        return friends
    }

    /// Writes of a workspace run one after the other, so what is counted here still holds at the commit.
    private static func mustBeWithinLimits(_ count: Int, _ member: Member, in write: Write) throws {
        let (day, hour) = (try write.now.adding(milliseconds: -dayMs), try write.now.adding(milliseconds: -hourMs))
        let today = try InvitationStore.count(by: member.id, after: day, on: write.connection)
        guard today + Int64(count) <= Int64(memberDayMax) else { throw InvitationRefusal.day.problem(left: max(0, Int64(memberDayMax) - today)) }
        let inHour = try InvitationStore.count(in: write.workspace.id, after: hour, on: write.connection)
        guard inHour + Int64(count) <= Int64(workspaceHourMax) else { throw InvitationRefusal.hour.problem() }
    }

    /// A link of its own, so that what letters bring can be counted without knowing whom they went to.
    private static func link(of member: Member, in program: Program, _ write: Write) throws -> Link {
        if let known = try InvitationStore.link(of: member.id, in: program.id, on: write.connection),
            let link = try LinkStore.find(known, in: write.workspace.id, on: write.connection), !link.isExpired(at: write.now)
        {
            return link
        }
        let own = try LinkStore.list(in: write.workspace.id, program: program.id, member: member.id, after: nil, limit: 1, on: write.connection).first
        guard let destination = own?.destination ?? PortalShareModel.destination(program) else { throw InvitationRefusal.noLink.problem() }
        let link = try Link.create(
            NewLink(
                programID: program.id, member: .id(member.id), destination: destination, code: nil, codeNeedsReferral: false, variants: [], utm: []),
            in: write)
        try InvitationStore.setLink(link.id, of: member.id, in: program.id, on: write.connection)
        return link
    }

    private static func letter(_ words: String, from member: Member, program: Program, url: String, in write: Write) throws -> FriendLetter {
        let page = try FriendPageStore.find(program.id, on: write.connection) ?? FriendPage()
        return FriendLetter(
            from: try member.nameForFriends(vault: write.vault, on: write.connection), words: words, headline: page.headline, url: url, unwantedURL: "",
            imprintURL: page.imprintURL)
    }
}

extension Member {
    /// The first name, as long as the member lets friends read it; it is enough to know a friend by.
    func nameForFriends(vault: Vault, on connection: any Connection) throws -> String? {
        guard try RecommendationStore.find(self, vault: vault, on: connection)?.showsName ?? true else { return nil }
        let name = try PersonStore.fields(of: [personID], [.name], vault: vault, on: connection)[personID]?[.name]
        return name?.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }
}

/// What is kept of an address instead of it.
enum InvitedAddress {
    /// The mailbox's keyed hash: the same for `ben@x` and `ben+shop@x`, another one in every workspace.
    static func hash(_ email: String, in write: Write) -> [UInt8] {
        write.vault.lookupHash(write.workspace.id, "invited", Normalised.mailbox(email))
    }
}

/// What a letter to a friend says, sealed until it has gone out.
struct FriendLetter: Sendable, Codable, Equatable {
    /// The member's first name; nil when they don't let it be shown.
    var from: String?
    var words: String
    var headline: String
    var url: String
    var unwantedURL: String
    var imprintURL: String
}
