/// Schema text in the words of SQLite's STRICT tables, and what PostgreSQL makes of it.
///
/// Types are written in capitals: `INTEGER`, `TEXT`, `BLOB`, `REAL`; so a column may be called `text`. For PostgreSQL
/// `INTEGER` becomes `BIGINT`, `BLOB` becomes `BYTEA`, `REAL` becomes `DOUBLE PRECISION`, and `TEXT` becomes
/// `TEXT COLLATE "C"`, so that both engines sort by bytes; `STRICT` and `WITHOUT ROWID` go. Comments, strings and quoted
/// names stay as they are. The numbering that SQLite gives to `INTEGER PRIMARY KEY` must not be relied on: PostgreSQL has
/// none, so every row brings its own key.
public enum SchemaText {
    public static func postgres(_ text: String) -> String {
        var output = ""
        var previousWord = ""
        // After a table's closing parenthesis come its options, up to the semicolon.
        var depth = 0
        var afterTable = false
        var makesTable = false
        for token in tokens(text) {
            switch token {
            case .word(let word):
                if afterTable && ["STRICT", "WITHOUT", "ROWID"].contains(word) { break }
                if word == "TABLE" { makesTable = true }
                output += mapped(word, after: previousWord)
                previousWord = word
            case .symbol("("):
                depth += 1
                afterTable = false
                output += "("
            case .symbol(")"):
                depth -= 1
                afterTable = makesTable && depth == 0
                output += ")"
            case .symbol(","):
                if !(afterTable && depth == 0) { output += "," }
            case .symbol(let symbol):
                if symbol == ";" { (afterTable, makesTable) = (false, false) }
                output.append(symbol)
            case .verbatim(let text):
                output += text
            }
        }
        return output
    }

    private static func mapped(_ word: String, after previous: String) -> String {
        switch word {
        case "INTEGER": "BIGINT"
        case "BLOB": "BYTEA"
        case "REAL": "DOUBLE PRECISION"
        // A cast takes a type alone.
        case "TEXT": previous == "AS" ? "TEXT" : "TEXT COLLATE \"C\""
        default: String(word)
        }
    }

    private enum Token {
        case word(String)
        case symbol(Character)
        /// Comments, strings, quoted names and white space.
        case verbatim(String)
    }

    private static func tokens(_ text: String) -> [Token] {
        var tokens: [Token] = []
        var rest = text[...]
        while let first = rest.first {
            let length: Int
            if rest.hasPrefix("--") {
                length = rest.prefix { !$0.isNewline }.count
                tokens.append(.verbatim(String(rest.prefix(length))))
            } else if rest.hasPrefix("/*") {
                let body = rest.dropFirst(2)
                let end = body.indices.first { body[$0...].hasPrefix("*/") }.map { body.index($0, offsetBy: 2) } ?? rest.endIndex
                tokens.append(.verbatim(String(rest[..<end])))
                rest = rest[end...]
                continue
            } else if first == "'" || first == "\"" {
                // A doubled quote inside reads as two strings side by side, which copies the same.
                length = min(rest.count, rest.dropFirst().prefix { $0 != first }.count + 2)
                tokens.append(.verbatim(String(rest.prefix(length))))
            } else if first.isLetter || first == "_" {
                length = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }.count
                tokens.append(.word(String(rest.prefix(length))))
            } else if first.isWhitespace {
                length = rest.prefix { $0.isWhitespace }.count
                tokens.append(.verbatim(String(rest.prefix(length))))
            } else {
                length = 1
                tokens.append(.symbol(first))
            }
            rest = rest.dropFirst(length)
        }
        return tokens
    }
}
