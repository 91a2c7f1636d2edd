import Chronology
import HTTPTypes
import Persistence
import Web

enum CustomerRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/customers", id: "listCustomers", "Customers", tag: "Customers", access: .right(.salesRead), parameters: APIParameter.page,
            answer: .page(.reference("Customer"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, CustomerKind.self)
            let rows = try await installation.main.read { connection -> [(String, JSONValue)] in
                let customers = try CustomerStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
                let names = try PersonStore.fields(
                    of: customers.map(\.personID), [.email, .name, .externalId], vault: installation.vault, on: connection)
                return try customers.map { ($0.id.text, try $0.json(names[$0.personID] ?? [:], on: connection)) }
            }
            return ListAnswer.response(rows, page, cursor: \.0, json: \.1)
        }
        api.read("/customers/{id}", id: "getCustomer", "A customer", tag: "Customers", access: .right(.salesRead), answer: .reference("Customer")) {
            _, context, caller in
            let id: CustomerID = try context.id()
            let json = try await installation.main.read { connection -> JSONValue? in
                guard let customer = try CustomerStore.find(id, in: caller.workspaceID, on: connection) else { return nil }
                let names = try PersonStore.fields(
                    of: [customer.personID], [.email, .name, .externalId], vault: installation.vault, on: connection)
                return try customer.json(names[customer.personID] ?? [:], on: connection)
            }
            guard let json else { throw Refusal.unknown("customer") }
            return ListAnswer.one(json)
        }
        api.write(
            .put, "/customers/{id}/assignment", id: "assignCustomer", "Give a customer to a member by hand", tag: "Customers",
            access: .right(.customersAssign),
            body: .object([
                .required("programId", .text), .required("memberId", Schemas.memberReference), .required("reason", .string(maximumLength: 500)),
            ]), answer: .reference("Customer"),
            decode: { body, context in
                (
                    id: try context.id(CustomerKind.self),
                    program: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    member: body.custom("memberId", standIn: MemberReference.external("")) { value -> JSONReader.Reading<MemberReference> in
                        if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                        return .refused(MemberReference.allowed)
                    }, reason: body.text("reason", maximumLength: 500)
                )
            }
        ) { input, write in
            guard let customer = try CustomerStore.find(input.id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("customer") }
            guard let program = try ProgramStore.find(input.program, in: write.workspace.id, at: write.now, on: write.connection) else {
                throw Refusal.unknown("program", field: "programId")
            }
            let member = try Member.find(input.member, field: "memberId", in: write)
            _ = try CustomerBinding.assign(customer, to: member, program: program, reason: input.reason, in: write)
            let names = try PersonStore.fields(
                of: [customer.personID], [.email, .name, .externalId], vault: write.vault, on: write.connection)
            return Answer(try customer.json(names[customer.personID] ?? [:], on: write.connection), person: customer.personID)
        }
        api.write(
            .delete, "/customers/{id}/person", id: "eraseCustomer", "Erase the person behind a customer for good", tag: "Customers",
            access: .right(.peopleErase), body: nil, answer: .object([.required("personId", .text), .required("erasedAt", .dateTime)]),
            preparationChanges: true, decode: { _, context in try context.id(CustomerKind.self) },
            prepare: { id, _, caller in
                let person = try await installation.main.read { connection in
                    try CustomerStore.find(id, in: caller.workspaceID, on: connection)?.personID
                }
                guard let person else { throw Refusal.unknown("customer") }
                try await installation.erase(person: person, in: caller.workspaceID, actor: caller.actor)
                return person
            }
        ) { person, write in Answer(["personId": .text(person.text), "erasedAt": .text(write.now.rfc3339)]) }
    }
}

extension Customer {
    func json(_ names: [PersonField: String], on connection: any Connection) throws -> JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        let bindings = try BindingStore.newest(of: id, on: connection)
        return [
            "id": .text(id.text), "externalId": text(names[.externalId]), "email": text(names[.email]), "name": text(names[.name]),
            "country": text(country), "createdAt": .text(createdAt.rfc3339),
            "bindings": .array(
                bindings.map { binding in
                    [
                        "programId": .text(binding.programID.text), "source": .text(binding.source.rawValue), "reason": text(binding.reason),
                        "boundAt": .text(binding.boundAt.rfc3339), "until": text(binding.untilAt?.rfc3339),
                        "shares": .array(binding.shares.map { ["memberId": .text($0.memberID.text), "sharePpm": .integer(Int64($0.ppm))] }),
                    ]
                }),
        ]
    }
}
