import Chronology
import Logging
import Persistence
import Web

extension Installation {
    /// Workspaces whose names are brought into the index in one round.
    private static let indexedAtOnceMax = 20

    /// Does all work that is due in a workspace, as its clock goes.
    func doDueWork(in workspace: WorkspaceID) async throws {
        try await applyClicks()
        try await placeWaiting()
        while try await write(workspace, actor: .system("approvals"), { write in try Commission.approveDue(in: write) })
            == Commission.approvalsMax
        {}
        while try await write(workspace, actor: .system("rewards"), { write in try Reward.advanceDue(in: write) }) == Reward.dueMax {}
        while try await write(workspace, actor: .system("coupons"), { write in try CouponCode.expireDue(in: write) }) == CouponCode.expiredAtOnceMax {}
        while try await write(workspace, actor: .system("coupons"), { write in try Welcome.giveDue(in: write) }) > 0 {}
        try await lookAtLadders(in: workspace)
        while try await write(workspace, actor: .system("standing"), { write in try Standing.checkDue(in: write) }) == Standing.checksMax {}
        while try await write(workspace, actor: .system("parties"), { write in try Party.settleDue(in: write) }) == Party.settledMax {}
        let forgotten = try await write(workspace, actor: .system("parties")) { write in try PartyGuest.forgetDue(in: write) }
        if !forgotten.isEmpty { try await finishErasing(forgotten) }
        while try await write(workspace, actor: .system("occasions"), { write in try Occasion.writeDue(in: write) }) > 0 {}
        let addresses = SurveyLink.Addresses(self, of: workspace)
        while try await write(workspace, actor: .system("surveys"), { write in try SurveyAsk.askDue(addresses: addresses, in: write) }) > 0 {}
        while try await write(workspace, actor: .system("wallets"), { write in try Wallet.lapseDue(in: write) }) == Wallet.lapsesMax {}
        try await handleDueInbound(in: workspace)
        try await indexNames(in: workspace)
        try await fanOutEvents(in: workspace)
        do {
            try await countInsights(in: workspace)
        } catch let failure as DatabaseFailure {
            // Counts are worked out from what is written already: those that can't be made now are made later, and nothing waits for them.
            logger.error("Counts wait", metadata: ["workspace": "\(workspace)", "failure": "\(failure)"])
        }
    }

    private func indexNames(in workspace: WorkspaceID) async throws {
        _ = try await write(workspace, actor: .system("names")) { write in try NameIndex.fill(in: write) }
    }

    /// Does all work that is due anywhere. Called every second or so by the worker, and by `kith jobs run`.
    func doDueWork() async throws {
        do {
            try await keepKeys()
        } catch let failure as DatabaseFailure {
            // The store of keys may be away for a while: what needs none goes on.
            logger.error("Keys could not be kept", metadata: ["failure": "\(failure)"])
        }
        try await applyClicks()
        let uses = callers.takeUses()
        if !uses.isEmpty { try await writeAnywhere { connection in try APIKeyStore.setUsed(uses, on: connection) } }
        let now = world.now()
        let workspaces = try await main.read { connection in try DueStore.workspaces(now: now, on: connection) }
        for workspace in workspaces {
            do {
                try await doDueWork(in: workspace)
            } catch let problem as Problem {
                // One workspace's trouble is not the others'.
                logger.error("Due work failed", metadata: ["workspace": "\(workspace)", "problem": "\(problem.code)"])
            }
        }
        try await placeWaiting()
        try await lookAtLadders()
        try await handleDueInbound()
        for workspace in try await main.read({ connection in try NameIndexStore.workspaces(limit: Self.indexedAtOnceMax, on: connection) }) {
            try await indexNames(in: workspace)
        }
        if let before = try? now.adding(milliseconds: -PartnerInvitation.restMs) {
            for workspace in try await main.read({ connection in try PartnerInvitationStore.workspacesDue(before: before, on: connection) }) {
                try await write(workspace, actor: .system("invitations")) { write in try PartnerInvitation.forgetDue(in: write) }
            }
        }
        try await fanOutEvents()
        try await countInsights()
        try await resumeRuns()
        try await resumeImports()
        try await expireInbound()
        try await expireReconciliations()
        if let before = try? now.adding(milliseconds: -IdempotencyRows.keptMs) {
            _ = try await writeAnywhere { connection in try IdempotencyRows.forget(before: before, on: connection) }
        }
    }
}

enum DueStore {
    /// Workspaces with commissions or rewards past their hold, codes past their time or owed to those who share, something in wallets past its day, parties to settle or to forget the guests
    /// of, letters about events to write, or people to ask.
    static func workspaces(now: Instant, on connection: any Connection) throws -> [WorkspaceID] {
        try connection.rows(
            """
            SELECT w.id FROM workspace w WHERE EXISTS (
                SELECT 1 FROM commission c WHERE c.workspace_id = w.id AND c.state = 'pending' AND c.hold_until <= \(now) + coalesce(w.test_ahead_ms, 0))
                OR EXISTS (SELECT 1 FROM reward r WHERE r.workspace_id = w.id AND r.state IN ('pending', 'checking') AND r.due_at <= \(now) + coalesce(w.test_ahead_ms, 0))
                OR EXISTS (
                    SELECT 1 FROM coupon_code k WHERE k.workspace_id = w.id AND k.state IN ('issued', 'reserved') AND k.expires_at IS NOT NULL
                        AND k.expires_at <= \(now) + coalesce(w.test_ahead_ms, 0))
                OR EXISTS (SELECT 1 FROM wallet_lot l WHERE l.workspace_id = w.id AND l.remaining > 0 AND l.expires_at <= \(now) + coalesce(w.test_ahead_ms, 0))
                OR EXISTS (SELECT 1 FROM standing_check k WHERE k.workspace_id = w.id AND k.due_at <= \(now) + coalesce(w.test_ahead_ms, 0))
                OR EXISTS (
                    SELECT 1 FROM party p WHERE p.workspace_id = w.id AND p.settled_at IS NULL AND p.canceled_at IS NULL
                        AND p.settles_at <= \(now) + coalesce(w.test_ahead_ms, 0))
                OR EXISTS (
                    SELECT 1 FROM party_guest g JOIN party p ON p.id = g.party_id WHERE p.workspace_id = w.id
                        AND g.forget_at <= \(now) + coalesce(w.test_ahead_ms, 0))
                OR EXISTS (SELECT 1 FROM friend_page f WHERE f.workspace_id = w.id AND f.coupon_cursor IS NOT NULL)
                OR EXISTS (SELECT 1 FROM occasion o WHERE o.workspace_id = w.id AND o.invited_at IS NULL)
                OR EXISTS (
                    SELECT 1 FROM occasion o WHERE o.workspace_id = w.id AND o.reminded_at IS NULL
                        AND o.starts_at <= \(now) + coalesce(w.test_ahead_ms, 0) + \(Occasion.reminderMs))
                OR EXISTS (
                    SELECT 1 FROM survey s WHERE s.workspace_id = w.id AND s.look_at IS NOT NULL
                        AND s.look_at <= \(now) + coalesce(w.test_ahead_ms, 0))
            ORDER BY w.id
            """
        ).map { try $0.get(at: 0) }
    }
}
