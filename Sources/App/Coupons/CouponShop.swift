import Chronology
import Persistence
import Web

/// A shop system in which Kith makes a coupon's codes as well, and whose uses it reads back.
enum ShopVendor: String, Sendable, CaseIterable { case stripe, shopify }

struct CouponShop: Sendable {
    static let secretLengthMax = 500
    /// Between two looks for new codes and uses.
    static let lookMs: Int64 = 300_000
    /// Codes that begin in one look, and calls in one turn.
    static let codesPerLookMax = 500
    static let callsPerTurnMax = 20
    /// Refusals of ourselves and silences before a code counts as failed; it is tried again when a person says so.
    static let triesMax: Int64 = 10

    var vendor: ShopVendor
    var shop: String
    var secret: String
    var troubleCode: String?
    var createdAt: Instant
    var updatedAt: Instant

    var json: JSONValue {
        [
            "vendor": .text(vendor.rawValue), "shop": .text(shop), "troubleCode": troubleCode.map { .text($0) } ?? .null,
            "createdAt": .text(createdAt.rfc3339), "updatedAt": .text(updatedAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("vendor", .enumeration(ShopVendor.allCases.map(\.rawValue))), .required("shop", .text), .required("troubleCode", .nullable(.text)),
        .required("createdAt", .dateTime), .required("updatedAt", .dateTime),
    ])
}

/// How a code stands with a vendor.
struct CodeSync: Sendable {
    enum State: String, Sendable, CaseIterable { case waiting, synced, failed, ending, ended }

    var codeID: CouponCodeID
    var vendor: ShopVendor
    var workspaceID: WorkspaceID
    var couponID: CouponID
    var state: State
    var remoteID: String?
    var reason: String?
    var tries: Int64
    var dueAt: Instant?
    var remoteUses: Int64
    var updatedAt: Instant

    func json(code: String) -> JSONValue {
        [
            "codeId": .text(codeID.text), "code": .text(code), "vendor": .text(vendor.rawValue), "state": .text(state.rawValue),
            "remoteId": remoteID.map { .text($0) } ?? .null, "reason": reason.map { .text($0) } ?? .null, "remoteUses": .integer(remoteUses),
            "updatedAt": .text(updatedAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("codeId", .text), .required("code", .text), .required("vendor", .enumeration(ShopVendor.allCases.map(\.rawValue))),
        .required("state", .enumeration(State.allCases.map(\.rawValue))), .required("remoteId", .nullable(.text)),
        .required("reason", .described(.nullable(.text), description: "Why it failed or waits: a code of Kith's or the vendor's.")),
        .required("remoteUses", .integer()), .required("updatedAt", .dateTime),
    ])
}

extension CouponShop {
    /// Connects a vendor, or changes its secret.
    static func connect(_ vendor: ShopVendor, shop: String?, secret: String, seal: RailSeal, in write: Write) throws -> CouponShop {
        let host: String
        switch vendor {
        case .stripe:
            let isTestKey = secret.hasPrefix("sk_test_") || secret.hasPrefix("rk_test_")
            guard isTestKey || secret.hasPrefix("sk_live_") || secret.hasPrefix("rk_live_") else {
                throw Refusal.field("secret", "Must be a secret or restricted key of Stripe's: sk_ or rk_.")
            }
            guard isTestKey == write.workspace.isTest else {
                throw Refusal.field("secret", write.workspace.isTest ? "A test workspace takes a test key (sk_test_) alone." : "Must be a live key (sk_live_).")
            }
            host = ""
        case .shopify:
            host = (shop ?? "").lowercased()
            let name = host.hasSuffix(".myshopify.com") ? host.dropLast(".myshopify.com".count) : ""
            guard (1...60).contains(name.utf8.count), name.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }) else {
                throw Refusal.field("shop", "Must be the shop's own host, such as your-shop.myshopify.com.")
            }
            guard secret.utf8.count >= 10, secret.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Refusal.field("secret", "Must be the access token of an app of your shop with write_discounts.")
            }
        }
        let connected = CouponShop(vendor: vendor, shop: host, secret: secret, createdAt: write.now, updatedAt: write.now)
        try CouponShopStore.put(connected, in: write.workspace.id, seal: seal, on: write.connection)
        // What failed for want of the right secret goes on.
        try CodeSyncStore.wake(vendor, in: write.workspace.id, at: write.world.now(), on: write.connection)
        try write.audit("couponShop.connect", subject: vendor.rawValue)
        return try CouponShopStore.find(vendor, in: write.workspace.id, seal: seal, on: write.connection) ?? connected
    }

    /// What is there stays there; Kith neither makes nor reads anything any more.
    static func disconnect(_ vendor: ShopVendor, in write: Write) throws {
        guard try CouponShopStore.delete(vendor, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("couponShop") }
        try write.audit("couponShop.disconnect", subject: vendor.rawValue)
    }

    /// From now on the coupon's codes are made at the vendor too. Said again, what failed is tried again.
    static func sync(_ id: CouponID, with vendor: ShopVendor, in write: Write) throws {
        let coupon = try Coupon.find(id, in: write)
        guard try CouponShopStore.isConnected(vendor, in: write.workspace.id, on: write.connection) else {
            throw Problem.conflict(code: "not_connected", detail: "Connect \(vendor.rawValue) first: PUT /coupon-shops/\(vendor.rawValue).")
        }
        if let reason = vendor.whyNot(coupon.kind) { throw Problem.conflict(code: "not_in_shop", detail: reason) }
        guard coupon.state == .active else { throw Problem.conflict(code: "coupon_ended", detail: "The coupon has ended. Make another one.") }
        try CodeSyncStore.begin(coupon, vendor, at: write.world.now(), on: write.connection)
        try write.audit("coupon.sync", subject: id.text, JSONText(["vendor": .text(vendor.rawValue)]))
    }

    /// Counts uses that the vendor told of and no sale has named. A sale that comes later takes such a use for its own.
    static func note(_ uses: Int64, of known: CodeSync, in write: Write) throws {
        guard var sync = try CodeSyncStore.find(known.codeID, known.vendor, on: write.connection), uses > sync.remoteUses else { return }
        let before = sync.remoteUses
        let told = try CodeSyncStore.remoteUses(of: sync.codeID, on: write.connection)
        sync.remoteUses = uses
        sync.updatedAt = write.now
        try CodeSyncStore.update(sync, on: write.connection)
        guard let code = try CouponCodeStore.find(sync.codeID, in: sync.workspaceID, on: write.connection) else { return }
        // Each shop has uses of its own. Of what is new here, sales that no shop has told of yet are the first; they may have come back since.
        let known = max(0, code.uses + code.returnedUses - told)
        var number = before + min(uses - before, known)
        while number < uses, let coupon = try CouponStore.find(sync.couponID, in: sync.workspaceID, on: write.connection),
            let now = try CouponCodeStore.find(sync.codeID, in: sync.workspaceID, on: write.connection)
        {
            // Beyond Kith's own limits nothing is counted: the vendor let it through.
            if let most = coupon.usesLimit, coupon.uses >= most { break }
            number += 1
            let worth = coupon.kind == .fixed ? coupon.amountMinor ?? 0 : 0
            let discount = min(worth, coupon.budgetMinor.map { max(0, $0 - coupon.spentMinor) } ?? worth)
            let judged = CouponCode.Judged(code: now, coupon: coupon, discountMinor: discount)
            _ = try judged.redeem(invoice: "\(CouponUse.toldPrefix)\(sync.vendor.rawValue):\(number)", sale: nil, customer: nil, in: write)
        }
    }
}

extension ShopVendor {
    /// Why a kind of coupon cannot be made there.
    func whyNot(_ kind: Coupon.Kind) -> String? {
        switch (self, kind) {
        case (_, .storeCredit): "Store credit is spent bit by bit, which neither Stripe's nor Shopify's codes can do. Use Kith's own calls."
        case (.stripe, .freeShipping): "Stripe has no coupon for shipping. Use Shopify, or Kith's own calls."
        default: nil
        }
    }
}

extension CouponUse {
    /// Of a use that a vendor told of, before a sale names it.
    static let toldPrefix = "told:"
    /// Behind all that begin with it.
    static let toldEnd = "told;"
}
