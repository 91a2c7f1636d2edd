import Chronology
import Persistence
import Web

/// Somebody who said whether they come. They answer for themselves; nobody types in their name for them.
struct PartyGuest: Sendable {
    static let countMax = 500
    /// How long after a party names are kept.
    static let keptDays: Int64 = 30
    static let forgottenMax = 200

    enum Answer: String, Sendable, CaseIterable { case yes, maybe, no }

    var id: PartyGuestID
    var partyID: PartyID
    var personID: PersonID
    var answer: Answer
    var answeredAt: Instant

    /// Takes an answer; another one from the same browser replaces it.
    static func answer(_ answer: Answer, name: String, browser: [UInt8], to id: PartyID, in write: Write) throws {
        guard let party = try PartyStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("party") }
        guard party.canceledAt == nil, write.now < party.ordersUntil else {
            throw Problem.conflict(code: "party_over", detail: "The party is over or was canceled.")
        }
        if let known = try PartyGuestStore.find(browser: browser, party: id, on: write.connection) {
            try PersonStore.set(.name, name, of: known.personID, in: write)
            try PartyGuestStore.set(answer, of: known.id, at: write.now, on: write.connection)
        } else {
            guard try PartyGuestStore.counts([id], on: write.connection)[id]?.values.reduce(0, +) ?? 0 < Int64(countMax) else {
                throw Problem.conflict(code: "too_many_guests", detail: "\(countMax) guests have answered: no more are taken.")
            }
            let person = try PersonStore.insert(in: write)
            try PersonStore.set(.name, name, of: person, in: write)
            let guest = PartyGuest(id: write.world.newID(), partyID: id, personID: person, answer: answer, answeredAt: write.now)
            let forgetAt = try party.startsAt.adding(milliseconds: keptDays * 86_400_000)
            try PartyGuestStore.insert(guest, browser: browser, forgetAt: forgetAt, on: write.connection)
        }
        try write.emit(
            .partyGuestAnswered, subject: id.text, JSONText(["partyId": .text(id.text), "answer": .text(answer.rawValue)]))
    }

    static let eventSchema = APISchema.object([.required("partyId", .text), .required("answer", .enumeration(Answer.allCases.map(\.rawValue)))])

    /// Erases the guests of parties long past; how many there were is still known.
    static func forgetDue(in write: Write) throws -> [PersonKeyID] {
        let due = try PartyGuestStore.due(in: write.workspace.id, at: write.now, limit: forgottenMax, on: write.connection)
        return try due.map { guest, person in
            try PartyGuestStore.forget(guest, on: write.connection)
            return try ErasureStore.erase(person, in: write)
        }
    }
}

enum PartyGuestKind: Identified { static let prefix = "pgu_" }
typealias PartyGuestID = Identifier<PartyGuestKind>
