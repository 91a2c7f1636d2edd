import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A file goes in by pages: which column is what, a rehearsal with mistakes by their lines, then the writing.
@Suite struct ImportPageTests {
    private static let path = "/integrations/import"

    @Test(arguments: Engine.allCases) func columnsAreAssignedThenTheFileIsRehearsedAndWritten(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["allowedHosts": ["shop.test"]])
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            let file = "Kundin,E-mail,Full name,Shoe size\nk1,k1@members.test,Ada Blau,38\nk2,nobody,Bea Rot,39\n"
            let made = try await upload(file, ["source": "generic", "kind": "members", "program": program], owner)
            let page = try #require(made.headers[.location])
            var shown = try await owner.get(page).text
            #expect(shown.contains("Does each column go where it belongs?") && shown.contains("Ada Blau") && shown.contains("Not used: Kundin, Shoe size"), "\(shown)")
            // The id of a member stands in a column that nobody could guess.
            let refused = try await owner.submit(page, from: page, ["members.external_id": "", "step": "rehearse"])
            #expect(refused.status == 422 && refused.text.contains("This field is needed"))
            _ = try await owner.submit(page, from: page, ["members.external_id": "0", "step": "map"])
            shown = try await owner.get(page).text
            #expect(shown.contains("<option value=\"0\" selected>Kundin</option>") && shown.contains("Not used: Shoe size"))
            let before = try await app.rowCounts()
            #expect(try await owner.submit(page, from: page, ["step": "rehearse"]).status == 303)
            await app.installation.imports.wait(for: try id(page), atMostMs: 60_000)
            shown = try await owner.get(page).text
            #expect(shown.contains("Some rows can’t be taken") && shown.contains("1 mistake. Nothing was written.") && shown.contains("E-mail"), "\(shown)")
            #expect(try await owner.submit(page, from: page, ["step": "write"]).status == 303)
            #expect(try await app.rowCounts()["member"] == before["member"], "mistakes are never written")

            let good = try await upload(file.replacing("nobody", with: "k2@members.test"), ["source": "generic", "kind": "members", "program": program], owner)
            let second = try #require(good.headers[.location])
            _ = try await owner.submit(second, from: second, ["members.external_id": "0", "step": "rehearse"])
            await app.installation.imports.wait(for: try id(second), atMostMs: 60_000)
            #expect(try await owner.get(second).text.contains("What would happen"))
            #expect(try await app.rowCounts()["member"] == before["member"], "a rehearsal leaves nothing")
            _ = try await owner.submit(second, from: second, ["step": "write"])
            await app.installation.imports.wait(for: try id(second), atMostMs: 60_000)
            shown = try await owner.get(second).text
            #expect(shown.contains("It is written") && !shown.contains("Rehearse it"), "\(shown)")
            #expect(try await app.get("/members/ext:k2")["name"] == "Bea Rot")
            let progress = try await owner.get("\(second)/progress")
            #expect(try JSONValue.parse(Array(progress.text.utf8), maximumBytes: 10_000)["work"] == .null)
            let kept = try await app.installation.main.read { connection in try FileImportStore.content(try id(second), on: connection).content }
            #expect(kept == nil, "what is written needs no file any more")
            let viewer = try await TeamPerson.make("vera", .viewer, in: app).enter(app)
            #expect(try await viewer.get(second).status == 403)
            #expect(try await app.findings() == [])
        }
    }

    @Test(arguments: Engine.allCases) func aVendorsFileIsRecognisedAndItsAmountsAreShown(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["currency": "USD", "allowedHosts": ["shop.test"]])
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            let move = try #require(VendorImportTests.moves.first { $0.vendor == .firstpromoter })
            let made = try await upload(move.people, ["source": "firstpromoter", "kind": "", "program": program], owner)
            let page = try #require(made.headers[.location])
            let shown = try await owner.get(page).text
            #expect(shown.contains("first_name + last_name") && shown.contains("$80.25") && shown.contains("Always https://shop.test/"), "\(shown)")
            #expect(shown.contains("Links of FirstPromoter carry the code as fpr"), "old links need their parameter")
            _ = try await owner.submit(page, from: page, ["amounts": "minor", "step": "rehearse"])
            await app.installation.imports.wait(for: try id(page), atMostMs: 60_000)
            #expect(try await owner.get(page).text.contains("current_balance"), "80.25 is no number of cents")
            _ = try await owner.submit(page, from: page, ["amounts": "decimal", "step": "rehearse"])
            await app.installation.imports.wait(for: try id(page), atMostMs: 60_000)
            _ = try await owner.submit(page, from: page, ["step": "write"])
            await app.installation.imports.wait(for: try id(page), atMostMs: 60_000)
            #expect(try await owner.get(page).text.contains("It is written"))
            let jane = try await app.get("/members/ext:7002")["id"].text
            #expect(try await app.get("/members/\(jane)/balances").elements.first?["available"] == 8_025)
            let unknown = try await upload("colour,size\nred,3\n", ["source": "tolt", "kind": "", "program": program], owner)
            #expect(unknown.status == 422 && unknown.text.contains("was recognised"))
            #expect(try await upload("", ["source": "tolt", "kind": "", "program": program], owner).status == 422)
            #expect(try await upload("a,a\n", ["source": "generic", "kind": "members", "program": program], owner).status == 422)
            #expect(try await upload("a\n", ["source": "generic", "kind": "", "program": program], owner).status == 422, "a table of one's own says nothing of itself")
        }
    }

    /// The process dies between two pieces of a file: the next one goes on by itself, and says so.
    @Test(arguments: Engine.allCases) func aFileGoesOnAfterItsProcessDied(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            let rows = (0..<450).map { "m\($0),m\($0)@members.test" }
            let made = try await upload("external_id,email\n" + rows.joined(separator: "\n") + "\n", ["source": "generic", "kind": "members", "program": program], owner)
            let page = try #require(made.headers[.location])
            let record = try id(page)
            _ = try await owner.submit(page, from: page, ["step": "rehearse"])
            await app.installation.imports.wait(for: record, atMostMs: 60_000)
            // As a process leaves it that was killed after the first piece.
            let twin = app.workspace.twin
            let (seal, installation) = (FileImportSeal(app.installation.secrets), app.installation)
            let text = try await installation.main.read { connection in
                String(decoding: try seal.open(try #require(try FileImportStore.content(record, on: connection).content), of: record, "content"), as: UTF8.self)
            }
            let found = try await installation.main.read { connection in try #require(try FileImportStore.find(record, in: twin.id, on: connection)) }
            let defaults = try await installation.importDefaults(found.programID, in: twin)
            let parts = found.mapping.parts(try CSVReader(text: text).columns, defaults)
            try await FileImportTests.killed(after: 200, installation, twin, program, parts, text, record: record)
            #expect(try await app.rowCounts()["member"] == 200)
            #expect(try await owner.get(page).text.contains("data-run-progress"), "a bar is there while it is under way")
            try await installation.write(twin.id, actor: .command) { write in
                try FileImportStore.setWork(record, owner: "another", until: try write.world.now().adding(milliseconds: -1), on: write.connection)
            }
            try await installation.resumeImports()
            await installation.imports.wait(for: record, atMostMs: 60_000)
            #expect(try await app.rowCounts()["member"] == 450)
            let shown = try await owner.get(page).text
            #expect(shown.contains("An earlier start at this file had broken off after 200 rows"), "\(shown)")
        }
    }

    /// Kept files name people: they go when somebody is erased, and after a day.
    @Test(arguments: Engine.allCases) func keptFilesGo(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let owner = try await TeamPerson.make("olga", .owner, in: app).enter(app)
            let anna = try await app.member(program, "anna")
            func keep() async throws -> String {
                let made = try await upload("external_id,email\nk1,k1@members.test\n", ["source": "generic", "kind": "members", "program": program], owner)
                return try #require(made.headers[.location])
            }
            let page = try await keep()
            let raw: [UInt8]? = try await app.installation.main.read { connection in try connection.value("SELECT content_sealed FROM file_import") }
            #expect(!String(decoding: raw ?? [], as: UTF8.self).contains("k1@members"), "it is kept encrypted")
            _ = try await app.api(.delete, "/members/\(anna)/person")
            let (person, workspace) = try await app.installation.main.read { connection in
                (try connection.value("SELECT person_id FROM member WHERE id = \(anna)", as: PersonID.self), app.twinID)
            }
            if let person { try? await app.installation.erase(person: person, in: workspace, actor: .command) }
            #expect(try await owner.get(page).text.contains("This file is gone"))
            let second = try await keep()
            try await app.installation.writeAnywhere { connection in
                try FileImportStore.expire(at: app.installation.world.now().adding(milliseconds: FileImportRecord.keptMs), on: connection)
            }
            #expect(try await owner.get(second).text.contains("This file is gone"))
        }
    }

    private func upload(_ text: String, _ fields: [String: String], _ visitor: PageVisitor) async throws -> Reply {
        try await visitor.upload(Self.path, from: Self.path, fields, file: ("file", text))
    }

    private func id(_ page: String) throws -> FileImportID {
        try #require(page.split(separator: "/").last.flatMap { FileImportID(String($0)) })
    }
}
