import Persistence
import TestSupport
import Testing

@Suite struct ValueTests {
    static let values: [Value] = [
        .null, .integer(0), .integer(Int64.min), .integer(Int64.max), .integer(-1),
        .text(""), .text("plain"), .text("👩‍👩‍👧‍👦 \u{1F1E9}\u{1F1EA}"), .text("e\u{301} \u{e9}"), .text("';--\n\t\\x41 $1"), .text("\u{200F}שלום"),
        .blob([]), .blob([0, 255, 0, 1]), .blob((0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31) }),
        .real(0.1), .real(-1e300), .real(.leastNonzeroMagnitude),
    ]

    @Test(arguments: Engine.allCases) func everyValueComesBackAsItWas(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [Self.things]) { test in
            try await test.database.write { connection in
                for (position, value) in Self.values.enumerated() {
                    let column = column(value)
                    try connection.execute("INSERT INTO thing (id, \(raw: column)) VALUES (\(position), \(value))")
                }
            }
            let found = try await test.database.read { connection in
                try Self.values.enumerated().map { position, value in
                    try connection.value("SELECT \(raw: column(value)) FROM thing WHERE id = \(position)", as: Value.self)
                }
            }
            let matches = found.elementsEqual(Self.values) { $0 ?? .null == $1 }
            #expect(matches)
            // Swift compares text by canonical equivalence; what counts is that the bytes are the same.
            for case (.text(let was), .text(let came)?) in zip(Self.values, found) { #expect(Array(was.utf8) == Array(came.utf8)) }
        }
    }

    @Test(arguments: Engine.allCases) func sumsOfIntegersAreIntegers(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [Self.things]) { test in
            let sums = try await test.database.write { connection in
                try connection.execute(
                    "INSERT INTO thing (id, whole) VALUES (1, \(Int64.max)), (2, \(Int64.min)), (3, 0), (4, -10000), (5, 40000), (6, \(Int64.max))")
                return try ["id <= 2", "id IN (1, 3)", "id IN (2, 3)", "id IN (3, 4)", "id = 5", "id = 99"].map {
                    try connection.value("SELECT sum(whole) FROM thing WHERE \(raw: $0)", as: Int64.self)
                }
            }
            #expect(sums == [-1, Int64.max, Int64.min, -10000, 40000, nil])
            await #expect(throws: DatabaseFailure.self) {
                _ = try await test.database.read { try $0.value("SELECT sum(whole) FROM thing WHERE id IN (1, 6)", as: Int64.self) }
            }
        }
    }

    @Test(arguments: Engine.allCases) func aFractionIsNoInteger(_ engine: Engine) async throws {
        try await TestDatabase.with(engine) { test in
            #expect(await kind { _ = try await test.database.read { try $0.value("SELECT 1.5", as: Int64.self) } } == .mismatch)
            #expect(await kind { _ = try await test.database.read { try $0.value("SELECT 'a'", as: Int64.self) } } == .mismatch)
            let truth = try await test.database.read { try $0.value("SELECT 1 = 1 AND \(true) = 1", as: Bool.self) }
            #expect(truth == true)
        }
    }

    @Test(arguments: Engine.allCases) func textWithNULIsRefused(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [Self.things]) { test in
            #expect(await kind { _ = try await test.database.write { try $0.execute("INSERT INTO thing (id, words) VALUES (1, \("a\u{0}b"))") } } == .mismatch)
            let count = try await test.database.read { try $0.value("SELECT count(*) FROM thing", as: Int.self) }
            #expect(count == 0)
        }
    }

    @Test(arguments: Engine.allCases) func listsAndComposedStatementsBindInOrder(_ engine: Engine) async throws {
        try await TestDatabase.with(engine, migrations: [Self.things]) { test in
            let found: [[Int]] = try await test.database.write { connection in
                for id in 1...5 { try connection.execute("INSERT INTO thing (id, words) VALUES (\(id), \("w\(id)"))") }
                let condition: SQL = "id IN \(list: [1, 2, 3]) AND words <> \("w2")"
                let none: [Int] = []
                let queries: [SQL] = [
                    "SELECT id FROM thing WHERE id >= \(1) AND \(sql: condition) AND id < \(3) ORDER BY id",
                    "SELECT id FROM thing WHERE id IN \(list: none)",
                    "SELECT id FROM thing WHERE words = '$' OR id = \(4)",
                ]
                return try queries.map { try connection.rows($0).map { try $0.get("id", as: Int.self) } }
            }
            #expect(found == [[1], [], [4]])
        }
    }

    @Test(arguments: Engine.allCases) func textSortsByBytes(_ engine: Engine) async throws {
        let words = ["b", "a", "B", "Z", "é", "e\u{301}", "ä", "_", "aa", "a b", "👍", "ﬀ", "10", "9"]
        try await TestDatabase.with(engine, migrations: [Self.things]) { test in
            let sorted = try await test.database.write { connection in
                for (id, word) in words.enumerated() { try connection.execute("INSERT INTO thing (id, words) VALUES (\(id), \(word))") }
                return try connection.rows("SELECT words FROM thing ORDER BY words").map { try $0.get("words", as: String.self) }
            }
            let expected = words.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(sorted.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
        }
    }

    static let things = Migration(
        number: 1, name: "thing",
        text: """
            CREATE TABLE thing (id INTEGER PRIMARY KEY, whole INTEGER, words TEXT, bytes BLOB, measure REAL) STRICT, WITHOUT ROWID;
            """)
}

/// The column of `thing` that takes the value.
private func column(_ value: Value) -> String {
    switch value {
    case .null, .integer: "whole"
    case .text: "words"
    case .blob: "bytes"
    case .real: "measure"
    }
}

/// What kind of failure `body` ends with; nil when it ends well.
func kind(_ body: () async throws -> Void) async -> DatabaseFailure.Kind? { await failure(body)?.kind }

func failure(_ body: () async throws -> Void) async -> DatabaseFailure? {
    do { try await body() } catch { return error as? DatabaseFailure }
    return nil
}
