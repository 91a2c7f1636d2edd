import Foundation
import Money
import Web

/// What a member is still owed from before Kith: given once as pay by hand, approved at once.
struct NewBalance: Sendable {
    /// Tells the same row of the same file again.
    var balanceID: String
    var member: MemberReference
    var amountMinor: Int64
    var currency: String
    var note: String?

    static func read(_ reader: JSONReader) -> NewBalance {
        NewBalance(
            balanceID: reader.text("balanceId", maximumLength: 255),
            member: reader.custom("memberId", standIn: .external("")) { value -> JSONReader.Reading<MemberReference> in
                if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                return .refused(MemberReference.allowed)
            },
            amountMinor: reader.custom("amount", standIn: 0) { value -> JSONReader.Reading<Int64> in
                guard case .number(let number) = value, let minor = number.integer, minor <= Schemas.amountMax else {
                    return .refused("Must be a whole number from 0 to \(Schemas.amountMax).")
                }
                guard minor >= 0 else {
                    return .refused("Is below zero: this member owes you. What members owe is not taken over. Write 0, and settle it with them yourself.")
                }
                return .accepted(minor)
            }, currency: reader.text("currency", maximumLength: 3), note: reader.optionalText("note", maximumLength: 200))
    }

    func apply(in program: ProgramID, _ write: Write) throws -> ImportRow.Outcome {
        guard let program = try ProgramStore.find(program, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        guard program.currency == currency else {
            throw Refusal.field("currency", "The program counts in \(program.currency). Import balances of \(currency) into a program of that currency.")
        }
        let member = try Member.find(member, field: "memberId", in: write)
        guard amountMinor > 0 else { return .known }
        let id = adjustmentID(program.id)
        if let known = try AdjustmentStore.find(id, in: write.workspace.id, on: write.connection) {
            guard known.amountMinor == amountMinor, known.memberID == member.id else {
                throw Problem.conflict(code: "already_exists", detail: "The balance \(balanceID) was taken in before with another amount or member.")
            }
            return .known
        }
        _ = try Adjustment.give(id, amountMinor: amountMinor, to: member, in: program, reason: "Opening balance \(note ?? balanceID)", write)
        return .created
    }

    /// Follows from what the row is called, so that a file taken in twice gives nothing twice.
    private func adjustmentID(_ program: ProgramID) -> AdjustmentID {
        let bytes = FactsHash.of(["opening balance", program.text, balanceID, currency])
        let high = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        let low = bytes[2..<10].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return AdjustmentID(stored: AdjustmentKind.prefix + Base32.sortable(milliseconds: 0, high: high, low: low))
    }
}
