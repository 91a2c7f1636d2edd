import Chronology
import Money
import Web

/// Plans side by side: what they cost, how it is spread, who gains and who loses.
struct LaboratoryModel: PageModel, Sendable {
    var wish: LaboratoryWish
    var outcome: LaboratoryWork.Outcome?
    var refused: String?
    var plans: [ProgramPlan]
    var runs: [Run]
    var names: PersonNames
    var csrfToken: String
    var language: PageLanguage

    private var unit: UnitCode { (outcome.flatMap { try? UnitCode($0.unit) }) ?? .points }

    var page: PageObject {
        func options(_ chosen: PlanID?) -> PageValue {
            PageValue(plans.map { ["id": .text($0.id.text), "name": .text($0.name), "selected": .flag($0.id == chosen)] as PageObject })
        }
        return [
            "csrfToken": .text(csrfToken), "hasPlans": .flag(!plans.isEmpty), "isEmpty": .flag(plans.isEmpty), "lead": lead,
            "refused": PageValue(refused), "plans": options(wish.plan ?? plans.first?.id), "others": options(wish.other),
            "document": .text(wish.document), "percent": .text(wish.typed["percent"] ?? String(wish.percent)),
            "members": .text(wish.typed["members"] ?? String(wish.members)), "seed": .text(wish.typed["seed"] ?? String(wish.seed)),
            "percentError": PageValue(wish.errors["percent"]), "membersError": PageValue(wish.errors["members"]),
            "seedError": PageValue(wish.errors["seed"]), "replay": .flag(wish.replays),
            "runs": PageValue(
                runs.map {
                    ["id": .text($0.id.text), "name": .text(RunPeriod.text($0, language)), "selected": .flag($0.id == wish.run)] as PageObject
                }), "hasTrial": .flag(outcome != nil), "unit": .text(outcome?.unit ?? ""),
            "entries": PageValue((outcome?.trial.entries ?? []).enumerated().map { entry($0.offset, $0.element) }),
            "hasSensitivity": .flag(!(outcome?.sensitivity ?? []).isEmpty),
            "sensitivity": PageValue(
                (outcome?.sensitivity ?? []).map { row -> PageObject in
                    [
                        "percent": .text(language.percent(ppm: Int64(row.percent) * 10_000, decimals: 0)), "total": .text(language.amount(row.totalMinor, unit)),
                        "share": .text(share(row.totalMinor)),
                    ]
                }), "hasReplays": .flag(!(outcome?.replays ?? []).isEmpty), "planNames": PageValue((outcome?.trial.entries ?? []).map(\.name)),
            "replays": PageValue(
                (outcome?.replays ?? []).map { replay -> PageObject in
                    [
                        "period": .text(RunPeriod.text(replay.run, language)), "url": .text("/runs/\(replay.run.id.text)"),
                        "posted": .text(language.amount(replay.run.totalMinor, unit)),
                        "totals": PageValue(replay.totals.map { language.amount($0, unit) }),
                    ]
                }),
        ]
    }

    private var lead: PageValue {
        guard let trial = outcome?.trial, let first = trial.entries.first else { return language.sentence("laboratory.lead.start") }
        let values = [
            "first": first.name, "share": share(first.totalMinor), "people": language.integer(Int64(trial.promoters)),
            "orders": language.integer(Int64(trial.orders)), "ms": language.integer(trial.entries.reduce(0) { $0 + $1.msPerRun }),
        ]
        guard trial.entries.count > 1, let last = trial.entries.last else { return language.sentence("laboratory.lead.one", values) }
        return language.sentence(
            "laboratory.lead.two", values.merging(["last": last.name, "lastShare": share(last.totalMinor)]) { one, _ in one })
    }

    private func share(_ total: Int64) -> String {
        let volume = outcome?.trial.volumeMinor ?? 0
        return volume > 0 ? language.percent(ppm: Int64(clamping: Int128(total) * 1_000_000 / Int128(volume)), decimals: 2) : "–"
    }

    private func entry(_ place: Int, _ entry: LaboratoryTrial.Entry) -> PageObject {
        let spread = entry.spread.json
        return [
            "id": .text("plan-\(place)"), "name": .text(entry.name), "total": .text(language.money(entry.totalMinor, unit)),
            "share": .text(language("laboratory.share", ["share": share(entry.totalMinor)])), "payees": .text(language.integer(Int64(entry.payees))),
            "breakage": .text(language.money(entry.breakageMinor, unit)), "capped": .text(language.money(entry.cappedMinor, unit)),
            "median": .text(language.money(RunModel.quantile(spread, 50), unit)), "top": .text(language.money(spread["highest"]?.wholeNumber ?? 0, unit)),
            "gini": .text(language.percent(ppm: (spread["gini"]?.wholeNumber ?? 0) * 1_000, decimals: 0)),
            "chartHTML": .html(LorenzChart.svg(spread, label: language("run.spread.chart"))), "isFirst": .flag(place == 0),
            "gain": place == 0 ? nil : change("gain", entry.gain), "lose": place == 0 ? nil : change("lose", entry.lose),
            "ranks": PageValue(
                entry.ranks.map { rank -> PageObject in
                    [
                        "name": .text(rank.name.isEmpty ? language("run.noRank") : rank.name), "people": .text(language.integer(Int64(rank.people))),
                        "amount": .text(language.amount(rank.amountMinor, unit)),
                    ]
                }),
        ]
    }

    private func change(_ key: String, _ change: LaboratoryTrial.Change) -> PageValue {
        [
            "label": .text(language.plural("laboratory.\(key)", Int64(change.people), ["amount": language.money(change.amountMinor, unit)])),
            "people": PageValue(
                change.largest.map { row -> PageObject in
                    let name = outcome?.isGenerated == false ? names.member(MemberID(stored: row.memberID), language) : String(row.memberID.prefix(12))
                    return [
                        "name": .text(name), "before": .text(language.amount(row.before, unit)), "after": .text(language.amount(row.after, unit)),
                    ]
                }),
        ]
    }
}
