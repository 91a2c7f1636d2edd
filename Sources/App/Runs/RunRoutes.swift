import Chronology
import Compensation
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

enum RunRoutes {
    static func add(to api: inout API) {
        add(lifeOf: &api)
        add(readingOf: &api)
        add(overridesOf: &api)
        add(lawOf: &api)
    }

    // MARK: A run's life

    private static func add(lifeOf api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/runs", id: "createRun", "Make the run of a plan for one period", tag: "Runs", access: .right(.commissionsWrite),
            body: .object([.required("planId", .text), .required("periodStart", .described(.text, description: "The first day.", example: "2026-11-01"))]),
            answer: .reference("Run"), status: 201,
            decode: { body, _ in
                NewRun(
                    planID: body.custom("planId", standIn: PlanID(stored: "")) { idReading($0, PlanKind.self, "plan") },
                    periodStart: body.custom("periodStart", standIn: .earliest, LocalDay.read))
            }
        ) { input, write in Answer(try Run.create(input, in: write).json, status: 201) }
        step(
            &api, "preview", id: "previewRun", "Compute a run; goes on beside the call when it takes long", .commissionsWrite, body: nil,
            decode: { _, context in try context.id(RunKind.self) }, id: { $0 }
        ) { id, write in try Run.beginPreview(id, in: write) }
        step(
            &api, "acceptance", id: "acceptRun", "Accept a previewed run: by another person than the one who made it", .payoutsApprove,
            body: .object([.optional("overrideReason", .string(maximumLength: Run.reasonLengthMax))]),
            decode: { body, context in
                RunDecision(
                    runID: try context.id(RunKind.self), overrideReason: body.optionalText("overrideReason", maximumLength: Run.reasonLengthMax))
            }, id: \.runID
        ) { decision, write in try Run.beginAcceptance(decision, in: write) }
        step(
            &api, "funding", id: "fundRun", "Make an accepted run's amounts available to payout batches", .payoutsApprove, body: nil,
            decode: { _, context in try context.id(RunKind.self) }, id: { $0 }
        ) { id, write in try Run.beginFunding(id, in: write) }
        step(
            &api, "reopening", id: "reopenRun", "Take an accepted run back as a whole; its period is open again", .payoutsApprove, body: nil,
            decode: { _, context in try context.id(RunKind.self) }, id: { $0 }
        ) { id, write in try Run.beginReversal(id, in: write) }
        _ = installation
    }

    /// A call that begins long work: it waits a while for the end and answers the run as it is then.
    private static func step<Input: Sendable>(
        _ api: inout API, _ path: String, id: String, _ summary: String, _ right: Right, body: APISchema?,
        decode: @escaping @Sendable (JSONReader, KithContext) throws -> Input, id runID: @escaping @Sendable (Input) -> RunID,
        _ begin: @escaping @Sendable (Input, Write) throws -> Run
    ) {
        api.write(
            .post, "/runs/{id}/\(path)", id: id, summary, tag: "Runs", access: .right(right), body: body, answer: .reference("Run"),
            failures: [409], preparationChanges: true, decode: decode,
            prepare: { [installation = api.installation] input, _, caller in
                try await installation.work(on: runID(input), in: caller.workspaceID, actor: caller.actor, rights: caller.rights) { write in
                    try begin(input, write)
                }
            }
        ) { run, write in Answer(try Run.find(run.id, in: write).json) }
    }

    // MARK: Reading

    private static func add(readingOf api: inout API) {
        let installation = api.installation
        api.read(
            "/runs", id: "listRuns", "Runs, the newest first", tag: "Runs", access: .right(.commissionsRead),
            parameters: APIParameter.page + [
                APIParameter("planId", .text), APIParameter("state", .enumeration(Run.State.allCases.map(\.rawValue))),
            ], answer: .page(.reference("Run"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, RunKind.self)
            let plan = try Query.id("planId", PlanKind.self, in: request)
            let state = try Query.word("state", Run.State.self, in: request)
            let runs = try await installation.main.read { connection in
                try RunStore.list(
                    in: caller.workspaceID, plan: plan, state: state, before: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(runs, page, cursor: \.id.text, json: \.json)
        }
        api.read("/runs/{id}", id: "getRun", "A run", tag: "Runs", access: .right(.commissionsRead), answer: .reference("Run")) { _, context, caller in
            ListAnswer.one(try await find(context, caller, installation).json)
        }
        api.read(
            "/runs/{id}/lines", id: "listRunLines", "Lines of a run, by member, bonus and order", tag: "Runs", access: .right(.commissionsRead),
            parameters: APIParameter.page + [APIParameter("memberId", Schemas.memberReference), APIParameter("saleId", .text)], answer: .page(.any)
        ) { request, context, caller in
            let page = try PageRequest.from(request)
            let run = try await find(context, caller, installation)
            let lines = try await RunLineList(
                run: run, member: try await Query.member("memberId", in: request, caller, installation), sale: try Query.id("saleId", SaleKind.self, in: request)
            ).rows(after: try page.startingAfter.map(number), limit: page.limit + 1, installation)
            return ListAnswer.response(lines, page, cursor: { String($0.number) }, json: { $0.json(run) })
        }
        api.read(
            "/runs/{id}/statements", id: "listRunStatements", "What a run found for each promoter", tag: "Runs", access: .right(.commissionsRead),
            parameters: APIParameter.page + [APIParameter("memberId", Schemas.memberReference)], answer: .page(.any)
        ) { request, context, caller in
            let page = try PageRequest.from(request)
            let run = try await find(context, caller, installation)
            let member = try await Query.member("memberId", in: request, caller, installation)
            let first = try page.startingAfter.map(number).map { $0 + 1 } ?? 0
            let rows = try await installation.main.read { connection -> [(Int, JSONValue)] in
                let rows =
                    if let member {
                        first > 0 ? [] : [try RunReading.statement(of: member, in: run.id, on: connection)].compactMap { $0 }
                    } else {
                        try RunReading.statements(of: run.id, from: first, count: page.limit + 1, on: connection)
                    }
                guard !rows.isEmpty else { return [] }
                let members = try MemberRows(of: run.id, on: connection)
                return try rows.enumerated().map { (first + $0.offset, $0.element.json(run, memberID: try members.id($0.element.member).text)) }
            }
            return ListAnswer.response(rows, page, cursor: { String($0.0) }, json: \.1)
        }
        api.read(
            "/runs/{id}/lines/{number}/receipt", id: "getRunLineReceipt", "Why a line is what it is", tag: "Runs", access: .right(.commissionsRead),
            answer: .any
        ) { _, context, caller in
            let run = try await find(context, caller, installation)
            guard let text = context.parameters.get("number"), let number = Int(text), number >= 0 else { throw Refusal.unknown("line") }
            let archived = try await installation.archive.result(of: run.id, in: run.workspaceID, installation)
            guard let receipt = try RunReceipt(archived, line: number) else { throw Refusal.unknown("line") }
            return ListAnswer.one(receipt.json)
        }
        api.read(
            "/runs/{id}/explanation", id: "explainRun", "What a member got from every bonus on a sale, and why nothing where it is nothing; without a sale, for the whole period",
            tag: "Runs", access: .right(.commissionsRead), parameters: [
                APIParameter("memberId", Schemas.memberReference, isRequired: true), APIParameter("saleId", .text),
            ], answer: .any
        ) { request, context, caller in
            let run = try await find(context, caller, installation)
            let sale = try Query.id("saleId", SaleKind.self, in: request)
            guard let member = try await Query.member("memberId", in: request, caller, installation) else { throw Refusal.field("memberId", "Is required.") }
            let archived = try await installation.archive.result(of: run.id, in: run.workspaceID, installation)
            guard let sale else { return ListAnswer.one(try RunNothing.period(archived, member: member)) }
            guard let receipts = try RunReceipt.all(archived, member: member, sale: sale) else {
                throw Problem.notFound(detail: "The member or the sale is not among the facts of this run.")
            }
            return ListAnswer.one(["memberId": .text(member.text), "saleId": .text(sale.text), "bonuses": .array(receipts.map(\.json))])
        }
        api.read(
            "/runs/{id}/audit", id: "getRunAudit", "What the legal audit of a run found", tag: "Runs", access: .right(.commissionsRead), answer: .any
        ) { _, context, caller in
            let run = try await find(context, caller, installation)
            let findings = try await installation.main.read { connection in try RunReading.findings(of: run.id, on: connection) }
            return ListAnswer.one(try run.auditJSON(findings))
        }
        api.read(
            "/runs/{id}/disclosure", id: "getRunDisclosure", "The income disclosure statement of a run's period", tag: "Runs",
            access: .right(.commissionsRead), answer: .any
        ) { _, context, caller in
            let run = try await find(context, caller, installation)
            return ListAnswer.one(try JSONValue.parse(Array(run.disclosure.text.utf8), maximumBytes: 10_000_000))
        }
    }

    private static func number(_ text: String) throws -> Int {
        guard let number = Int(text), number >= 0 else { throw Refusal.field("startingAfter", "Must be the nextCursor of the page before.") }
        return number
    }

    static func find(_ context: KithContext, _ caller: Caller, _ installation: Installation) async throws -> Run {
        let id: RunID = try context.id()
        let run = try await installation.main.read { connection in try RunStore.find(id, in: caller.workspaceID, on: connection) }
        guard let run else { throw Refusal.unknown("run") }
        return run
    }

    // MARK: Overrides and limits

    private static func add(overridesOf api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/runs/{id}/overrides", id: "overrideRun", "Decide something by hand; the run must be previewed again", tag: "Runs",
            access: .right(.commissionsWrite),
            body: .object([
                .required("memberId", Schemas.memberReference), .required("kind", .enumeration(RunOverride.Kind.allCases.map(\.rawValue))),
                .optional("bonus", .text), .optional("value", .integer()), .required("reason", .string(maximumLength: Run.reasonLengthMax)),
            ]), answer: .any, status: 201,
            decode: { body, context in
                NewRunOverride(
                    runID: try context.id(RunKind.self),
                    member: body.custom("memberId", standIn: .external("")) { value in
                        if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                        return .refused(MemberReference.allowed)
                    }, kind: try body.oneOf("kind"), bonus: body.optionalText("bonus", maximumLength: 64), value: body.optionalInteger("value"),
                    reason: body.text("reason", maximumLength: Run.reasonLengthMax))
            }
        ) { input, write in Answer(try RunOverride.add(input, in: write).json, status: 201) }
        api.write(
            .delete, "/runs/{id}/overrides/{override}", id: "removeRunOverride", "Take a decision back", tag: "Runs",
            access: .right(.commissionsWrite), body: nil, answer: .any,
            decode: { _, context in
                guard let override = context.parameters.get("override").flatMap({ RunOverrideID($0) }) else { throw Refusal.unknown("override") }
                return (run: try context.id(RunKind.self), override: override)
            }
        ) { input, write in
            try RunOverride.remove(input.override, of: input.run, in: write)
            return Answer(["id": .text(input.override.text), "removed": true])
        }
        api.read(
            "/runs/{id}/overrides", id: "listRunOverrides", "Decisions by hand in a run", tag: "Runs", access: .right(.commissionsRead),
            answer: .page(.any)
        ) { _, context, caller in
            let run = try await find(context, caller, installation)
            let rows = try await installation.main.read { connection in try RunOverrideStore.all(of: run.id, on: connection) }
            return ListAnswer.response(rows, PageRequest(limit: RunOverrideStore.overridesMax), cursor: \.id.text, json: \.json)
        }
    }

    private static func add(lawOf api: inout API) {
        let installation = api.installation
        api.write(
            .put, "/programs/{id}/legal-policy", id: "setLegalPolicy", "Set the limits of the legal audit of a program's runs", tag: "Runs",
            access: .right(.programsWrite), body: .object(LegalPolicy.fields), answer: .any,
            decode: { body, context in (program: try context.id(ProgramKind.self), policy: LegalPolicy.read(body)) }
        ) { input, write in
            try LegalPolicyStore.put(input.policy, of: input.program, in: write)
            return Answer(input.policy.json())
        }
        api.read(
            "/programs/{id}/legal-policy", id: "getLegalPolicy", "The limits of the legal audit", tag: "Runs", access: .right(.programsRead),
            answer: .any
        ) { _, context, caller in
            let id: ProgramID = try context.id()
            let (policy, unit) = try await installation.main.read { connection -> (LegalPolicy, UnitCode) in
                guard let program = try ProgramStore.find(
                    id, in: caller.workspaceID, at: WorkspaceStore.now(of: caller.workspaceID, installation.world, on: connection), on: connection) else { throw Refusal.unknownProgram() }
                return (try LegalPolicyStore.find(id, on: connection), try UnitCode(program.currency))
            }
            return ListAnswer.one(policy.json(unit: unit))
        }
    }
}

extension LocalDay {
    static func read(_ value: JSONValue) -> JSONReader.Reading<LocalDay> {
        guard case .text(let text) = value, let day = try? LocalDay(iso8601: text) else { return .refused("Must be a day, such as 2026-11-01.") }
        return .accepted(day)
    }
}

extension Run {
    var json: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        func hex(_ value: [UInt8]?) -> JSONValue { value.map { .text(Hexadecimal.text($0)) } ?? .null }
        func parsed(_ value: JSONText) -> JSONValue { (try? JSONValue.parse(Array(value.text.utf8), maximumBytes: 10_000_000)) ?? .null }
        let audit = parsed(audit)
        return [
            "id": .text(id.text), "planId": .text(planID.text), "planVersion": .integer(Int64(planVersion)), "programId": .text(programID.text),
            "periodStart": .text(periodStart.iso8601), "periodEnd": .text(periodEnd.iso8601), "state": .text(state.rawValue),
            "currency": .text(unit.code), "total": .integer(totalMinor), "hash": hex(hash), "factsHash": hex(factsHash),
            "cutoff": text(cutoff?.rfc3339), "summary": parsed(summary),
            "audit": ["blocking": audit["blocking"] ?? 0, "flags": audit["flags"] ?? 0], "overrideReason": text(overrideReason),
            "previousRunId": text(previousID?.text),
            "progress": [
                "work": text(progress.work?.rawValue), "done": .integer(progress.done), "total": .integer(progress.total),
                "failure": text(progress.failure),
            ],
            "createdBy": .text(createdBy), "createdAt": .text(createdAt.rfc3339), "previewedAt": text(previewedAt?.rfc3339),
            "acceptedBy": text(acceptedBy), "acceptedAt": text(acceptedAt?.rfc3339), "fundedBy": text(fundedBy), "fundedAt": text(fundedAt?.rfc3339),
            "supersededBy": text(supersededBy), "supersededAt": text(supersededAt?.rfc3339),
        ]
    }

    func auditJSON(_ findings: [RunReading.Finding]) throws -> JSONValue {
        guard case .object(let members) = try JSONValue.parse(Array(audit.text.utf8), maximumBytes: 10_000_000) else { return .null }
        return .object(
            members + [
                JSONMember("overrideReason", overrideReason.map { .text($0) } ?? .null),
                JSONMember(
                    "findings",
                    .array(
                        findings.map {
                            [
                                "check": .text($0.check), "memberId": .text($0.memberID.text), "part": .integer($0.part), "whole": .integer($0.whole),
                                "isHard": .boolean($0.isHard),
                            ]
                        })),
            ])
    }
}

extension StoredStatement {
    func json(_ run: Run, memberID: String) -> JSONValue {
        [
            "memberId": .text(memberID), "rank": .integer(Int64(rank)), "paidRank": .integer(Int64(paidRank)),
            "highestRank": .integer(Int64(highestRank)), "isActive": .boolean(isActive), "personalVolume": .integer(personalVolume),
            "groupVolume": .integer(groupVolume), "amount": .integer(amountMinor), "currency": .text(run.unit.code),
            "lines": .integer(Int64(lineCount)),
        ]
    }
}
