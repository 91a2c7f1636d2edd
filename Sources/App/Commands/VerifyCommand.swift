import ArgumentParser
import Persistence
import Web

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recompute balances, hash chains, receipts, caps and counters; exit status 1 and the names of what is wrong.")

    @OptionGroup var options: DatabaseOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await plainly {
            let verification = try await Commands.read(options.settings()) { stores in
                try await Verification.run(main: stores.main, clicks: stores.clicks, keys: stores.keys)
            }
            if json {
                Commands.show(verification.json, json: true)
            } else {
                for (workspace, transactions, sales) in verification.workspaces {
                    print("\(workspace.id) \(workspace.name)\(workspace.isTest ? " (test)" : ""): \(transactions) transactions, \(sales) sales")
                }
                for found in verification.findings { print("\(found.kind) \(found.workspace) \(found.subject): \(found.detail)") }
            }
            guard verification.findings.isEmpty else {
                throw Problem.conflict(
                    code: "verify_failed",
                    detail: "\(verification.findings.count) things are wrong; the findings name them. Keep the file as it is and restore a backup.")
            }
            if !json { print("Everything agrees.") }
        }
    }
}
