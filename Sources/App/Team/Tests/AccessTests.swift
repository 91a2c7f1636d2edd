import Chronology
import HTTPTypes
import Persistence
import Testing
import TestSupport
import Web

@testable import App

/// Who may do what: rights observed are rights documented.
@Suite struct AccessTests {
    /// Every operation with every role's key: refused with 403 exactly when the table of roles has no such right.
    @Test(arguments: Engine.allCases) func everyOperationAndRole(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            var keys: [Role: String] = [:]
            for role in Role.allCases {
                keys[role] = try await app.post("/api-keys", ["name": .text(role.rawValue), "role": .text(role.rawValue)])["secretKey"].text
            }
            var checked = 0
            let operations = app.operations.filter { $0.access != .embedToken }
            for operation in operations {
                for role in Role.allCases {
                    let reply = try await app.tryOut(operation, as: keys[role])
                    let isAllowed = operation.access.right.map { role.may($0) } ?? true
                    #expect((reply.status == 403) == !isAllowed, "\(operation.id) as \(role): \(reply.status) \(reply.text.prefix(200))")
                    #expect(reply.status != 401 && reply.status < 500, "\(operation.id) as \(role): \(reply.status) \(reply.text.prefix(200))")
                    checked += 1
                }
            }
            #expect(checked == operations.count * Role.allCases.count)
        }
    }

    @Test(arguments: Engine.allCases) func publishableKeysOnlyWhereBrowsersCall(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            for operation in app.operations {
                let reply = try await app.tryOut(operation, as: app.publishableKey)
                switch operation.access {
                case .embedToken: #expect(reply.status == 401, "\(operation.id): \(reply.status)")
                case .browser, .anyone: #expect(reply.status != 403 && reply.status != 401, "\(operation.id): \(reply.status)")
                case .right: #expect(reply.status == 403, "\(operation.id): \(reply.status)")
                }
            }
            let browser = app.operations.filter { if case .browser = $0.access { true } else { false } }.map(\.path)
            #expect(Set(browser).isSuperset(of: ["/track/click", "/track/lead"]))
            #expect(!browser.contains("/track/sale"))
        }
    }

    @Test(arguments: Engine.allCases) func nobodyWithoutAKey(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            for operation in app.operations where operation.access.right != nil {
                for key in [nil, "", "kith_sk_wrong", "kith_sk_" + String(repeating: "0", count: 300)] as [String?] {
                    let reply = try await app.tryOut(operation, as: key)
                    #expect(reply.status == 401, "\(operation.id) with \(key ?? "no key"): \(reply.status)")
                }
            }
        }
    }

    @Test(arguments: Engine.allCases) func aRevokedKeyStopsWithinASecond(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let made = try await app.post("/api-keys", ["name": "K", "role": "viewer"])
            let key = made["secretKey"].text
            _ = try await app.get("/programs", as: key)
            let revoked = try await app.api(.delete, "/api-keys/\(made["id"].text)")
            #expect(revoked.status == 200)
            app.clock.advance(ms: 1_001)
            #expect(try await app.api(.get, "/programs", as: key).status == 401)
            // Its text is nowhere to be had again.
            let list = try await app.api(.get, "/api-keys")
            #expect(!list.text.contains(key))
            #expect(list.json["data"].list.contains { $0["revokedAt"].text != "" })
        }
    }

    @Test(arguments: Engine.allCases) func scopesLimitAKey(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let key = try await app.post("/api-keys", ["name": "K", "scopes": ["sales:read"]])["secretKey"].text
            #expect(try await app.api(.get, "/sales", as: key).status == 200)
            #expect(try await app.api(.get, "/programs", as: key).status == 403)
            #expect(try await app.api(.post, "/track/sale", AppHarness.saleBody("i", "c", 1), as: key).status == 403)
        }
    }

    /// A developer's key makes no key that may more than a developer.
    @Test(arguments: Engine.allCases) func nobodyGivesMoreThanTheyHave(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let admin = try await app.post("/api-keys", ["name": "Admin", "role": "admin"])["secretKey"].text
            #expect(try await app.api(.post, "/team", ["email": "x@example.test", "role": "owner"], as: admin).status == 403)
            #expect(try await app.api(.post, "/team", ["email": "x@example.test", "role": "finance"], as: admin).status == 201)
            let developer = try await app.post("/api-keys", ["name": "Dev", "role": "developer"])["secretKey"].text
            let made = try await app.api(.post, "/api-keys", ["name": "Up", "role": "owner"], as: developer)
            if made.status == 201 {
                let raised = made.json["secretKey"].text
                #expect(try await app.api(.post, "/team", ["email": "x@example.test", "role": "admin"], as: raised).status == 403, "a key raised itself")
                #expect(try await app.api(.post, "/programs", ["name": "P", "currency": "EUR"], as: raised).status == 403, "a key raised itself")
            } else {
                #expect(made.status == 403 || made.status == 422)
            }
        }
    }

    /// Every operation with an id in its path, asked with ids of the other workspace: as if they were not there.
    @Test(arguments: Engine.allCases) func idsOfOtherWorkspacesAreNotThere(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let ids = try await app.everyKindOfID()
            for operation in app.operations where !operation.pathParameters.isEmpty {
                guard let id = ids.first(where: { operation.path.hasPrefix($0.key) })?.value else { continue }
                // The live key asks for things of the test twin, whose key sees them.
                let body = Self.bodies[operation.id]
                let foreign = try await app.tryOut(operation, as: app.liveKey, id: id, body: body)
                let absent = try await app.tryOut(operation, as: app.liveKey, id: String(id.prefix { $0 != "_" }) + "_00000000000000000000000000", body: body)
                #expect(foreign.status == absent.status && foreign.code == absent.code, "\(operation.id): \(foreign.text.prefix(200))")
                #expect(foreign.status == 404 || (foreign.status == 422 && body == nil), "\(operation.id) with \(id): \(foreign.status) \(foreign.text.prefix(200))")
                #expect(!foreign.text.contains("anna@members.test"))
            }
            // Ids of other kinds, and what is no id at all.
            for operation in app.operations where !operation.pathParameters.isEmpty {
                for odd in ["lead_00000000000000000000000000", "x", "%00", "..%2f..%2fetc", "mem_", "%F0%28", String(repeating: "a", count: 2_000)] {
                    // What points are called is the workspace's own word.
                    if operation.id == "setWalletUnit", Wallet.unit(odd) != nil { continue }
                    let reply = try await app.tryOut(operation, as: app.key, id: odd)
                    #expect(reply.status == 404 || reply.status == 422 || reply.status == 400, "\(operation.id) with \(odd.prefix(40)): \(reply.status)")
                }
            }
        }
    }

    /// Bodies that would be taken, were the id there.
    static let bodies: [String: JSONValue] = [
        "createRule": ["name": "R", "event": "sale", "reward": ["kind": "percent", "rate": "0.1"]],
        "changeRule": ["name": "R", "event": "sale", "reward": ["kind": "percent", "rate": "0.1"]],
        "assignCustomer": ["programId": "prog_00000000000000000000000000", "memberId": "mem_00000000000000000000000000", "reason": "R"],
    ]

    @Test(arguments: Engine.allCases) func liveAndTestSeeNothingOfEachOther(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, anna) = try await app.shopWithAnna()
            try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])
            try await app.refund("inv-9", "r-9", 5)
            for path in ["/programs", "/members", "/links", "/sales", "/customers", "/commissions", "/refunds", "/ledger/transactions", "/events"] {
                #expect(try await app.get(path, as: app.liveKey)["data"].list.isEmpty, "\(path)")
            }
            // Filters with the twin's ids, and the twin's ids inside bodies.
            #expect(try await app.get("/sales?memberId=\(anna)", as: app.liveKey)["data"].list.isEmpty)
            let own = try await app.post("/programs", ["name": "Live", "currency": "EUR"], as: app.liveKey)["id"].text
            for body in [
                ["programId": .text(program), "destination": "https://shop.test/"], ["programId": .text(own), "memberId": .text(anna), "destination": "https://shop.test/"],
            ] as [JSONValue] {
                #expect(try await app.api(.post, "/links", body, as: app.liveKey).status == 422)
            }
            let enrol = try await app.api(
                .post, "/members", ["programId": .text(own), "email": "m@members.test", "enrollerId": .text(anna)], as: app.liveKey)
            #expect(enrol.fields == ["enrollerId"])
            let sale = try await app.post("/track/sale", AppHarness.saleBody("inv-1", "c-1", 7, ["code": "anna"]), as: app.liveKey)
            #expect(sale["attribution"]["status"].text == "unattributed")
            #expect(try await app.api(.post, "/test-clock", ["now": "2027-01-01T00:00:00Z"], as: app.liveKey).status == 409)
        }
    }
}

extension AppHarness {
    /// Calls an operation with an empty body and an id that is not there, or another.
    func tryOut(_ operation: Web.Operation<Access>, as key: String?, id: String = "x_00000000000000000000000000", body: JSONValue? = nil) async throws -> Reply {
        var path = API.base + operation.path
        for name in operation.pathParameters { path = path.replacing("{\(name)}", with: id) }
        return try await call(operation.method, path, key: key, bytes: operation.body == nil ? nil : (body ?? .object([])).bytes)
    }

    /// An id of each kind in the test twin, by the beginning of the paths that take it.
    func everyKindOfID() async throws -> [String: String] {
        let (program, anna) = try await shopWithAnna()
        let sale = try await sale("inv-1", "c-1", 1_000, ["code": "anna"])
        return [
            "/programs/": program, "/members/": anna, "/links/": try await get("/links")["data"].list.first["id"].text,
            "/sales/": sale["saleId"].text, "/commissions/": sale["commissions"].list.first["id"].text,
            "/customers/": try await get("/customers")["data"].list.first["id"].text,
            "/rules/": try await get("/programs/\(program)/rules")["data"].list.first["id"].text,
            "/api-keys/": try await get("/api-keys")["data"].list.first["id"].text,
        ]
    }
}
