import Chronology
import Persistence
import Web

@testable import App

/// Four members with something to be paid: two that can be, one below the minimum, one without an account.
struct Payees: Sendable {
    var program: String
    var members: [String]
    var cutoff: String
    /// The key of a second person.
    var secondKey: String

    func batch(dryRun: Bool = false) -> JSONValue {
        ["programId": .text(program), "cutoff": .text(cutoff), "dryRun": .boolean(dryRun)]
    }

    func outcome(_ member: Int, _ outcome: String, _ reference: String) -> JSONValue {
        ["memberId": .text(members[member]), "outcome": .text(outcome), "reference": .text(reference)]
    }

    static func make(in app: AppHarness) async throws -> Payees {
        let program = try await app.program(["minimumPayout": 100])
        _ = try await app.percentRule(program, "0.10")
        var members: [String] = []
        for number in 0..<4 {
            let member = try await app.member(program, "payee\(number)")
            try await app.link(program, member, code: "PAY\(number)")
            members.append(member)
            let amount: Int64 = number == 2 ? 100 : 1_000
            for sale in 0..<3 {
                try await app.sale("i\(number)-\(sale)", "buyer\(number)-\(sale)", amount, ["code": .text("PAY\(number)")])
            }
        }
        for (number, iban) in ["DE89370400440532013000", "AT611904300234573201", "NL91ABNA0417164300"].enumerated() {
            try await app.put("/members/\(members[number])/payout-account", ["kind": "iban", "iban": .text(iban)])
        }
        try await app.moveClock(days: 31)
        return Payees(
            program: program, members: members, cutoff: try await app.get("/workspace")["now"].text, secondKey: try await app.secondPersonsKey())
    }
}

extension AppHarness {
    /// The key of another operator, of the test twin.
    func secondPersonsKey() async throws -> String {
        let installation = installation
        let team = workspace.workspace.id
        let second = try await installation.writeAnywhere { connection in
            let (person, _) = try Operator.findOrCreate(
                email: "second@example.test", name: nil, passwordHash: nil, vault: installation.vault, world: installation.world, on: connection)
            try TeamStore.join(person.id, team, role: .finance, at: installation.world.now(), on: connection)
            return person.id
        }
        return try await installation.write(twinID, actor: .command) { write in
            try APIKey.create(name: "Second", kind: .secret, role: .finance, scopes: [], for: second, in: write).text
        }
    }
}
