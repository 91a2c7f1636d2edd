import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The query of a call is checked like the fields of a body: what the call does not know is refused by name, never passed over.
@Suite struct QueryTests {
    @Test func whatACallDoesNotKnowIsNamed() async throws {
        try await AppHarness.with(.sqlite) { app in
            let (_, anna) = try await app.shopWithAnna()
            for operation in app.operations where operation.access.right != nil {
                let path = operation.path.replacingOccurrences(of: "{id}", with: anna)
                let body: JSONValue? = operation.body == nil ? nil : .object([])
                for (query, field) in [("foo=1", "foo"), ("member_id=x", "member_id"), ("%66oo", "foo"), ("a%ff=1", "a%ff"), ("sort=id;drop", "sort")] {
                    let reply = try await app.api(operation.method, "\(path)?\(query)", body)
                    #expect(reply.status == 422 && reply.fields.contains(field), "\(operation.id)?\(query): \(reply.status) \(reply.text)")
                }
            }
        }
    }

    /// Each parameter that the description lists is one, and its broken values are named.
    @Test func eachListedParameterIsKnownAndChecked() async throws {
        try await AppHarness.with(.sqlite) { app in
            let (program, anna) = try await app.shopWithAnna()
            let document = try await app.call(.get, API.base + "/openapi.json").json
            for operation in app.operations where operation.method == .get && operation.access.right != nil {
                let described = document["paths"][operation.path]["get"]["parameters"].list.filter { $0["in"].text == "query" }
                #expect(described.map { $0["name"].text } == operation.parameters.map(\.name), "\(operation.id)")
                let path = operation.path.replacingOccurrences(of: "{id}", with: operation.path.hasPrefix("/programs") ? program : anna)
                for parameter in operation.parameters {
                    for value in ["%ff", "%00", "%zz", "1&\(parameter.name)=1"] {
                        let reply = try await app.api(.get, "\(path)?\(parameter.name)=\(value)")
                        #expect(reply.status == 422 && reply.fields.contains(parameter.name), "\(operation.id)?\(parameter.name)=\(value): \(reply.text)")
                    }
                    guard !operation.parameters.contains(where: { $0.isRequired && $0.name != parameter.name }), parameter.name != "tree", !parameter.isFree else { continue }
                    let reply = try await app.api(.get, "\(path)?\(parameter.name)=xx")
                    if reply.status != 404 {
                        #expect(reply.status == 422 && reply.fields.contains(parameter.name), "\(operation.id)?\(parameter.name)=xx: \(reply.text)")
                    }
                }
            }
        }
    }

    /// Wherever a list is narrowed to a member, the company's own id does as well as ours.
    @Test(arguments: Engine.allCases)
    func membersAreNamedByTheCompanysIdInFilters(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna", enroller: nil, ["externalId": "1042"])
            let bert = try await app.member(program, "bert", enroller: nil, ["externalId": "b/7"])
            try await app.link(program, anna, code: "ANNA")
            try await app.link(program, bert, code: "BERT")
            try await app.sale("i-1", "c-1", 1_000, ["code": "ANNA"])
            try await app.sale("i-2", "c-2", 3_000, ["code": "BERT"])
            for path in ["/commissions", "/links", "/sales"] {
                for (member, external) in [(anna, "ext:1042"), (bert, "ext:b%2F7")] {
                    let byOurs = try await app.get("\(path)?memberId=\(member)")
                    #expect(byOurs["data"].list.count == 1)
                    #expect(try await app.get("\(path)?memberId=\(external)") == byOurs, "\(path) of \(external)")
                }
                let nobody = try await app.api(.get, "\(path)?memberId=ext:nobody")
                #expect(nobody.status == 422 && nobody.fields == ["memberId"] && nobody.code == "unknown_member", "\(nobody.text)")
                #expect(try await app.api(.get, "\(path)?memberId=xx").fields == ["memberId"])
            }
        }
    }

    /// A cursor that is none of the list is refused, rather than read as the beginning or the end.
    @Test func aCursorOfAnotherListIsRefused() async throws {
        try await AppHarness.with(.sqlite) { app in
            let (_, anna) = try await app.shopWithAnna()
            for operation in app.operations where operation.parameters.contains(where: { $0.name == "startingAfter" }) && !operation.path.contains("{") {
                for cursor in ["xx", "", "x'--", anna + "0", "99999999999999999999"] {
                    let reply = try await app.api(.get, "\(operation.path)?startingAfter=\(cursor)")
                    #expect(reply.status == 422 && reply.fields == ["startingAfter"], "\(operation.id) after \(cursor): \(reply.text)")
                }
            }
        }
    }

    /// A page whose filter cannot be read shows nothing, rather than everything.
    @Test func aBrokenFilterOfAPageFindsNothing() async throws {
        try await AppHarness.with(.sqlite) { app in
            let (program, anna) = try await app.shopWithAnna()
            for path in [
                "/commissions?member=xx", "/commissions?program=xx", "/commissions?state=xx", "/sales?state=xx", "/links?program=xx", "/members?program=xx",
                "/members?stage=xx", "/members?status=xx", "/ledger?kind=xx",
            ] {
                #expect(try await app.page(path).status == 404, "\(path)")
            }
            for path in ["/commissions?member=\(anna)&state=&program=\(program)", "/sales?state=", "/members?stage=&status=active", "/links?program=&unheard=1"] {
                #expect(try await app.page(path).status == 200, "\(path)")
            }
        }
    }
}

extension APIParameter {
    /// Any text will do, as the company's own numbers of invoices.
    var isFree: Bool {
        guard case .string(_, _, .some) = schema else { return false }
        return true
    }
}
