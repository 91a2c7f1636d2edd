import Foundation
import Testing

@testable import PlanLanguage

@Suite struct ReferenceTests {
    /// `KITH_WRITE_DOCS=1 swift test --package-path Engine --filter ReferenceTests` writes the page again.
    @Test("The page of the language is what the program would write")
    func page() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/plan-language.md")
        if ProcessInfo.processInfo.environment["KITH_WRITE_DOCS"] == "1" { try Data(planReference().utf8).write(to: file) }
        #expect(try String(contentsOf: file, encoding: .utf8) == planReference())
    }

    @Test("Every key of the schema stands in the page")
    func everyKey() {
        let page = planReference()
        var waiting = [schemaValue()]
        var keys: Set<String> = []
        while let value = waiting.popLast() {
            if case .list(let items) = value { waiting += items }
            guard case .object(let members) = value else { continue }
            for member in members {
                waiting.append(member.value)
                if member.key == "properties", case .object(let properties) = member.value { keys.formUnion(properties.map(\.key)) }
            }
        }
        #expect(keys.count > 80)
        for key in keys { #expect(page.contains("`\(key)`") || page.contains("`\(key): ") || page.contains(", \(key)}`"), "\(key)") }
    }
}
