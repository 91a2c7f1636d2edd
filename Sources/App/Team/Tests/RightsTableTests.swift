import Foundation
import HTTPTypes
import TestSupport
import Testing
import Web

@testable import App

struct RightsTableTests {
    /// To write the page anew: KITH_WRITE_DOCS=1 swift test --filter RightsTableTests
    @Test func thePageSaysWhatTheTableSays() async throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../docs/access.md").standardized
        try await AppHarness.with(.sqlite) { app in
            let table = RightsTable.markdown(
                app.operations.map { (method: $0.method.rawValue, path: API.base + $0.path, right: $0.access.right, isEmbedded: $0.access == .embedToken) })
            if ProcessInfo.processInfo.environment["KITH_WRITE_DOCS"] == "1" { try table.write(to: page, atomically: true, encoding: .utf8) }
            #expect(try String(contentsOf: page, encoding: .utf8) == table)
        }
    }
}
