import Compensation
import Foundation
import Money
import Testing

/// The worked examples of published plans, read from `compensation.json`.
struct WorkedCase {
    let inputs: [String: Any]
    let expected: [String: Any]

    init(_ id: String) throws {
        let url = try #require(Bundle.module.url(forResource: "compensation", withExtension: "json"))
        let root = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        let all = (root["cases"] as? [[String: Any]] ?? []) + (root["compliance"] as? [[String: Any]] ?? [])
        let found = try #require(all.first { $0["id"] as? String == id })
        inputs = try #require(found["inputs"] as? [String: Any])
        expected = try #require(found["expected"] as? [String: Any])
    }

    static func ids() throws -> [String] {
        let url = try #require(Bundle.module.url(forResource: "compensation", withExtension: "json"))
        let root = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        return (root["cases"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
    }
}

/// Whole or decimal numbers of the file, in hundredths.
func cents(_ value: Any?) throws -> Int64 {
    if let number = value as? Int { return Int64(number) * 100 }
    let text = try #require(value as? String)
    let parts = text.split(separator: ".")
    let fraction = parts.count > 1 ? String(parts[1].prefix(2)).padding(toLength: 2, withPad: "0", startingAt: 0) : "00"
    return try #require(Int64(parts[0])) * 100 + #require(Int64(fraction))
}

func integer(_ value: Any?) throws -> Int { try #require(value as? Int) }
func object(_ value: Any?) throws -> [String: Any] { try #require(value as? [String: Any]) }
func list(_ value: Any?) throws -> [Any] { try #require(value as? [Any]) }

/// Percent as in the file: 5, "6.25".
func percent(_ value: Any?) throws -> Rate { try Rate(billionths: cents(value) * 100_000) }
