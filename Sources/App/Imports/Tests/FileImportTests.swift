import Foundation
import HTTPTypes
import Persistence
import Synchronization
import TestSupport
import Testing
import Web

@testable import App

@Suite struct FileImportTests {
    @Test(arguments: Engine.allCases)
    func aFileGoesInOnceAndWholly(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            func take(_ kind: ImportKind, _ text: String, dry: Bool = false) async throws -> JSONValue {
                let path = FileManager.default.temporaryDirectory.appendingPathComponent("kith-\(UUID().uuidString).csv").path
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                defer { try? FileManager.default.removeItem(atPath: path) }
                return try await FileImport(
                    installation: app.installation, workspace: app.workspace.twin, program: ProgramID(stored: program), kind: kind, path: path
                ).run(isDryRun: dry)
            }
            let members = "external_id,email,name,enroller_external_id\nM2,m2@members.test,Zwei,M1\nM1,m1@members.test,Eins,\n"
            let before = try await app.rowCounts()
            #expect(try await take(.members, members, dry: true)["created"] == 2)
            #expect(try await app.rowCounts() == before, "a dry run leaves nothing")
            #expect(try await take(.members, members)["created"] == 2, "an enroller may come later in the file")
            #expect(try await take(.members, members)["known"] == 2)

            let header = "invoice_id,customer_external_id,amount,currency,occurred_at,member_external_id\n"
            let bad = try await take(.sales, header + "I1,C1,1000,EUR,2025-12-01,M2\nI2,C1,1.5,EUR,2025-12-02,M2\nI3,C1,10,EUR,2025-12-03,M9\n")
            #expect(bad["errorCount"] == 1)
            #expect(bad["written"] == false)
            let unknown = try await take(.sales, header + "I1,C1,1000,EUR,2025-12-01,M2\nI3,C1,10,EUR,2025-12-03,M9\n")
            guard case .array(let errors)? = unknown["errors"] else { throw CSVReader.Malformed(line: 0, reason: "no errors") }
            #expect(errors.first?["line"] == 3)
            #expect(errors.first?["column"] == "member_external_id")
            let sales = header + "I1,C1,1000,EUR,2025-12-01,M2\nI2,C1,500,EUR,2025-12-02,\n"
            #expect(try await take(.sales, sales)["created"] == 2)
            #expect(try await take(.sales, sales)["known"] == 2)
            let other = try await take(.sales, header + "I1,C1,999,EUR,2025-12-01,M2\n")
            guard case .array(let conflicts)? = other["errors"] else { throw CSVReader.Malformed(line: 0, reason: "no errors") }
            #expect(conflicts.first?["column"] == "invoice_id")
            #expect(try await take(.refunds, "refund_id,invoice_id,amount,occurred_at\nR1,I1,500,2025-12-05\n")["created"] == 1)
            try await app.link(program, "ext:M1", code: "eins")
            let clicks = "code,occurred_at,visitor_id\neins,2025-12-01T10:00:00Z,v1\nEINS,2025-12-01T10:00:01Z,v2\n"
            #expect(try await take(.clicks, clicks)["created"] == 2)
            #expect(try await take(.clicks, clicks)["known"] == 2)
            let verification = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys)
            #expect(verification.findings.map(\.detail) == [])
        }
    }

    /// What a file says of known members is so afterwards, or refused by its line; the same file again changes nothing.
    @Test(arguments: Engine.allCases) func knownMembersAreBroughtUpToDateOrRefused(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            func take(_ text: String) async throws -> JSONValue { try await file(app, program, .members, text).run(isDryRun: false) }
            let first = "external_id,email,joined_at,website,group_id\nx1,x1@members.test,2024-01-01,https://x1.test,east\nx2,x2@members.test,2024-02-01,,\n"
            #expect(try await take(first)["created"] == 2)
            #expect(try await take(first)["known"] == 2, "also with a website")
            let placing = "external_id,email,placement_parent_external_id,placement_slot\nx2,x2@members.test,x1,1\n"
            #expect(try await take(placing)["updated"] == 1)
            #expect(try await take(placing)["known"] == 1)
            let placed: Int64? = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM placement WHERE slot = 1 AND effective_until IS NULL")
            }
            #expect(placed == 1)
            #expect(try await take("external_id,email,website\nx2,x2@members.test,https://new.test\n")["updated"] == 1)
            #expect(try await take("external_id,email,website\nx2,x2@members.test,https://new.test\n")["known"] == 1)
            #expect(try await take("external_id,email\nx3,x3@members.test\n")["created"] == 1)
            let before = try await app.rowCounts()
            for (column, value) in [
                ("joined_at", "2020-01-01"), ("group_id", "west"), ("placement_parent_external_id", "x3"), ("placement_slot", "1"),
            ] {
                let refused = try await take("external_id,email,\(column)\nx2,x2@members.test,\(value)\n")
                #expect(refused["written"] == false && refused["errors"]?.elements.map { $0["column"].text } == [column], "\(refused)")
            }
            let other = try await take("external_id,email,placement_parent_external_id,placement_slot\nx2,x2@members.test,x1,2\n")
            #expect(other["errors"]?.elements.map { $0["column"].text } == ["placement_slot"])
            #expect(try await app.rowCounts() == before)
        }
    }

    /// Somebody takes a code between the rehearsal and the import: batches before it stay, the answer says so, and the file can be taken in again.
    @Test(arguments: Engine.allCases) func whatWasWrittenBeforeAnErrorIsSaid(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await app.shopWithAnna()
            let other = try await app.member(program, "other")
            try await app.link(program, other, code: "code-250")
            func links(_ count: Int, from first: Int) -> String {
                "code,member_external_id,destination\n" + (first..<(first + count)).map { "code-\($0),m1,https://shop.test/\n" }.joined()
            }
            _ = try await file(app, program, .members, "external_id,email\nm1,m1@members.test\n").run(isDryRun: false)
            func count() async throws -> Int64 { try await app.rowCounts()["link"] ?? 0 }
            let before = try await count()

            let small = try await file(app, program, .links, links(100, from: 200)).write().json([.links], isDryRun: false)
            #expect(small["written"] == false && small["errorCount"] == 1 && small["created"] == 0, "\(small)")
            #expect(try await count() == before, "a batch stands or falls as a whole")

            let large = try await file(app, program, .links, links(500, from: 1)).write().json([.links], isDryRun: false)
            #expect(large["written"] == "partly" && large["created"] == 200 && large["rows"] == 200, "\(large)")
            let error = large["errors"]?.elements.first
            #expect(error?["line"] == 251 && error?["message"].text.contains("The 200 rows written before it stay") == true)
            #expect(try await count() == before + 200)
            let again = try await file(app, program, .links, links(249, from: 1)).run(isDryRun: false)
            #expect(again["known"] == 200 && again["created"] == 49 && again["written"] == true)
        }
    }

    /// The import of a process that is killed after so many rows: the next piece never comes.
    static func killed(
        after rows: Int, _ installation: Installation, _ workspace: Workspace, _ program: String, _ parts: [FileImport.Part], _ text: String,
        record: FileImportID? = nil
    ) async throws {
        let progress = LongWork()
        var file = FileImport(installation: installation, workspace: workspace, program: ProgramID(stored: program), parts: parts, path: "")
        (file.text, file.progress, file.record, file.stopsAfterRows) = (text, progress, record, rows)
        let made = file
        await #expect(throws: CancellationError.self) { try await made.run(isDryRun: false) }
        #expect(progress.state.map { $0.done >= rows } == true)
    }

    /// The same file again goes on where a killed one was, and says so.
    @Test(arguments: Engine.allCases) func aBrokenImportIsGoneOnWith(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            _ = try await file(app, program, .members, "external_id,email\nm1,m1@members.test\n").run(isDryRun: false)
            let header = "invoice_id,customer_external_id,amount,currency,occurred_at,member_external_id\n"
            let text = header + (0..<500).map { "I\($0),C\($0 % 7),\(100 + $0),EUR,2025-12-01,m1\n" }.joined()
            try await Self.killed(after: 200, app.installation, app.workspace.twin, program, [FileImport.Part(kind: .sales)], text)
            #expect(try await app.rowCounts()["sale"] == 200)
            let again = try await file(app, program, .sales, text).run(isDryRun: false)
            #expect(again["resumed"] == true && again["writtenBefore"] == 200 && again["known"] == 200 && again["created"] == 300, "\(again)")
            let third = try await file(app, program, .sales, text).run(isDryRun: false)
            #expect(third["resumed"] == false && third["known"] == 500 && third["created"] == 0, "\(third)")
            // In one go it comes to the same: every commission once.
            let earned: Int64? = try await app.installation.main.read { connection in try connection.value("SELECT sum(amount) FROM commission") }
            #expect(earned == (0..<500).reduce(Int64(0)) { $0 + Self.tenth(Int64(100 + $1)) })
            #expect(try await app.findings() == [])
        }
    }

    private static func tenth(_ minor: Int64) -> Int64 { minor / 10 + (minor % 10 > 5 || (minor % 10 == 5 && minor / 10 % 2 == 1) ? 1 : 0) }

    /// Disks fill up and connections break while a file is written: given again until it is done, it is there once.
    @Test(arguments: Engine.allCases) func failingStorageLosesNothing(_ engine: Engine) async throws {
        let faults = StorageFaults(seed: 7)
        try await AppHarness.with(engine, storage: { FaultyDatabase(base: $0, faults: faults) }) { app in
            let program = try await app.program()
            let text = "external_id,email\n" + (0..<2_000).map { "m\($0),m\($0)@members.test\n" }.joined()
            let import_ = file(app, program, .members, text)
            var (tries, resumed, isDone) = (0, 0, false)
            while !isDone, tries < 60 {
                tries += 1
                faults.turn(on: true)
                do {
                    let answer = try await import_.write().json([.members], isDryRun: false)
                    isDone = answer["written"] == true
                    if answer["resumed"] == true { resumed += 1 }
                } catch is DatabaseFailure {
                } catch is Problem {}
                faults.turn(on: false)
            }
            #expect(isDone && tries > 1 && resumed == 1, "\(tries) tries, faults \(faults.counts)")
            #expect(try await app.rowCounts()["member"] == 2_000)
            #expect(try await app.findings() == [])
        }
    }

    private func file(_ app: AppHarness, _ program: String, _ kind: ImportKind, _ text: String) -> FileImport {
        var file = FileImport(installation: app.installation, workspace: app.workspace.twin, program: ProgramID(stored: program), kind: kind, path: "")
        file.text = text
        return file
    }

    /// While thousands of rows are rehearsed sales of the same workspace come through, and the rehearsal sees none of them half.
    @Test(arguments: Engine.allCases) func othersWriteWhileAFileIsRehearsed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            let (begun, release) = (AsyncStream<Void>.makeStream(), Release())
            let (id, world, vault) = (app.twinID, app.installation.world, app.installation.vault.rehearsal)
            async let rehearsed = Rehearsal.run(id, of: app.installation) { connection -> Int64 in
                guard let workspace = try WorkspaceStore.find(id, on: connection) else { throw Refusal.unknown("workspace") }
                let write = Write(connection: connection, workspace: workspace, now: workspace.now(world), actor: .command, world: world, vault: vault)
                _ = try PersonStore.insert(in: write)
                try connection.execute("UPDATE program SET name = 'rehearsed' WHERE id = \(program)")
                try write.audit("rehearsal", subject: program)
                begun.continuation.yield()
                release.wait()
                return try connection.value("SELECT count(*) FROM sale") ?? -1
            }
            for await _ in begun.stream { break }
            let sale = try await app.api(.post, "/track/sale", AppHarness.saleBody("inv-1", "c-1", 1_000, ["code": "anna"]))
            #expect(sale.status == 201)
            #expect(try await app.patch("/members/\(anna)", ["name": "Anna B."])["id"].text == anna)
            release.signal()
            #expect(try await rehearsed == 0, "it stands on the snapshot of its beginning")
            #expect(try await app.get("/programs/\(program)")["name"].text == "Shop")
            #expect(try await app.findings() == [])
        }
    }

    /// The same through the command's own way, with a file that takes a while.
    @Test(arguments: Engine.allCases) func aBigFileStallsNobody(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, _) = try await app.shopWithAnna()
            let rows = (0..<1_500).map { "M\($0),m\($0)@members.test,Name \($0),\($0 == 0 ? "" : "M\($0 - 1)")" }
            let text = "external_id,email,name,enroller_external_id\n" + rows.joined(separator: "\n") + "\n"
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("kith-\(UUID().uuidString).csv").path
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            defer { try? FileManager.default.removeItem(atPath: path) }
            let before = try await app.rowCounts()
            let file = FileImport(
                installation: app.installation, workspace: app.workspace.twin, program: ProgramID(stored: program), kind: .members, path: path)
            let ended = Mutex(false)
            async let dry = {
                let answer = try await file.run(isDryRun: true)
                ended.withLock { $0 = true }
                return answer
            }()
            var sales = 0
            while !ended.withLock({ $0 }) && sales < 5 {
                let reply = try await app.api(.post, "/track/sale", AppHarness.saleBody("inv-\(sales)", "c-1", 1_000, ["code": "anna"]))
                #expect(reply.status == 201)
                if !ended.withLock({ $0 }) { sales += 1 }
            }
            let answer = try await dry
            #expect(answer["created"] == 1_500)
            #expect(answer["errorCount"] == 0)
            #expect(sales == 5, "sales were stored while the file was rehearsed")
            let after = try await app.rowCounts()
            #expect(after["member"] == before["member"])
            #expect(after["person"] == (before["person"] ?? 0) + 1, "the buyer of the sales, and nobody of the file")
        }
    }

    @Test func membersStandInNoCircle() throws {
        func member(_ id: String, under enroller: String?) -> (line: Int, row: ImportRow) {
            (
                1,
                .member(
                    Enrolment(programID: ProgramID(stored: "p"), externalID: id, enroller: enroller.map { .external($0) }))
            )
        }
        #expect(throws: CSVReader.Malformed.self) { try MemberOrder.sorted([member("a", under: "b"), member("b", under: "a")]) }
        #expect(throws: CSVReader.Malformed.self) { try MemberOrder.sorted([member("a", under: nil), member("a", under: nil)]) }
        #expect(try MemberOrder.sorted([member("c", under: "b"), member("b", under: "a"), member("a", under: "elsewhere")]).count == 3)
    }
}
