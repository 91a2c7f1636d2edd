import Chronology
import Foundation
import Hummingbird
import Ledger
import Money
import Persistence
import Web

enum MemberRoutes {
    /// Descendants shown by `/tree` at most.
    static let treeMax = 1_000

    static func add(to api: inout API) {
        api.read(
            "/members", id: "listMembers", "Members of the workspace or of a program", tag: "Members", access: .right(.membersRead),
            parameters: APIParameter.page + [APIParameter("programId", .text)], answer: .page(.reference("Member"))
        ) { [installation = api.installation] request, _, caller in
            let page = try PageRequest.from(request, MemberKind.self)
            let program = try Query.id("programId", ProgramKind.self, in: request)
            let rows = try await installation.main.read { connection -> [(Member, JSONValue)] in
                let members = try MemberStore.list(
                    in: caller.workspaceID, program: program, after: page.startingAfter, limit: page.limit + 1, on: connection)
                return try zipJSON(members, vault: installation.vault, on: connection)
            }
            return ListAnswer.response(rows, page, cursor: \.0.id.text, json: \.1)
        }
        api.read(
            "/members/{id}", id: "getMember", "A member", tag: "Members", access: .right(.membersRead), answer: .reference("Member")
        ) { [installation = api.installation] _, context, caller in
            let reference = try MemberReference.of(context)
            return ListAnswer.one(
                try await installation.main.read { connection in
                    try find(reference, caller, installation, on: connection).json(vault: installation.vault, on: connection)
                })
        }
        api.read(
            "/members/{id}/balances", id: "getBalances", "What a member has, for each unit apart", tag: "Members", access: .right(.membersRead),
            answer: .array(.reference("Balance"))
        ) { [installation = api.installation] _, context, caller in
            let reference = try MemberReference.of(context)
            return ListAnswer.one(
                try await installation.main.read { connection in
                    let member = try find(reference, caller, installation, on: connection)
                    let balances = try Journal.balances(workspace: caller.workspaceID.text, member: member.id.text, on: connection)
                    return .array(balances.map(\.json))
                })
        }
        api.read(
            "/members/{id}/tree", id: "getTree", "Who a member introduced, level by level", tag: "Members", access: .right(.membersRead),
            parameters: [APIParameter("tree", .text), APIParameter("depth", .integer(1...20))], answer: .any
        ) { [installation = api.installation] request, context, caller in
            let reference = try MemberReference.of(context)
            let depth = try Query.integer("depth", in: 1...20, standard: 3, request)
            let tree = request.uri.queryParameters["tree"].map(String.init) ?? "enroller"
            return ListAnswer.one(
                try await installation.main.read { connection in
                    let member = try find(reference, caller, installation, on: connection)
                    if tree != "enroller" { return try placementTree(tree, below: member, depth: depth, on: connection) }
                    let rows = try MemberStore.recruits(below: member.id, depth: depth, limit: treeMax, on: connection)
                    return [
                        "memberId": .text(member.id.text), "tree": "enroller", "depth": .integer(Int64(depth)),
                        "members": .array(
                            rows.map {
                                ["memberId": .text($0.id.text), "enrollerId": .text($0.enroller.text), "level": .integer(Int64($0.level))]
                            }),
                        "hasMore": .boolean(rows.count == treeMax),
                    ]
                })
        }
        api.write(
            .post, "/members", id: "enrollMember", "Enrol a person, or bring the one with this externalId up to date", tag: "Members",
            access: .right(.membersWrite), body: .object([.required("programId", .text)] + Schemas.memberInput), answer: .reference("Member"),
            status: 201,
            decode: { body, _ in
                let program = body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") }
                return Enrolment.read(body, program: program)
            }
        ) { input, write in
            let member = try Member.enroll(input, in: write)
            return Answer(try member.json(vault: write.vault, on: write.connection), status: 201, person: member.personID)
        }
        api.write(
            .patch, "/members/{id}", id: "changeMember", "Change a member's own facts", tag: "Members", access: .right(.membersWrite),
            body: .object(Schemas.memberInput), answer: .reference("Member"),
            decode: { body, context in
                (reference: try MemberReference.of(context), input: Enrolment.read(body, program: ProgramID(stored: "")))
            }
        ) { change, write in
            guard let member = try MemberStore.find(change.reference, in: write.workspace.id, vault: write.vault, on: write.connection) else {
                throw Refusal.unknown("member")
            }
            return Answer(
                try member.change(change.input, in: write).json(vault: write.vault, on: write.connection), person: member.personID)
        }
        api.write(
            .delete, "/members/{id}/person", id: "eraseMember", "Erase the person behind a member for good", tag: "Members",
            access: .right(.peopleErase), body: nil, answer: .object([.required("personId", .text), .required("erasedAt", .dateTime)]),
            preparationChanges: true, decode: { _, context in try MemberReference.of(context) },
            prepare: { [installation = api.installation] reference, _, caller in
                let person = try await installation.main.read { connection in
                    try find(reference, caller, installation, on: connection).personID
                }
                try await installation.erase(person: person, in: caller.workspaceID, actor: caller.actor)
                return person
            }
        ) { person, write in Answer(["personId": .text(person.text), "erasedAt": .text(write.now.rfc3339)]) }
    }

    /// Who stands below a member in a placement tree now, level by level.
    private static func placementTree(_ tree: String, below member: Member, depth: Int, on connection: any Connection) throws -> JSONValue {
        let rows = try MemberStore.placed(below: member.id, in: tree, depth: depth, limit: treeMax, on: connection)
        return [
            "memberId": .text(member.id.text), "tree": .text(tree), "depth": .integer(Int64(depth)),
            "members": .array(
                rows.map {
                    [
                        "memberId": .text($0.id.text), "parentId": .text($0.parent.text), "slot": $0.slot.map { .integer($0) } ?? .null,
                        "level": .integer(Int64($0.level)),
                    ]
                }), "hasMore": .boolean(rows.count == treeMax),
        ]
    }

    static func find(
        _ reference: MemberReference, _ caller: Caller, _ installation: Installation, on connection: any Connection
    ) throws -> Member {
        guard let member = try MemberStore.find(reference, in: caller.workspaceID, vault: installation.vault, on: connection) else {
            throw Refusal.unknown("member")
        }
        return member
    }

    private static func zipJSON(_ members: [Member], vault: Vault, on connection: any Connection) throws -> [(Member, JSONValue)] {
        let names = try PersonStore.fields(of: members.map(\.personID), [.email, .name, .externalId], vault: vault, on: connection)
        return try members.map { member in
            (member, try member.json(names[member.personID] ?? [:], on: connection))
        }
    }
}

/// Reads an id of a kind out of a body.
func idReading<Kind>(_ value: JSONValue, _ kind: Kind.Type, _ what: String) -> JSONReader.Reading<Identifier<Kind>> {
    guard case .text(let text) = value, let id = Identifier<Kind>(text) else {
        return .refused("Must be a \(what)'s id (\(Kind.prefix)…).")
    }
    return .accepted(id)
}

extension Enrolment {
    static func read(_ body: JSONReader, program: ProgramID) -> Enrolment {
        func reference(_ field: String) -> MemberReference? {
            body.optionalCustom(field) { value in
                if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                return .refused(MemberReference.allowed)
            }
        }
        body.ignoreSignals()
        _ = body.optionalText("visitorId", maximumLength: 200)
        return Enrolment(
            programID: program, email: body.optionalCustom("email", Normalised.readEmail), name: body.optionalName("name", maximumLength: 200),
            externalID: body.optionalCustom("externalId", Normalised.readExternalID), enroller: reference("enrollerId"),
            placementParent: reference("placementParentId"), placementSlot: body.optionalInteger("placementSlot", in: 1...1_000_000),
            groupID: body.optionalText("groupId", maximumLength: 40), kind: body.optionalOneOf("kind", Member.Kind.self),
            status: body.optionalOneOf("status", Member.Status.Settable.self).flatMap { Member.Status(rawValue: $0.rawValue) }, stage: body.optionalOneOf("stage", Member.Stage.self),
            joinedAt: body.optionalCustom("joinedAt", Instant.read), locale: body.optionalCustom("locale", LanguageTag.read),
            timeZone: body.optionalCustom("timezone", Zone.read)?.name, country: body.optionalCustom("country", Country.read),
            website: body.optionalText("website", maximumLength: 2_048), channels: body.optionalCustom("channels", readChannels),
            attributes: body.optionalCustom("attributes", readAttributes),
            paymentFingerprint: body.optionalText("paymentFingerprint", maximumLength: 255),
            homeAddressHash: body.optionalText("homeAddressHash", maximumLength: 255),
            payoutAccountHash: body.optionalText("payoutAccountHash", maximumLength: 255),
            deviceID: body.optionalText("deviceId", maximumLength: 200))
    }
}

extension Enrolment {
    private static let channelsMax = 50
    private static let attributesBytesMax = 16_384

    /// A list of texts, as JSON.
    private static func readChannels(_ value: JSONValue) -> JSONReader.Reading<String> {
        let texts = value.elements.filter { $0.string.map { (1...200).contains($0.unicodeScalars.count) } ?? false }
        guard case .array(let elements) = value, elements.count <= channelsMax, texts.count == elements.count else {
            return .refused("Must be a list of at most \(channelsMax) texts of 1 to 200 characters.")
        }
        return .accepted(String(decoding: value.bytes, as: UTF8.self))
    }

    /// An object of the company's own, as JSON.
    private static func readAttributes(_ value: JSONValue) -> JSONReader.Reading<String> {
        guard case .object = value, value.bytes.count <= attributesBytesMax else { return .refused("Must be an object of at most 16 kB.") }
        return .accepted(String(decoding: value.bytes, as: UTF8.self))
    }
}

enum LanguageTag {
    static let allowed = "Must be a language tag such as en or pt-BR."

    /// Whether a text has the form of a BCP 47 tag; which languages we speak is another question.
    static func isOne(_ tag: String) -> Bool {
        let parts = tag.split(separator: "-", omittingEmptySubsequences: false)
        return (1...4).contains(parts.count) && (2...3).contains(parts[0].utf8.count)
            && parts.allSatisfy { (1...8).contains($0.utf8.count) && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } }
    }

    static func read(_ value: JSONValue) -> JSONReader.Reading<String> {
        guard case .text(let tag) = value, isOne(tag) else { return .refused(allowed) }
        return .accepted(tag)
    }
}

enum Country {
    /// Two letters, in capitals.
    static func read(_ value: JSONValue) -> JSONReader.Reading<String> {
        guard case .text(let text) = value, text.utf8.count == 2, text.utf8.allSatisfy({ ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }) else {
            return .refused("Must be an ISO 3166 country code of two letters.")
        }
        return .accepted(text.uppercased())
    }
}

extension Normalised {
    static func readEmail(_ value: JSONValue) -> JSONReader.Reading<String> {
        guard case .text(let text) = value, let email = email(text) else { return .refused("Must be a mail address.") }
        return .accepted(email)
    }

    static func readExternalID(_ value: JSONValue) -> JSONReader.Reading<String> {
        guard case .text(let text) = value, let id = externalID(text) else {
            return .refused("Must be a text of 1 to \(externalIDLengthMax) characters without control characters.")
        }
        return .accepted(id)
    }
}

extension Member {
    func json(vault: Vault, on connection: any Connection) throws -> JSONValue {
        let names = try PersonStore.fields(of: [personID], [.email, .name, .externalId], vault: vault, on: connection)
        return try json(names[personID] ?? [:], on: connection)
    }

    func json(_ names: [PersonField: String], on connection: any Connection) throws -> JSONValue {
        let programs = try MemberStore.programs(of: id, on: connection)
        let parent = try MemberStore.placementParent(of: id, on: connection)
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        return [
            "id": .text(id.text), "email": text(names[.email]), "name": text(names[.name]), "externalId": text(names[.externalId]),
            "kind": .text(kind.rawValue), "status": .text(status.rawValue), "stage": .text(stage.rawValue), "enrollerId": text(enrollerID?.text),
            "placementParentId": text(parent?.text), "programIds": .array(programs.map { .text($0.text) }), "country": text(country),
            "locale": text(locale), "timezone": text(timeZone), "joinedAt": .text(joinedAt.rfc3339), "createdAt": .text(createdAt.rfc3339),
        ]
    }
}

extension MemberBalance {
    var json: JSONValue {
        [
            "unit": .text(unit.code), "pending": .integer(pending.minor), "held": .integer(held.minor), "available": .integer(available.minor),
            "inPayout": .integer(inPayout.minor), "paid": .integer(paid.minor), "debt": .integer(debt.minor),
        ]
    }
}

extension MemberStore {
    /// The members below one in a placement tree, as it stands.
    static func placed(
        below member: MemberID, in tree: String, depth: Int, limit: Int, on connection: any Connection
    ) throws -> [(id: MemberID, parent: MemberID, slot: Int64?, level: Int)] {
        try connection.rows(
            """
            WITH RECURSIVE below (id, parent_id, slot, level) AS (
                SELECT member_id, parent_id, slot, 1 FROM placement WHERE parent_id = \(member) AND tree = \(tree) AND effective_until IS NULL
                UNION ALL
                SELECT p.member_id, p.parent_id, p.slot, below.level + 1 FROM placement p JOIN below ON p.parent_id = below.id
                WHERE p.tree = \(tree) AND p.effective_until IS NULL AND below.level < \(depth)
            )
            SELECT id, parent_id, slot, level FROM below LIMIT \(limit)
            """
        ).map { (id: try $0.get(at: 0), parent: try $0.get(at: 1), slot: try $0.get(at: 2), level: try $0.get(at: 3)) }
            .sorted { ($0.level, $0.id) < ($1.level, $1.id) }
    }

    /// The members below one on the enroller line, level by level.
    static func recruits(
        below member: MemberID, depth: Int, limit: Int, on connection: any Connection
    ) throws -> [(id: MemberID, enroller: MemberID, level: Int)] {
        try connection.rows(
            """
            WITH RECURSIVE below (id, enroller_id, level) AS (
                SELECT id, enroller_id, 1 FROM member WHERE enroller_id = \(member)
                UNION ALL
                SELECT m.id, m.enroller_id, below.level + 1 FROM member m JOIN below ON m.enroller_id = below.id WHERE below.level < \(depth)
            )
            SELECT id, enroller_id, level FROM below LIMIT \(limit)
            """
        ).map { (id: try $0.get(at: 0), enroller: try $0.get(at: 1), level: try $0.get(at: 2)) }.sorted { ($0.level, $0.id) < ($1.level, $1.id) }
    }
}
