import Chronology
import Logging
import Persistence
import ServiceLifecycle
import Web

/// Makes codes at the vendors, ends those that nobody can use any more, and reads how often they were used. Whatever is asked stands in the
/// database first, and is asked again under the same key until the vendor has answered.
struct CouponShopWorker: Service {
    static let pauseMs = 1_000
    static let looksPerTurnMax = 10

    let installation: Installation

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                try await workDue()
            } catch {
                installation.logger.error("Codes in shops could not be looked at; it is tried again", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMs))
        }
    }

    /// Until nothing is due.
    func workDue() async throws {
        while try await turn(), !Task.isCancelled {}
    }

    private func turn() async throws -> Bool {
        let now = installation.world.now()
        let (looks, due) = try await installation.main.read { connection in
            (
                try CodeSyncStore.looks(at: now, limit: Self.looksPerTurnMax, on: connection),
                try CodeSyncStore.due(at: now, limit: CouponShop.callsPerTurnMax, on: connection)
            )
        }
        for look in looks { try await serve(look) }
        for sync in due { try await serve(sync) }
        return !looks.isEmpty || !due.isEmpty
    }

    // MARK: A coupon

    private func serve(_ look: CodeSyncStore.Look) async throws {
        let seal = installation.railSeal
        // Nobody else looks meanwhile; a process that dies is followed after the pause.
        let found = try await installation.write(look.workspace, actor: .system("coupons")) { write -> (Coupon, CouponShop)? in
            try CodeSyncStore.setLook(look.coupon, look.vendor, at: try write.world.now().adding(milliseconds: CouponShop.lookMs), on: write.connection)
            try CodeSyncStore.gather(look, at: write.world.now(), limit: CouponShop.codesPerLookMax, on: write.connection)
            guard let coupon = try CouponStore.find(look.coupon, in: look.workspace, on: write.connection),
                let shop = try CouponShopStore.find(look.vendor, in: look.workspace, seal: seal, on: write.connection)
            else { return nil }
            return (coupon, shop)
        }
        guard let (coupon, shop) = found else { return }
        try await readUses(of: coupon, shop, look)
    }

    private func readUses(of coupon: Coupon, _ shop: CouponShop, _ look: CodeSyncStore.Look) async throws {
        var told: [String: Int64]?
        if shop.vendor == .stripe {
            guard look.isMade else { return }
            told = await stripe(shop).uses(of: coupon.id)
            if told == nil { return }
        }
        var after = ""
        while true {
            let start = after
            let made = try await installation.main.read { connection in
                try CodeSyncStore.made(of: coupon.id, shop.vendor, after: start, limit: ShopifyDiscounts.askedMax, on: connection)
            }
            guard let last = made.last else { return }
            after = last.codeID.text
            var uses = told
            if shop.vendor == .shopify { uses = await shopify(shop).uses(of: made.compactMap(\.remoteID)) }
            guard let uses else { return }
            let news = made.compactMap { sync -> (CodeSync, Int64)? in
                guard let count = sync.remoteID.flatMap({ uses[$0] }), count > sync.remoteUses else { return nil }
                return (sync, count)
            }
            guard !news.isEmpty else { continue }
            try await installation.write(look.workspace, actor: .system("coupons")) { write in
                for (sync, count) in news { try CouponShop.note(count, of: sync, in: write) }
            }
        }
    }

    // MARK: A code

    private func serve(_ known: CodeSync) async throws {
        let seal = installation.railSeal
        let found = try await installation.write(known.workspaceID, actor: .system("coupons")) { write -> (CodeSync, ShopCode, CouponShop)? in
            guard var sync = try CodeSyncStore.find(known.codeID, known.vendor, on: write.connection), let due = sync.dueAt, due <= write.world.now() else { return nil }
            sync.tries += 1
            sync.dueAt = try write.world.now().adding(milliseconds: RailPace.leaseMs)
            let code = try CouponCodeStore.find(sync.codeID, in: sync.workspaceID, on: write.connection)
            let coupon = try CouponStore.find(sync.couponID, in: sync.workspaceID, on: write.connection)
            let shop = try CouponShopStore.find(sync.vendor, in: sync.workspaceID, seal: seal, on: write.connection)
            guard let code, let coupon, let shop else {
                (sync.dueAt, sync.reason) = (nil, "notConnected")
                if sync.state == .waiting { sync.state = .failed }
                try CodeSyncStore.update(sync, on: write.connection)
                return nil
            }
            try CodeSyncStore.update(sync, on: write.connection)
            return (sync, ShopCode(code: code, coupon: coupon), shop)
        }
        guard let (sync, wanted, shop) = found else { return }
        let answer = await ask(sync, wanted, shop)
        try await installation.write(sync.workspaceID, actor: .system("coupons")) { write in try Self.record(answer, sync, in: write) }
    }

    private func ask(_ sync: CodeSync, _ wanted: ShopCode, _ shop: CouponShop) async -> ShopAnswer {
        switch (shop.vendor, sync.state == .ending ? sync.remoteID : nil) {
        case (.stripe, let remoteID?): return await stripe(shop).end(remoteID)
        case (.shopify, let remoteID?): return await shopify(shop).end(remoteID)
        case (.shopify, nil): return await shopify(shop).make(wanted, now: installation.world.now().rfc3339)
        case (.stripe, nil):
            let isMade = try? await installation.main.read { connection in
                try CodeSyncStore.isMade(sync.couponID, .stripe, on: connection)
            }
            if isMade != true {
                let answer = await stripe(shop).makeCoupon(wanted.coupon)
                guard case .done = answer.verdict else { return answer }
                do {
                    try await installation.write(sync.workspaceID, actor: .system("coupons")) { write in
                        try CodeSyncStore.setMade(sync.couponID, .stripe, on: write.connection)
                    }
                } catch {
                    return .silent("noAnswer")
                }
            }
            return await stripe(shop).makeCode(wanted)
        }
    }

    private static func record(_ answer: ShopAnswer, _ known: CodeSync, in write: Write) throws {
        guard var sync = try CodeSyncStore.find(known.codeID, known.vendor, on: write.connection) else { return }
        let now = write.world.now()
        sync.updatedAt = now
        sync.reason = answer.reason.map { String($0.prefix(100)) }
        switch answer.verdict {
        case .done(let remoteID):
            sync.remoteID = remoteID
            (sync.state, sync.dueAt, sync.tries) = (known.state == .ending ? .ended : .synced, nil, 0)
        case .refused:
            // What cannot be ended there is said, and left: people look.
            (sync.state, sync.dueAt) = (.failed, nil)
        case .later(let retryAfterMs):
            if answer.isTrouble || sync.tries >= CouponShop.triesMax {
                (sync.state, sync.dueAt) = (.failed, nil)
            } else {
                sync.dueAt = try now.adding(milliseconds: RailPace.pauseMs(afterTries: sync.tries, retryAfterMs: retryAfterMs))
            }
        }
        try CodeSyncStore.update(sync, on: write.connection)
        try CouponShopStore.setTrouble(answer.isTrouble ? answer.reason : nil, sync.vendor, in: sync.workspaceID, on: write.connection)
    }

    // MARK: Vendors

    private var client: RailClient { RailClient(outbound: installation.outbound, timeoutMs: installation.settings.railTimeoutMs) }

    private func stripe(_ shop: CouponShop) -> StripeCoupons {
        StripeCoupons(client: client, base: installation.settings.stripeURL ?? "https://api.stripe.com", secret: shop.secret)
    }

    private func shopify(_ shop: CouponShop) -> ShopifyDiscounts {
        ShopifyDiscounts(client: client, base: installation.settings.shopifyURL ?? "https://\(shop.shop)", secret: shop.secret)
    }
}
