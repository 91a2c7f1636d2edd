import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Taking in what banks and providers say of payouts, for programs.
enum ReconciliationRoutes {
    /// Signs of a file in one call; the command takes larger ones.
    static let contentMax = 2_000_000

    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/reconciliations", id: "takeReconciliation", "Take in a file of a bank or provider, or see what that would change", tag: "Payouts",
            access: .right(.payoutsWrite),
            body: .object([
                .required("format", .enumeration(BankFile.Format.allCases.map(\.rawValue))),
                .required("content", .described(.string(maximumLength: contentMax), description: "The file itself: pain.002, camt.053 or CSV.")),
                .optional("mapping", mapping), .optional("dryRun", .boolean),
            ]),
            answer: ReconciliationSummary.schema, failures: [409], maximumBytes: 2 * contentMax + 65_536, preparationChanges: true,
            decode: { body, _ in
                let content = body.text("content", maximumLength: contentMax)
                let mapped = body.optionalObject("mapping") { columns($0) }
                let isDryRun = body.optionalBoolean("dryRun") ?? false
                return Input(format: try body.oneOf("format"), content: content, columns: mapped, isDryRun: isDryRun)
            },
            prepare: { input, _, caller in
                let file = try BankFile.readRefusing(.text(input.content), input.format, mapping: input.columns)
                let summary = try await installation.reconcile(file, in: caller.workspaceID, actor: caller.actor, isDryRun: input.isDryRun)
                guard summary.mistakeCount == 0 else {
                    throw Problem.unprocessable(
                        code: "mistakes_in_file", detail: "\(summary.mistakeCount) \(summary.mistakeCount == 1 ? "mistake" : "mistakes") in the file; nothing was written.",
                        errors: summary.mistakes.map { FieldError(field: "content", message: "Line \($0.line): \($0.message)") })
                }
                return (summary, input.isDryRun)
            }
        ) { prepared, _ in Answer(prepared.0.json(isDryRun: prepared.1)) }
        api.read(
            "/reconciliations", id: "listReconciliations", "Files that were taken in, the newest first", tag: "Payouts", access: .right(.ledgerRead),
            parameters: APIParameter.page, answer: .page(file)
        ) { request, _, caller in
            let page = try PageRequest.from(request, ReconciliationKind.self)
            let files = try await installation.main.read { connection in
                try ReconciliationStore.files(in: caller.workspaceID, before: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(files, page, cursor: \.id.text, json: \.json)
        }
        api.read(
            "/reconciliation-entries", id: "listReconciliationEntries", "What banks and providers said, the newest first", tag: "Payouts",
            access: .right(.ledgerRead),
            parameters: APIParameter.page + [
                APIParameter("state", .enumeration(ReconciliationEntry.State.allCases.map(\.rawValue))), APIParameter("payoutId", .text),
                APIParameter("reconciliationId", .text),
            ], answer: .page(entry)
        ) { request, _, caller in
            let page = try PageRequest.from(request, ReconciliationEntryKind.self)
            let filter = ReconciliationStore.Filter(
                state: try Query.word("state", ReconciliationEntry.State.self, in: request), payout: try Query.id("payoutId", PayoutKind.self, in: request),
                file: try Query.id("reconciliationId", ReconciliationKind.self, in: request))
            let entries = try await installation.main.read { connection in
                try ReconciliationStore.list(in: caller.workspaceID, filter, before: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(entries, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/reconciliation-entries/{id}/assignment", id: "assignReconciliationEntry", "Say which payment an entry is about", tag: "Payouts",
            access: .right(.payoutsWrite), body: .object([.required("payoutId", .text), .required("memberId", Schemas.memberReference)]), answer: entry,
            failures: [409],
            decode: { body, context in
                (
                    id: try context.id(ReconciliationEntryKind.self),
                    payout: body.custom("payoutId", standIn: PayoutID(stored: "")) { idReading($0, PayoutKind.self, "payout") },
                    member: body.memberReference("memberId")
                )
            }
        ) { input, write in
            let member = try Member.find(input.member, field: "memberId", in: write).id
            return Answer(try ReconciliationEntry.assign(input.id, to: input.payout, member, seal: installation.reconciliationSeal, in: write).json)
        }
        api.write(
            .post, "/reconciliation-entries/{id}/setting-aside", id: "setReconciliationEntryAside", "Say that there is nothing to do about an entry, and why",
            tag: "Payouts", access: .right(.payoutsWrite), body: .object([.required("reason", .string(maximumLength: ReconciliationEntry.reasonMax))]),
            answer: entry, failures: [409],
            decode: { body, context in
                (id: try context.id(ReconciliationEntryKind.self), reason: body.text("reason", maximumLength: ReconciliationEntry.reasonMax))
            }
        ) { input, write in Answer(try ReconciliationEntry.setAside(input.id, reason: input.reason, in: write).json) }
    }

    private struct Input: Sendable {
        var format: BankFile.Format
        var content: String
        var columns: EntryTable.Columns?
        var isDryRun: Bool
    }

    /// Which column of the file is which.
    static func columns(_ body: JSONReader) -> EntryTable.Columns {
        var columns = EntryTable.Columns()
        for column in EntryTable.Column.allCases {
            if let name = body.optionalText(column.rawValue, maximumLength: 200) { columns.names[column] = name }
        }
        columns.separator = body.optionalOneOf("separator") ?? .comma
        columns.decimalSign = body.optionalOneOf("decimalSign") ?? .point
        columns.currency = body.optionalText("defaultCurrency", maximumLength: 3)
        return columns
    }

    private static let mapping = APISchema.described(
        .object(
            EntryTable.Column.allCases.map { .optional($0.rawValue, .string(maximumLength: 200)) } + [
                .optional("separator", .enumeration(EntryTable.Columns.Separator.allCases.map(\.rawValue))),
                .optional("decimalSign", .enumeration(EntryTable.Columns.DecimalSign.allCases.map(\.rawValue))), .optional("defaultCurrency", Schemas.currency),
            ]), description: "For CSV: what the file calls its columns.")

    private static let file = APISchema.object([
        .required("id", .text), .required("format", .enumeration(BankFile.Format.allCases.map(\.rawValue))),
        .required("state", .enumeration(Reconciliation.State.allCases.map(\.rawValue))), .required("accountEnding", .nullable(.text)),
        .required("currency", .nullable(.text)), .required("opening", .nullable(.integer())), .required("closing", .nullable(.integer())),
        .required("entryCount", .integer()), .required("knownCount", .integer()), .required("createdBy", .text), .required("createdAt", .dateTime),
    ])

    private static let entry = APISchema.object([
        .required("id", .text), .required("reconciliationId", .text), .required("line", .integer()),
        .required("meaning", .enumeration(BankEntry.Meaning.allCases.map(\.rawValue))), .required("batch", .boolean),
        .required("state", .enumeration(ReconciliationEntry.State.allCases.map(\.rawValue))), .required("difference", .nullable(.text)),
        .required("payoutId", .nullable(.text)), .required("memberId", .nullable(.text)), .required("amount", .nullable(.integer())),
        .required("currency", .nullable(.text)), .required("bookedOn", .nullable(.text)), .required("status", .nullable(.text)),
        .required("reasonCodes", .array(.text)), .required("bankReference", .nullable(.text)), .required("decidedBy", .nullable(.text)),
        .required("decidedAt", .nullable(.dateTime)), .required("reason", .nullable(.text)), .required("createdAt", .dateTime),
    ])
}

extension ReconciliationEntry {
    /// Says what an open entry is about.
    static func assign(
        _ id: ReconciliationEntryID, to payout: PayoutID, _ member: MemberID, seal: Seal, in write: Write
    ) throws -> ReconciliationEntry {
        guard let row = try ReconciliationStore.find(id, in: write.workspace.id, on: write.connection),
            let file = try ReconciliationStore.file(row.reconciliationID, in: write.workspace.id, on: write.connection)
        else { throw Refusal.unknown("entry") }
        var run = ReconciliationRun(file.id, file.format, seal: seal, in: write)
        return try run.assign(id, to: payout, member)
    }
}
