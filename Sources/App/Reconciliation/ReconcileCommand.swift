import ArgumentParser
import Foundation
import Persistence
import Web

struct ReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Take in what a bank or provider says of payouts.",
        discussion: "Beside a running server the server reads the file. A file with a mistake in it writes nothing; the same file again changes nothing.")

    @OptionGroup var options: DatabaseOptions
    @OptionGroup var workspace: WorkspaceOptions
    @Option(help: "The file.") var file: String
    @Option(help: "pain002, camt053, csv, paypal or wise.") var format: String
    @Option(help: ArgumentHelp("What the CSV file calls a column: OURS=THEIRS, as in amount=Betrag. Ours are date, amount, currency, reference, bankReference, counterparty, account, status, text.", valueName: "OURS=THEIRS"))
    var column: [String] = []
    @Option(help: "What stands between the columns: comma, semicolon or tab.") var separator: String?
    @Option(help: "The decimal sign: point or comma.") var decimalSign: String?
    @Option(help: "The currency, where no column says it.") var currency: String?
    @Flag(help: "Do everything, then take it back: shows what would change.") var dryRun = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await plainly {
            let path = Commands.absolute(file)
            guard FileManager.default.fileExists(atPath: path) else { throw Problem.notFound(detail: "There is nothing at \(path).") }
            var mapping: [JSONMember] = try column.map { text in
                let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard halves.count == 2 else { throw Problem.badRequest(detail: "Write --column as OURS=THEIRS, as in amount=Betrag.") }
                return JSONMember(halves[0], .text(halves[1]))
            }
            for (name, value) in [("separator", separator), ("decimalSign", decimalSign), ("defaultCurrency", currency)] {
                if let value { mapping.append(JSONMember(name, .text(value))) }
            }
            let arguments =
                workspace.arguments + [
                    ("path", .text(path)), ("format", .text(format)), ("mapping", mapping.isEmpty ? .null : .object(mapping)), ("dryRun", .boolean(dryRun)),
                ]
            let answer = try await ProgressLine.following("reconcile", arguments.map { JSONMember($0.0, $0.1) }, options.settings())
            if json { Commands.show(answer, json: true) } else { Self.show(answer) }
            if let count = answer.whole("errorCount"), count > 0 {
                throw Problem.badRequest(detail: "\(count) \(count == 1 ? "mistake" : "mistakes") in \(path); nothing was written.")
            }
        }
    }

    private static func show(_ answer: JSONValue) {
        guard case .object(let members) = answer else { return }
        Commands.show(.object(members.filter { !["errors", "rows", "paid", "failed", "returned"].contains($0.name) }), json: false)
        for result in ["paid", "failed", "returned"] { print("\(result): \(answer[result]?.whole("count") ?? 0)") }
        for error in answer.list("errors") { print("line \(error.whole("line") ?? 0): \(error.string("message") ?? "")") }
        for row in answer.list("rows") where row.string("state") == "difference" || row.string("state") == "unmatched" {
            print("line \(row.whole("line") ?? 0): \(row.string("difference") ?? row.string("state") ?? "")")
        }
    }
}

extension CommandVerbs {
    static func reconcile(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let choice = WorkspaceChoice(reader)
        let path = reader.text("path", maximumLength: 4_096)
        let format: BankFile.Format? = reader.optionalOneOf("format")
        let columns = reader.optionalObject("mapping") { ReconciliationRoutes.columns($0) }
        let isDryRun = reader.optionalBoolean("dryRun") ?? false
        try reader.finish()
        guard let format else { throw Problem.badRequest(detail: "Say what the file is: --format pain002, camt053, csv, paypal or wise.") }
        let workspace = try await installation.main.read { connection in try choice.find(on: connection) }
        let file = try BankFile.readRefusing(.file(path: path), format, mapping: columns)
        return try await installation.reconcile(file, in: workspace.id, actor: .command, isDryRun: isDryRun).json(isDryRun: isDryRun)
    }
}
