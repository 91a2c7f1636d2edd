import Chronology
import HTTPTypes
import Persistence
import Web

enum APIKeyRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/api-keys", id: "listKeys", "Keys, without their texts", tag: "Keys", access: .right(.keysWrite), parameters: APIParameter.page,
            answer: .page(shape)
        ) { request, _, caller in
            let page = try PageRequest.from(request, APIKeyKind.self)
            let keys = try await installation.main.read { connection in
                try APIKeyStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(keys, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/api-keys", id: "createKey", "Make a key for yourself; its text is shown once", tag: "Keys", access: .right(.keysWrite),
            body: .object([
                .required("name", .string(maximumLength: 100)), .optional("role", .enumeration(Role.allCases.map(\.rawValue))),
                .optional("scopes", .array(.enumeration(Right.allCases.map(\.rawValue)))), .optional("kind", .enumeration(["secret", "publishable"])),
            ]), answer: .object([.required("id", .text), .required("secretKey", .nullable(.text))]), status: 201,
            decode: { body, _ in
                let scopes = body.textList("scopes", maximumCount: Right.allCases.count, maximumLength: 40)
                let rights = scopes.compactMap(Right.init(rawValue:))
                if rights.count != scopes.count { body.note("scopes", "Must be of \(Right.allCases.map(\.rawValue).joined(separator: ", ")).") }
                let role = body.optionalOneOf("role", Role.self)
                let kind = body.optionalText("kind", maximumLength: 20).flatMap(APIKey.Kind.init(rawValue:)) ?? .secret
                if kind == .secret, (role == nil) == scopes.isEmpty { body.note("role", "Must be given, or else scopes, but not both.") }
                return (name: body.name("name", maximumLength: 100), role: role, scopes: rights, kind: kind)
            },
            prepare: { input, _, caller in
                // A key that gets into wrong hands cannot make itself a stronger one.
                let wanted = Set(input.scopes).union(input.role.flatMap { Role.rights[$0] } ?? [])
                guard wanted.isSubset(of: caller.rights) else {
                    throw Problem.forbidden(code: "missing_right", detail: "A key makes no key that may do more than itself.")
                }
                return input
            }
        ) { input, write in
            guard case .apiKey(_, let owner) = write.actor else { throw Problem.forbidden(detail: "Keys are made with a key.") }
            if input.kind == .secret { try write.mayGive(input.role.flatMap { Role.rights[$0] } ?? Set(input.scopes)) }
            let (key, text) = try APIKey.create(
                name: input.name, kind: input.kind, role: input.role, scopes: input.scopes, for: owner, in: write)
            return Answer(["id": .text(key.id.text), "secretKey": .text(text)], status: 201, secrets: ["secretKey"])
        }
        api.write(
            .delete, "/api-keys/{id}", id: "revokeKey", "Revoke a key; it stops working within a second", tag: "Keys", access: .right(.keysWrite),
            body: nil, answer: .object([.required("id", .text), .required("revoked", .boolean)]),
            decode: { _, context in try context.id(APIKeyKind.self) }
        ) { id, write in
            try APIKey.revokeByPerson(id, in: write)
            installation.callers.forgetAll()
            return Answer(["id": .text(id.text), "revoked": true])
        }
    }

    private static let shape = APISchema.object([
        .required("id", .text), .required("name", .text), .required("kind", .text), .required("ending", .text), .required("role", .nullable(.text)),
        .required("scopes", .array(.text)), .required("createdAt", .dateTime), .required("revokedAt", .nullable(.dateTime)),
    ])
}

extension APIKey {
    var json: JSONValue {
        [
            "id": .text(id.text), "name": .text(name), "kind": .text(kind.rawValue), "ending": .text(ending),
            "role": role.map { .text($0.rawValue) } ?? .null, "scopes": .array(scopes.map { .text($0.rawValue) }),
            "createdAt": .text(createdAt.rfc3339), "revokedAt": revokedAt.map { .text($0.rfc3339) } ?? .null,
        ]
    }
}
