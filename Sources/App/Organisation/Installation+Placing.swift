import Chronology
import Compensation
import HTTPTypes
import Persistence
import PlanLanguage
import Web

extension Installation {
    /// Members placed by one look.
    static let placingsMax = 200

    /// Gives everybody whose time in the holding tank is up a place by the tree's rule: one after the other, in the order of enrolment,
    /// each on the tree with the one before. The tree is read beside the writes; the place is checked again when it is taken.
    func placeWaiting() async throws {
        let now = world.now()
        let due = try await main.read { connection in try HoldingTankStore.due(now: now, limit: Self.placingsMax, on: connection) }
        for (workspace, waiting) in due {
            do {
                let place = try await main.read { connection in try PlaceSearch(waiting, in: workspace, at: now, on: connection).found() }
                try await write(workspace, actor: .system("placements")) { write in
                    guard let place else { return try HoldingTankStore.remove(waiting.memberID, waiting.programID, waiting.tree, on: write.connection) }
                    _ = try Placement.move(
                        NewPlacement(
                            member: .id(waiting.memberID), programID: waiting.programID, tree: waiting.tree, parent: .id(place.parent),
                            slot: place.slot, effectiveAt: write.now), in: write)
                }
            } catch let problem as Problem where problem.status.code < 500 {
                let later = try now.adding(milliseconds: 60_000)
                try await write(workspace, actor: .system("placements")) { write in
                    try HoldingTankStore.postpone(waiting, until: max(later, write.now), on: write.connection)
                    try write.audit("member.place_postponed", subject: waiting.memberID.text, JSONText(["code": .text(problem.code)]))
                }
            }
        }
    }
}

enum PlanZone {
    static func offsets(_ program: Program) throws -> ZoneOffsets {
        guard let zone = ZoneOffsets.system(program.zone.name) else { throw Refusal.field("timezone", "The zone data has no \(program.zone.name).") }
        return zone
    }
}

/// Looks for the place of a waiting member below their enroller.
struct PlaceSearch {
    /// Members looked at below one enroller.
    static let nodesMax = 50_000
    private static let batch = 500

    private let waiting: WaitingMember
    private let workspace: WorkspaceID
    private let now: Instant
    private let connection: any Connection

    init(_ waiting: WaitingMember, in workspace: WorkspaceID, at realNow: Instant, on connection: any Connection) throws {
        self.waiting = waiting
        self.workspace = workspace
        self.connection = connection
        let ahead = try WorkspaceStore.find(workspace, on: connection)?.testAheadMs ?? 0
        now = try realNow.adding(milliseconds: ahead)
    }

    /// Nil when nobody enrolled them, or the tree has no rules any more.
    func found() throws -> (parent: MemberID, slot: Int64)? {
        guard let policy = try TreePolicyStore.find(waiting.programID, waiting.tree, on: connection),
            let enroller = try PlacementStore.enroller(of: waiting.memberID, on: connection),
            try MemberStore.isEnrolled(enroller, in: waiting.programID, on: connection)
        else { return nil }
        var tree = PlacementTree(width: policy.width, depth: policy.depth == 0 ? nil : policy.depth)
        let sponsor = try tree.add(enroller.text, below: nil)
        try fill(&tree, sponsor, policy)
        do {
            let place = try tree.place(below: sponsor, policy.engineRule)
            return (MemberID(stored: tree.nodes[place.parent].id), Int64(place.slot))
        } catch {
            throw Problem.unprocessable(code: "tree_full", detail: "There is no free place below \(enroller.text) in the tree \(waiting.tree).")
        }
    }

    /// Level by level, until a level has a free place; rules that compare legs read all of them.
    private func fill(_ tree: inout PlacementTree, _ sponsor: Int, _ policy: TreePolicy) throws {
        let stopsEarly = policy.rule == .firstEmpty || policy.rule == .leastFilled
        var level = [sponsor]
        while !level.isEmpty, tree.nodes.count < Self.nodesMax {
            var next: [Int] = []
            for first in stride(from: 0, to: level.count, by: Self.batch) {
                let part = level[first..<min(first + Self.batch, level.count)]
                let nodeOf = Dictionary(part.map { (tree.nodes[$0].id, $0) }, uniquingKeysWith: { first, _ in first })
                for child in try PlacementStore.children(
                    of: part.map { tree.nodes[$0].id }, in: waiting.programID, waiting.tree, at: now, on: connection)
                {
                    guard let parent = nodeOf[child.parent.text] else { continue }
                    let slot = child.slot.flatMap { (1...Int64(policy.width)).contains($0) ? Int($0) : nil } ?? tree.freeSlot(of: parent)
                    guard let slot, tree.child(of: parent, slot: slot) == nil else { continue }
                    next.append(try tree.add(child.member.text, below: parent, slot: slot, groupVolume: try volume(of: child.member, parent == sponsor, policy)))
                }
            }
            if stopsEarly, level.contains(where: { tree.childCount(of: $0) < policy.width }) { return }
            level = next
        }
    }

    /// The group volume of a leg of the enroller's, as the last run of the program found it.
    private func volume(of member: MemberID, _ isLeg: Bool, _ policy: TreePolicy) throws -> Int64 {
        guard isLeg, policy.rule == .weaker || policy.rule == .stronger else { return 0 }
        guard let run = try RunStore.newestComputed(of: waiting.programID, on: connection) else { return 0 }
        return try RunReading.statement(of: member, in: run, on: connection)?.groupVolume ?? 0
    }
}
