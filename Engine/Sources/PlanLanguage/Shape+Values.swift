import Chronology
import Compensation
import Money

/// A text that the test holds for; the pattern says the same for the schema.
func text(_ pattern: String, _ expectation: String, _ test: @escaping (String) -> Bool) -> Shape<String> {
    Shape(
        schema: .object(("type", .text("string")), ("pattern", .text(pattern))),
        read: { node, reading in
            guard let text = node.text, test(text) else {
                reading.refuse(node, "expected \(expectation), found \(node.kind)")
                return nil
            }
            return text
        },
        write: { text, _ in .text(text) })
}

/// Names in plans.
var codeShape: Shape<String> {
    text("^[A-Za-z][A-Za-z0-9_-]{0,63}$", "a name (a letter, then letters, digits, _ and -, at most 64)") { text in
    guard let first = text.utf8.first, text.utf8.count <= 64 else { return false }
    func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    return isLetter(first) && text.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
}
}

/// Texts that are compared with what files say.
var wordShape: Shape<String> {
    text("^[^\\u0000-\\u001f\\u007f]{1,200}$", "a text of 1 to 200 characters without control characters") { text in
    (1...200).contains(text.unicodeScalars.count) && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
}
}

func integer(_ range: ClosedRange<Int64>) -> Shape<Int64> {
    Shape(
        schema: .object(
            ("type", .text("integer")), ("minimum", .integer(range.lowerBound)), ("maximum", .integer(range.upperBound))),
        read: { node, reading in
            guard case .integer(let value) = node.content else {
                reading.refuse(node, "expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(node.kind)")
                return nil
            }
            guard range.contains(value) else {
                reading.refuse(node, "\(value) is not within \(range.lowerBound) to \(range.upperBound)")
                return nil
            }
            return value
        },
        write: { value, _ in .integer(value) })
}

func count(_ range: ClosedRange<Int>) -> Shape<Int> {
    mapped(integer(Int64(range.lowerBound)...Int64(range.upperBound)), to: { Int($0) }, from: { Int64($0) })
}

/// The same text for another type.
func mapped<One, Other>(_ shape: Shape<One>, to: @escaping (One) -> Other, from: @escaping (Other) -> One?) -> Shape<Other> {
    Shape(
        schema: shape.schema, read: { node, reading in shape.read(node, &reading).map(to) },
        write: { value, writing in from(value).flatMap { shape.write($0, writing) } })
}

var booleanShape: Shape<Bool> {
    Shape<Bool>(
    schema: .object(("type", .text("boolean"))),
    read: { node, reading in
        guard case .boolean(let value) = node.content else {
            reading.refuse(node, "expected true or false, found \(node.kind)", allowed: ["true", "false"])
            return nil
        }
        return value
    },
    write: { value, _ in .boolean(value) })
}

/// One of a few words.
func choice<Value: Equatable>(_ values: [Value], _ code: @escaping (Value) -> String) -> Shape<Value> {
    let codes = values.map(code)
    return Shape(
        schema: .object(("type", .text("string")), ("enum", .texts(codes))),
        read: { node, reading in
            guard let text = node.text, let value = values.first(where: { code($0) == text }) else {
                reading.refuse(node, "expected a word of a list, found \(node.kind)", allowed: codes)
                return nil
            }
            return value
        },
        write: { value, _ in .text(code(value)) })
}

func list<Value>(_ shape: Shape<Value>, _ range: ClosedRange<Int>) -> Shape<[Value]> {
    Shape(
        schema: .object(
            ("type", .text("array")), ("items", shape.schema), ("minItems", .integer(Int64(range.lowerBound))),
            ("maxItems", .integer(Int64(range.upperBound)))),
        read: { node, reading in
            guard let items = node.items else {
                reading.refuse(node, "expected a list, found \(node.kind)")
                return nil
            }
            guard range.contains(items.count) else {
                reading.refuse(node, "the list has \(items.count) entries; it may have \(range.lowerBound) to \(range.upperBound)")
                return nil
            }
            var values: [Value] = []
            for item in items { if let value = shape.read(item, &reading) { values.append(value) } }
            return values.count == items.count ? values : nil
        },
        write: { values, writing in .list(values.compactMap { shape.write($0, writing) }) })
}

/// Different values; written sorted.
func distinct<Value: Hashable>(_ shape: Shape<Value>, _ range: ClosedRange<Int>, _ text: @escaping (Value) -> String) -> Shape<Set<Value>> {
    let list = list(shape, range)
    return Shape(
        schema: list.schema.adding("uniqueItems", .boolean(true)),
        read: { node, reading in
            guard let values = list.read(node, &reading) else { return nil }
            guard Set(values).count == values.count else {
                reading.refuse(node, "an entry stands in the list twice")
                return nil
            }
            return Set(values)
        },
        write: { values, writing in
            list.write(values.sorted { text($0).utf8.lexicographicallyPrecedes(text($1).utf8) }, writing)
        })
}

/// `5%`, or decimal text such as `"0.05"`: never a number, which programs would take for a float.
var rateShape: Shape<Rate> {
    Shape<Rate>(
    schema: .object(
        ("type", .text("string")),
        (
            "pattern",
            .text("^((0|[1-9][0-9]{0,2})(\\.[0-9]{1,9})?|1000(\\.0{1,9})?|((0|[1-9][0-9]{0,4})(\\.[0-9]{1,7})?|100000(\\.0{1,7})?)%)$")
        )),
    read: { node, reading in
        guard let text = node.text, let rate = Rate(planText: text) else {
            reading.refuse(
                node, "expected a rate from 0 to 1000 such as 5% (at most seven decimals) or the text \"0.05\" (at most nine), found \(node.kind)")
            return nil
        }
        return rate
    },
    write: { rate, _ in .text(rate.text) })
}

extension Rate {
    /// `5%` or `0.05`.
    init?(planText text: String) {
        do {
            guard text.hasSuffix("%") else {
                try self.init(text)
                return
            }
            // A percent with d decimals is a decimal with d + 2: the same digits, counted in billionths of 100.
            let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
            guard let whole = parts.first, parts.count <= 2, !whole.isEmpty, whole.count <= 6, whole.allSatisfy(\.isPlainDigit),
                whole.count == 1 || whole.first != "0", parts.count == 1 || (1...7).contains(parts[1].count)
            else { return nil }
            let fraction = parts.count == 2 ? String(parts[1]) : ""
            guard fraction.allSatisfy(\.isPlainDigit), let value = Int64(whole + fraction + String(repeating: "0", count: 7 - fraction.count))
            else { return nil }
            try self.init(billionths: value)
        } catch {
            return nil
        }
    }
}

extension Character {
    var isPlainDigit: Bool { isASCII && isNumber }
}

/// The share of a leg limit: a rate of at most the whole, in millionths.
var shareShape: Shape<SharePPM> {
    Shape<SharePPM>(
    schema: .object(
        ("type", .text("string")),
        ("pattern", .text("^(0(\\.[0-9]{1,6})?|1(\\.0{1,6})?|((0|[1-9][0-9]?)(\\.[0-9]{1,4})?|100(\\.0{1,4})?)%)$"))),
    read: { node, reading in
        guard let text = node.text, let rate = Rate(planText: text), rate.billionths % 1_000 == 0, text.decimals <= (text.hasSuffix("%") ? 4 : 6),
            let share = SharePPM(ppm: Int(rate.billionths / 1_000))
        else {
            reading.refuse(node, "expected a share from 0 to 1 such as 80% or the text \"0.8\", found \(node.kind)")
            return nil
        }
        return share
    },
    write: { share, _ in (try? Rate(billionths: Int64(share.ppm) * 1_000)).map { .text($0.text) } })
}

extension String {
    fileprivate var decimals: Int {
        guard let point = firstIndex(of: ".") else { return 0 }
        return self[index(after: point)...].prefix { $0 != "%" }.count
    }
}

var dayShape: Shape<LocalDay> {
    Shape<LocalDay>(
    schema: .object(
        ("type", .text("string")), ("format", .text("date")),
        ("pattern", .text("^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"))),
    read: { node, reading in
        guard let text = node.text, isDayShaped(text) else {
            reading.refuse(node, "expected a day such as \"2026-01-05\", found \(node.kind)")
            return nil
        }
        guard let day = try? LocalDay(iso8601: text) else {
            reading.contradict(node, "there is no day \(text)")
            return nil
        }
        return day
    },
    write: { day, _ in .text(day.iso8601) })
}

private func isDayShaped(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, zip(parts, [4, 2, 2]).allSatisfy({ $0.count == $1 && $0.allSatisfy(\.isPlainDigit) }),
        let month = Int(parts[1]), let day = Int(parts[2])
    else { return false }
    return (1...12).contains(month) && (1...31).contains(day)
}

/// A rank of this plan by its name.
var rankShape: Shape<Int> {
    Shape<Int>(
    schema: codeShape.schema,
    read: { node, reading in
        guard let code = codeShape.read(node, &reading) else { return nil }
        guard let place = reading.rankCodes.firstIndex(of: code) else {
            reading.contradict(node, "the plan has no rank “\(code)”", allowed: reading.rankCodes)
            return nil
        }
        return place + 1
    },
    write: { rank, writing in rank > 0 ? writing.rank(rank).map { .text($0) } : nil })
}

/// A rank, or `none`.
var rankOrNoneShape: Shape<Int> {
    Shape<Int>(
    schema: codeShape.schema, read: { node, reading in node.text == noRank ? 0 : rankShape.read(node, &reading) },
    write: { rank, writing in writing.rank(rank).map { .text($0) } })
}
