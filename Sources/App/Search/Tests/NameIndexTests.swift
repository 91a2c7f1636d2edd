import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// People are found by their names among all, though the names are sealed, and not after they were erased.
@Suite struct NameIndexTests {
    @Test(arguments: Engine.allCases) func wordsOfNamesFindPeople(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            var members: [String: String] = [:]
            for (number, name) in ["Jörg Grün", "Anna-Lena Moor", "ΑΛΕΞΑΝΔΡΑ Παππά", "王小明", "Nguyễn Văn An", "D’Arcy O’Neil"].enumerated() {
                let body: JSONValue = ["programId": .text(program), "email": .text("m\(number)@members.test"), "name": .text(name)]
                members[name] = try await app.post("/members", body)["id"].text
            }
            let questions: [(String, String)] = [
                ("jorg", "Jörg Grün"), ("GRÜN", "Jörg Grün"), ("gr jo", "Jörg Grün"), ("lena", "Anna-Lena Moor"), ("anna-lena", "Anna-Lena Moor"),
                ("αλεξ", "ΑΛΕΞΑΝΔΡΑ Παππά"), ("王", "王小明"), ("王小明", "王小明"), ("nguyen van", "Nguyễn Văn An"), ("arcy", "D’Arcy O’Neil"),
            ]
            // As they are told, and again when all are in the index.
            for round in 0..<2 {
                for (text, name) in questions {
                    let found = try await Self.find(text, app)
                    #expect(found.contains(members[name] ?? ""), "round \(round): \(text)")
                }
                #expect(try await Self.find("moo jorg", app) == [], "all words must fit")
                #expect(try await Self.find("oor", app) == [], "a word begins so")
                #expect(try await Self.find("grunwald", app) == [], "longer than the name")
                try await app.installation.doDueWork()
                #expect(try await Self.waiting(app) == 0)
            }
            // Another workspace does not see them.
            let live = app.workspace.workspace.id
            let vault = app.installation.vault
            #expect(try await app.installation.main.read { connection in try NameIndex.find("anna", in: live, vault: vault, on: connection).people } == [])
        }
    }

    @Test(arguments: Engine.allCases) func aChangedNameIsFoundAndAnErasedOneIsNot(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let body: JSONValue = ["programId": .text(program), "email": "anna@members.test", "name": "Anna Moor"]
            let anna = try await app.post("/members", body)["id"].text
            try await app.installation.doDueWork()
            let person = try await app.installation.main.read { connection in
                try #require(try MemberStore.find(MemberID(stored: anna), in: app.twinID, on: connection)).personID
            }
            _ = try await app.installation.write(app.twinID, actor: .command) { write in
                try PersonStore.set(.name, "Anna Herbst", of: person, in: write)
            }
            #expect(try await Self.find("herbst", app) == [anna])
            try await app.installation.doDueWork()
            #expect(try await Self.find("herbst", app) == [anna])
            #expect(try await Self.find("moor", app) == [])
            try await app.api(.delete, "/members/\(anna)/person").success("erasure")
            try await app.installation.doDueWork()
            #expect(try await Self.find("herbst", app) == [])
            let left = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM name_part WHERE person_id = \(person)", as: Int64.self)
            }
            #expect(left == 0, "nothing of the name is left in the index")
        }
    }

    /// `KITH_NAME_MEMBERS=20000` is what was promised; fewer by default. The oldest is found at once, and what is cut is said.
    @Test func theOldestOfManyIsFound() async throws {
        let count = ProcessInfo.processInfo.environment["KITH_NAME_MEMBERS"].flatMap { Int($0) } ?? 2_000
        try await AppHarness.with(.sqlite) { app in
            let program = ProgramID(stored: try await app.program())
            try await app.installation.vault.refill(atLeast: count + 10)
            var made = 0
            while made < count {
                let part = made..<min(made + 500, count)
                try await app.installation.write(app.twinID, actor: .command) { write in
                    for number in part {
                        let name = number == 0 ? "Zoe Einzig" : "Mila \(["Berg", "Stein", "Wald", "Feld"][number % 4])\(number)"
                        var enrolment = Enrolment(
                            programID: program, email: "p\(number)@members.test", name: name, externalID: nil, enroller: nil, kind: .customer, locale: nil,
                            country: nil)
                        enrolment.isQuiet = true
                        _ = try Member.enroll(enrolment, in: write)
                    }
                }
                made = part.upperBound
            }
            while try await Self.waiting(app) > 0 { try await app.installation.doDueWork() }
            let clock = ContinuousClock()
            let started = clock.now
            #expect(try await Self.find("zoe ein", app).count == 1)
            #expect(try await Self.find("berg\(count - count % 4 - 4)", app).count == 1)
            print("names: two questions among \(count) people took \(clock.now - started)")
            let vault = app.installation.vault
            let all = try await app.installation.main.read { connection in try NameIndex.find("mila", in: app.twinID, vault: vault, on: connection) }
            #expect(all.isCut == (count > NameIndex.candidatesMax) && all.people.count == min(count - 1, NameIndex.candidatesMax))
            #expect(try await app.page("/members?find=zoe").text.contains("Zoe Einzig"))
            #expect(try await app.page("/search?q=zoe+einz").text.contains("Zoe Einzig"))
        }
    }

    private static func find(_ text: String, _ app: AppHarness) async throws -> [String] {
        let vault = app.installation.vault
        return try await app.installation.main.read { connection in
            try NameIndexStore.members(NameIndex.find(text, in: app.twinID, vault: vault, on: connection).people, on: connection).map(\.text)
        }
    }

    private static func waiting(_ app: AppHarness) async throws -> Int {
        try await app.installation.main.read { connection in
            try NameIndexStore.waiting(in: app.twinID, limit: 10_000, on: connection).count
        }
    }
}
