import Chronology
import Ledger
import Money
import Persistence
import Web

/// What the demo's company does with money: two people who pay, accounts, two payouts, a payment that came back, one that is owed back, and a
/// commission that waits for a decision.
extension DemoStory {
    /// Who makes payouts, and who approves them. Nobody can sign in as them: they have no password.
    static let maker = (name: "Jonas Reuter", email: "jonas.reuter@morgenrot.example")
    static let approver = (name: "Paula Stern", email: "paula.stern@morgenrot.example")
    private static let accountsDay = 40
    private static let payoutDays = [62, 92]
    private static let minimumPayoutMinor: Int64 = 2_000

    static func settings(_ random: RandomSource) -> ProgramSettings {
        var settings = ProgramSettings()
        settings.allowedHosts = ["morgenrot.example"]
        settings.binding = .months(12)
        settings.minimumPayoutMinor = minimumPayoutMinor
        settings.debtor = ProgramSettings.Debtor(name: "Morgenrot GmbH", iban: DemoAccount.iban("DE", random), bic: nil)
        return settings
    }

    /// The two join the team, as people of finance.
    func hire(in write: Write) throws -> [OperatorID] {
        try [Self.maker, Self.approver].map { person in
            let (known, _) = try Operator.findOrCreate(
                email: person.email, name: person.name, passwordHash: nil, vault: write.vault, world: write.world, on: write.connection)
            if try TeamStore.role(of: known.id, in: write.workspace.teamID, on: write.connection) == nil {
                try TeamStore.join(known.id, write.workspace.teamID, role: .finance, at: write.world.now(), on: write.connection)
            }
            return known.id
        }
    }

    /// What happens to money on a day, after its sales.
    func pay(day: Int) async throws {
        guard notes.team.count == 2 else { return }
        let (maker, approver) = (Actor.operator_(notes.team[0]), Actor.operator_(notes.team[1]))
        if day >= Self.accountsDay, day % 4 == 0 {
            try await perform(at: instant(day: day, hour: 19, minute: 12)) { write, story in try story.giveAccounts(in: write) }
        }
        if Self.payoutDays.contains(day) {
            try await perform(at: instant(day: day, hour: 10), by: maker) { write, story in
                story.notes.payout = try Payout.make(
                    NewPayout(programID: story.notes.programID, cutoff: write.now, isDryRun: false), in: write
                ).id
            }
        }
        if Self.payoutDays.contains(day - 1), let payout = notes.payout {
            try await perform(at: instant(day: day, hour: 9), by: approver) { write, _ in _ = try Payout.approve(payout, in: write) }
            try await perform(at: instant(day: day, hour: 11), by: maker) { write, _ in _ = try Payout.dispatch(payout, in: write) }
        }
        if Self.payoutDays.contains(day - 3), let payout = notes.payout {
            let isLast = day - 3 == Self.payoutDays.last
            try await perform(at: instant(day: day, hour: 9, minute: 40), by: maker) { write, story in
                try story.hear(of: payout, oneComesBack: isLast, in: write)
            }
        }
        if day == Self.days - 1 {
            try await perform(at: instant(day: day, hour: 23, minute: 20), by: approver) { write, story in try story.holdOne(in: write) }
            try await perform(at: instant(day: day, hour: 23, minute: 30)) { write, story in try story.returnPaid(in: write) }
        }
    }

    /// Three in four say where they are paid.
    private func giveAccounts(in write: Write) throws {
        for (index, member) in notes.members.enumerated() where index % 4 != 3 && !notes.withAccount.contains(member.id) {
            let country = member.country ?? "DE"
            let name = try PersonStore.fields(of: [member.personID], [.name], vault: write.vault, on: write.connection)[member.personID]?[.name]
            let details = PayoutAccountDetails(kind: .iban, holder: name, number: DemoAccount.iban(country, random), routing: nil)
            _ = try PayoutAccount.set(details, for: member, in: write)
            notes.withAccount.insert(member.id)
        }
    }

    /// The bank's statement: all arrived, but one in the last batch.
    private func hear(of id: PayoutID, oneComesBack: Bool, in write: Write) throws {
        let payout = try Payout.find(id, in: write)
        let smallest = payout.items.min { $0.amountMinor < $1.amountMinor }?.memberID
        for (number, item) in payout.items.enumerated() {
            let comesBack = oneComesBack && item.memberID == smallest
            _ = try Payout.record(
                PayoutOutcome(
                    memberID: item.memberID, result: comesBack ? .failed : .paid,
                    reference: comesBack ? "AC04, account closed" : "MG-\(id.text.suffix(4).uppercased())-\(number + 1)"), of: id, in: write)
        }
        notes.paid += payout.items.filter { !oneComesBack || $0.memberID != smallest }.flatMap(\.commissionIDs)
    }

    /// One of the newest commissions is stopped until somebody decides.
    private func holdOne(in write: Write) throws {
        for sale in notes.sales.reversed() {
            let commissions = try CommissionStore.of(sale: sale.id, on: write.connection)
            guard let commission = commissions.first(where: { $0.state == .pending && $0.level == 0 }) else { continue }
            _ = try CommissionDecision.make(
                .hold, [commission.id], reason: "Buyer and sharer live at the same address. Ask both before it is paid.", in: write)
            return
        }
    }

    /// A sale comes back after its commission was paid, of somebody who has little else to take it from: they owe it.
    private func returnPaid(in write: Write) throws {
        var best: (sale: Sale, owed: Int64)?
        for id in notes.paid {
            guard let commission = try CommissionStore.find(id, in: write.workspace.id, on: write.connection), let saleID = commission.saleID,
                let sale = try SaleStore.find(saleID, in: write.workspace.id, on: write.connection), sale.refundedMinor == 0
            else { continue }
            let available = try Journal.balance(
                workspace: write.workspace.id.text, of: .available(commission.memberID.text), unit: commission.unit, on: write.connection)
            let owed = commission.keptMinor - max(0, -available.minor)
            if owed > best?.owed ?? 0 { best = (sale, owed) }
        }
        guard let sale = best?.sale else { return }
        var refund = NewRefund(
            invoiceID: sale.invoiceID, refundID: "R-\(sale.invoiceID)", amountMinor: nil, reason: nil, occurredAt: write.now, factsHash: [])
        refund.factsHash = refund.hash
        _ = try Refund.record(refund, in: write)
        notes.told.refunds += 1
    }
}
