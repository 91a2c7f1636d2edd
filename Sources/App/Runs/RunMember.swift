import Compensation
import Persistence
import Web

/// One member's period: rank, what is missing to the next one, volumes, legs, and lines.
struct RunMember: Sendable {
    static let legsMax = 20

    struct Leg: Sendable {
        var memberID: MemberID
        var volume: Int64
    }

    var run: Run
    var memberID: MemberID
    var statement: StoredStatement?
    /// Codes of the plan's ranks, the lowest first.
    var ranks: [String]
    /// Nil at the highest rank.
    var progress: RankProgress?
    var legs: [Leg]
    var lines: [NamedRunLine]
    /// Why other bonuses paid nothing; empty for who is not among the facts.
    var nothings: [RunNothing]

    static func load(
        _ run: Run, _ member: MemberID, linesAfter: Int? = nil, limit: Int, _ installation: Installation
    ) async throws -> RunMember {
        let archived = try await installation.archive.result(of: run.id, in: run.workspaceID, installation)
        let result = archived.result
        let number = result.facts.member(id: member.text)
        return RunMember(
            run: run, memberID: member,
            statement: try await installation.main.read { connection in try RunReading.statement(of: member, in: run.id, on: connection) },
            ranks: result.plan.ranks.map(\.code), progress: number.flatMap { result.nextRank(of: $0) },
            legs: number.map { number in
                result.legs(of: number, limit: legsMax).map { Leg(memberID: MemberID(stored: result.facts.memberId($0.head)), volume: $0.volume) }
            } ?? [],
            lines: try await RunLineList(run: run, member: member).rows(after: linesAfter, limit: limit, installation),
            nothings: try number.map { try RunNothing.all(result, member: $0) } ?? [])
    }

    func rank(_ number: Int, _ language: PageLanguage) -> String {
        number > 0 && number <= ranks.count ? ranks[number - 1] : language("run.noRank")
    }
}

extension RankProgress.Part {
    /// How much there is, in thousandths of what is needed.
    var thousandths: Int64 {
        guard need > 0 else { return 1_000 }
        return Int64(clamping: Int128(min(max(0, have), need)) * 1_000 / Int128(need))
    }

    /// The width of a bar.
    var width: String { "\(thousandths / 10).\(thousandths % 10)%" }
}
