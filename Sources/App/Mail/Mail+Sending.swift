import Chronology
import Persistence

extension Mail {
    /// Writes a letter as part of the caller's transaction; the worker sends it after the commit. Someone without a mail address, or who
    /// is erased or stopped such letters, gets none. With an `occasion` there is one letter about it, however often this is called.
    static func queue(_ content: MailContent, to addressee: Addressee, occasion: String? = nil, locale: String? = nil, in write: Write) throws {
        try insert(content, to: addressee, occasion: occasion, locale: locale, due: write.world.now(), in: write)
    }

    /// Writes to an address that is kept nowhere: what the letter says, and where it goes, is sealed under a key of its own until it has gone out.
    /// In a test workspace nothing is written at all.
    static func queue(_ content: MailContent, toStranger address: String, locale: String?, in write: Write) throws {
        guard content.kind.isForStranger, !write.workspace.isTest else { return }
        let person = try PersonStore.insert(in: write)
        guard let key = try PersonStore.key(of: person, vault: write.vault, on: write.connection) else { return }
        let now = write.world.now()
        let mail = Mail(
            id: write.world.newID(), workspaceID: write.workspace.id, addressee: .person(person), kind: content.kind,
            locale: locale ?? write.workspace.locale, state: .waiting, tries: 0, dueAt: now, createdAt: now)
        _ = try MailStore.insert(mail, occasion: nil, Letter(to: address, content: content), under: key, on: write.connection)
    }

    /// Gathers news of one day into one letter, which is due on the next morning of the workspace.
    static func gather(_ content: MailContent, for member: MemberID, person: PersonID, locale: String?, in write: Write) throws {
        let zone = Zone(write.workspace.timeZone) ?? .utc
        let today = zone.day(of: write.world.now())
        let occasion = "\(member.text):\(today.iso8601)"
        if let known = try MailStore.unsent(content.kind, about: occasion, in: write.workspace.id, on: write.connection) {
            guard var letter = try MailStore.letter(known, vault: write.vault, on: write.connection),
                let key = try MailStore.key(of: known.addressee, vault: write.vault, on: write.connection)
            else { return }
            letter.content = letter.content.adding(content)
            try MailStore.setLetter(letter, of: known.id, under: key, on: write.connection)
            return
        }
        let morning = try zone.start(of: (try? today.adding(days: 1)) ?? today).adding(milliseconds: morningMs)
        try insert(content, to: .person(person), occasion: occasion, locale: locale, due: morning, in: write)
    }

    /// Gathered letters go out at eight.
    private static let morningMs: Int64 = 8 * 3_600_000

    private static func insert(
        _ content: MailContent, to addressee: Addressee, occasion: String?, locale: String?, due: Instant, in write: Write
    ) throws {
        if case .person(let id) = addressee, content.kind.canBeStopped,
            try MailStore.isStopped(content.kind, for: id, on: write.connection)
        {
            return
        }
        guard let key = try MailStore.key(of: addressee, vault: write.vault, on: write.connection),
            let address = try address(of: addressee, in: write)
        else { return }
        // Nothing leaves a test workspace.
        let isTest = write.workspace.isTest
        let mail = Mail(
            id: write.world.newID(), workspaceID: write.workspace.id, addressee: addressee, kind: content.kind,
            locale: locale ?? write.workspace.locale, state: isTest ? .suppressed : .waiting, tries: 0, dueAt: isTest ? nil : due,
            createdAt: write.world.now())
        _ = try MailStore.insert(mail, occasion: occasion, Letter(to: address, content: content), under: key, on: write.connection)
    }

    private static func address(of addressee: Addressee, in write: Write) throws -> String? {
        switch addressee {
        case .person(let id): try PersonStore.fields(of: [id], [.email], vault: write.vault, on: write.connection)[id]?[.email]
        case .operator_(let id): try TeamStore.identity(of: id, vault: write.vault, on: write.connection).email
        }
    }
}
