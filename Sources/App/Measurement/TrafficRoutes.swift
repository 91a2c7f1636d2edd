import Attribution
import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Visits and showings, which count by day, and what members share.
enum TrafficRoutes {
    private struct Told: Sendable {
        var programID: ProgramID?
        var code: String?
        var count: Int64 = 1
        var dimensions: Dimensions
        var country: String
        var occurredAt: Instant?
        var agent: String?
    }

    static func add(to api: inout API) {
        let installation = api.installation
        let answer = APISchema.object([.required("programId", .text), .required("day", .text), .required("counted", .integer())])
        let common: [APIField] = [
            .optional("programId", .text), .optional("code", .string(maximumLength: Normalised.codeLengthMax)), .optional("metadata", Schemas.metadata),
            .optional("country", .string(maximumLength: 2)), .optional("occurredAt", .dateTime),
        ]
        api.write(
            .post, "/track/visit", id: "trackVisit", "Count a visit of the company's site; crawlers don't count", tag: "Tracking", access: .browser(.trackWrite),
            body: .object(common + [.optional("url", .string(maximumLength: 4_096)), .optional("referrer", .string(maximumLength: 4_096))] + Schemas.signals),
            answer: answer, status: 201,
            decode: { body, _ in
                _ = body.optionalText("url", maximumLength: 4_096)
                _ = body.optionalText("referrer", maximumLength: 4_096, allowsEmpty: true)
                _ = body.optionalText("visitorId", maximumLength: 200)
                _ = body.optionalText("deviceId", maximumLength: 200)
                _ = body.optionalText("ip", maximumLength: 45)
                let agent = body.optionalText("userAgent", maximumLength: 1_000, allowsEmpty: true)
                _ = body.headerTexts()
                var told = read(body)
                told.agent = agent
                return told
            },
            prepare: { told, request, caller in
                var told = told
                let agent = caller.isPublishable ? request.headers[.userAgent] : told.agent
                let said = ClickClassifier.Request(userAgent: agent, isAgentKnown: agent != nil)
                if installation.classifier.discard(said, address: nil, link: "visit", at: installation.world.now()) != nil { told.count = 0 }
                if caller.isPublishable { told.occurredAt = nil }
                return told
            }
        ) { told, write in try count(.visit, told, in: write) }
        api.write(
            .post, "/track/impression", id: "trackImpression", "Count how often a code's link or offer was shown", tag: "Tracking",
            access: .browser(.trackWrite),
            body: .object(common + [.optional("count", .described(.integer(1...Traffic.impressionsAtOnceMax), description: "1 when left out."))]), answer: answer,
            status: 201,
            decode: { body, _ in
                var told = read(body)
                told.count = body.optionalInteger("count", in: 1...Traffic.impressionsAtOnceMax) ?? 1
                return told
            },
            prepare: { told, _, caller in
                var told = told
                // Anyone can read a browser's key: each call of it is one page's.
                if caller.isPublishable { (told.count, told.occurredAt) = (1, nil) }
                return told
            }
        ) { told, write in try count(.impression, told, in: write) }
        addShares(to: &api)
    }

    private static func read(_ body: JSONReader) -> Told {
        Told(
            programID: body.optionalCustom("programId") { idReading($0, ProgramKind.self, "program") },
            code: body.optionalText("code", maximumLength: Normalised.codeLengthMax), dimensions: Dimensions(body.metadata()),
            country: body.optionalCustom("country", Country.read) ?? "", occurredAt: body.optionalCustom("occurredAt", Instant.read))
    }

    private static func count(_ kind: Traffic.Kind, _ told: Told, in write: Write) throws -> Answer {
        let program = try program(told, in: write)
        let day = try Traffic.day(of: told.occurredAt, in: write)
        try Traffic.count(
            [Traffic(programID: program, day: day, kind: kind, dimensions: told.dimensions, country: told.country): told.count], in: write)
        return Answer(["programId": .text(program.text), "day": .text(day), "counted": .integer(told.count)], status: 201)
    }

    /// The code's program, else the one that is named, else the only one.
    private static func program(_ told: Told, in write: Write) throws -> ProgramID {
        if let code = told.code {
            guard let folded = Normalised.code(code), let link = try LinkStore.find(code: folded, in: write.workspace.id, on: write.connection) else {
                throw Refusal.field("code", "Is not a code of this workspace.", code: "unknown_code")
            }
            return link.programID
        }
        if let id = told.programID {
            guard try ProgramStore.exists(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("program", field: "programId") }
            return id
        }
        let all = try ProgramStore.list(in: write.workspace.id, at: write.now, after: nil, limit: 2, on: write.connection)
        guard all.count == 1, let only = all.first else { throw Refusal.field("programId", "Is required: there is not exactly one program. Or name a code.") }
        return only.id
    }

    private static func addShares(to api: inout API) {
        api.write(
            .post, "/members/{id}/shares", id: "recordShare", "Tell that a member shared", tag: "Members", access: .right(.trackWrite),
            body: .object([
                .required("channel", .described(.string(maximumLength: Dimensions.lengthMax), description: "Such as whatsapp, mail or story.")),
                .optional("contentId", .described(.string(maximumLength: MemberShare.contentLengthMax), description: "Your own name for what was shared.")),
            ]),
            answer: .object([
                .required("memberId", .text), .required("channel", .text), .required("contentId", .nullable(.text)), .required("day", .text),
                .required("stage", .enumeration(Member.Stage.allCases.map(\.rawValue))),
            ]), status: 201,
            decode: { body, context in
                let channel = body.custom("channel", standIn: "") { value -> JSONReader.Reading<String> in
                    guard case .text(let text) = value, text.unicodeScalars.count <= Dimensions.lengthMax, !Dimensions.folded(text).isEmpty else {
                        return .refused("Must be a word of at most \(Dimensions.lengthMax) letters, digits, -, _ or dots.")
                    }
                    return .accepted(Dimensions.folded(text))
                }
                return (
                    member: try MemberReference.of(context), share: MemberShare(channel: channel, contentID: body.optionalName("contentId", maximumLength: MemberShare.contentLengthMax))
                )
            }
        ) { input, write in
            let member = try Member.ofPath(input.member, in: write)
            return Answer(try input.share.record(by: member, in: write), status: 201)
        }
    }
}
