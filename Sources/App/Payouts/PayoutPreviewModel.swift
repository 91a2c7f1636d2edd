import Chronology
import Money
import Web

/// Who would be paid, who would not and why: a run that was taken back.
struct PayoutPreviewModel: PageModel {
    var payout: Payout
    var program: Program
    var kinds: PayoutPages.PayoutKinds
    var names: PersonNames
    var csrfToken: String
    var language: PageLanguage

    var page: PageObject {
        let items = payout.items
        let total = language.money(payout.totalMinor, payout.unit)
        let values = ["amount": total, "program": program.name]
        return [
            "csrfToken": .text(csrfToken), "programId": .text(program.id.text), "unitCode": .text(payout.unit.code), "kinds": .text(kinds.rawValue),
            "cutoff": .text(payout.cutoff.rfc3339),
            "lead": items.isEmpty
                ? language.sentence("payoutPreview.lead.none", values)
                : language.sentence("payoutPreview.lead.some", count: Int64(items.count), values),
            "cutoffAt": language.time(payout.cutoff), "program": .text(program.name), "unit": .text(payout.unit.code),
            "hasItems": .flag(!items.isEmpty), "total": .text(language.amount(payout.totalMinor, payout.unit)),
            "items": PageValue(
                items.prefix(PayoutPages.previewRowsMax).map { item in
                    person(item.memberID, item.amountMinor).merging([
                        "commissions": .text(language.plural("payoutPreview.commissions", Int64(item.commissionIDs.count)))
                    ])
                }), "itemsLeft": left(items.count),
            "hasExcluded": .flag(!payout.excluded.isEmpty),
            "excluded": PageValue(
                payout.excluded.prefix(PayoutPages.previewRowsMax).map { excluded in
                    person(excluded.memberID, excluded.amountMinor).merging(["why": .text(excluded.reason.words(payout, program, language))])
                }), "excludedLeft": left(payout.excluded.count),
            "submit": .text(language("payoutPreview.submit", values)),
        ]
    }

    private func person(_ id: MemberID, _ amountMinor: Int64) -> PageObject {
        let name = names.member(id, language)
        return ["name": .text(name), "initials": .text(Initials.of(name)), "amount": .text(language.amount(amountMinor, payout.unit))]
    }

    private func left(_ count: Int) -> PageValue {
        count > PayoutPages.previewRowsMax ? .text(language.plural("payoutPreview.left", Int64(count - PayoutPages.previewRowsMax))) : nil
    }
}

extension Payout.Exclusion.Reason {
    /// Why somebody is not paid by a batch, in a person's language.
    func words(_ payout: Payout, _ program: Program, _ language: PageLanguage) -> String {
        language("payoutPreview.why.\(rawValue)", ["minimum": language.money(program.settings.minimumPayoutMinor, payout.unit)])
    }
}
