import HTTPTypes
import Persistence
import Web

enum MemberMergeRoutes {
    static func add(to api: inout API) {
        api.write(
            .post, "/members/{id}/merges", id: "mergeMembers", "Merge a duplicate into this member; can be undone for seven days", tag: "Members",
            access: .right(.membersWrite),
            body: .object([.required("duplicateId", Schemas.memberReference), .required("reason", .string(maximumLength: 500))]),
            answer: .object([
                .required("id", .text), .required("keptId", .text), .required("duplicateId", .text), .required("links", .integer(0...Int64.max)),
                .required("customers", .integer(0...Int64.max)), .required("programs", .integer(0...Int64.max)), .required("reason", .text), .required("trackerId", .nullable(.text)),
                .required("mergedAt", .dateTime), .required("undoneAt", .nullable(.dateTime)),
            ]), status: 201,
            decode: { body, context in
                (
                    kept: try MemberReference.of(context), duplicate: body.memberReference("duplicateId"),
                    reason: body.text("reason", maximumLength: 500)
                )
            }
        ) { [index = api.installation.linkIndex] input, write in
            guard let kept = try MemberStore.find(input.kept, in: write.workspace.id, vault: write.vault, on: write.connection) else {
                throw Refusal.unknown("member")
            }
            let duplicate = try Member.find(input.duplicate, field: "duplicateId", in: write)
            let merge = try MemberMerge.merge(duplicate.id, into: kept.id, reason: input.reason, in: write)
            index.forgetAll()
            return Answer(merge.json, status: 201)
        }
    }
}
