import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Persistence
import Web

enum OrganisationRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/members/{id}/placements", id: "placeMember", "Give a member a place in a placement tree from an instant on", tag: "Members",
            access: .right(.membersWrite),
            body: .object([
                .optional("tree", .string(maximumLength: Placement.treeNameMax)), .optional("programId", .text),
                .required("parentId", Schemas.memberReference), .optional("slot", .integer(1...TreePolicy.widthMax)), .optional("effectiveAt", .dateTime),
            ]), answer: .any, status: 201,
            decode: { body, context in
                (
                    member: try MemberReference.of(context), tree: body.optionalCustom("tree", treeName) ?? "placement",
                    program: body.optionalCustom("programId") { idReading($0, ProgramKind.self, "program") },
                    parent: body.custom("parentId", standIn: MemberReference.external("")) { value in
                        if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                        return .refused(MemberReference.allowed)
                    }, slot: body.optionalInteger("slot", in: 1...TreePolicy.widthMax), at: body.optionalCustom("effectiveAt", Instant.read)
                )
            }
        ) { input, write in
            _ = try Member.ofPath(input.member, in: write)
            return Answer(
                try Placement.move(
                    NewPlacement(
                        member: input.member, programID: input.program, tree: input.tree, parent: input.parent, slot: input.slot,
                        effectiveAt: input.at ?? write.now), in: write
                ).json, status: 201)
        }
        api.write(
            .put, "/programs/{id}/trees/{tree}", id: "setTreePolicy", "Set how new members find their place in a tree", tag: "Programs",
            access: .right(.programsWrite), body: .object(TreePolicy.fields), answer: .any,
            decode: { body, context in
                guard let text = context.parameters.get("tree"), case .accepted(let tree) = treeName(.text(text)) else { throw Refusal.unknown("tree") }
                return (program: try context.id(ProgramKind.self), tree: tree, policy: TreePolicy.read(body))
            }
        ) { input, write in
            try TreePolicyStore.put(input.policy, input.tree, of: input.program, in: write)
            return Answer(input.policy.json)
        }
        api.read(
            "/programs/{id}/trees", id: "listTreePolicies", "Placement trees of a program and their rules", tag: "Programs",
            access: .right(.programsRead), answer: .page(.any)
        ) { _, context, caller in
            let id: ProgramID = try context.id()
            let policies = try await installation.main.read { connection -> [(tree: String, policy: TreePolicy)] in
                guard try ProgramStore.exists(id, in: caller.workspaceID, on: connection) else { throw Refusal.unknownProgram() }
                return try TreePolicyStore.all(of: id, on: connection)
            }
            return ListAnswer.response(
                policies, PageRequest(limit: PageRequest.maximumLimit), cursor: \.tree, json: { ["tree": .text($0.tree), "policy": $0.policy.json] })
        }
        api.read(
            "/programs/{id}/holding-tank", id: "listHoldingTank", "Members who wait for a place", tag: "Programs", access: .right(.membersRead),
            parameters: APIParameter.page, answer: .page(.any)
        ) { request, context, caller in
            let id: ProgramID = try context.id()
            let page = try PageRequest.from(request, MemberKind.self)
            let rows = try await installation.main.read { connection -> [WaitingMember] in
                guard try ProgramStore.exists(id, in: caller.workspaceID, on: connection) else { throw Refusal.unknownProgram() }
                return try HoldingTankStore.list(id, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(rows, page, cursor: \.memberID.text, json: \.json)
        }
    }

    private static func treeName(_ value: JSONValue) -> JSONReader.Reading<String> {
        guard case .text(let text) = value, text.utf8.count <= Placement.treeNameMax, text.utf8.first.map({ (0x61...0x7A).contains($0) }) ?? false,
            text.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2D || (0x41...0x5A).contains($0) }), text != "enroller"
        else { return .refused("Must be the name of a placement tree: letters, digits, - and _, not enroller.") }
        return .accepted(text)
    }
}
