import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// What members can spend, and what moves it.
enum WalletRoutes {
    /// Days on which something lapses, told at once.
    static let lapsesShown = 50

    static func add(to api: inout API) {
        addReading(to: &api)
        addUnits(to: &api)
        api.write(
            .post, "/members/{id}/wallet/adjustments", id: "adjustWallet", "Give points or credit, or take them, with a reason", tag: "Wallet",
            access: .right(.commissionsWrite),
            body: .object([
                .required("unit", unitSchema),
                .required("amount", .described(.integer(-Wallet.amountMax...Wallet.amountMax), description: "Below zero takes away.", example: 250)),
                .required("reason", .string(maximumLength: Wallet.reasonLengthMax)), .optional("programId", .text),
            ]), answer: .reference("WalletMovement"), status: 201, failures: [409],
            decode: { body, context in
                let amount = body.integer("amount", in: -Wallet.amountMax...Wallet.amountMax)
                if amount == 0 { body.note("amount", "Must be above or below zero.") }
                return (
                    member: try MemberReference.of(context),
                    order: Wallet.Order(
                        unit: try unit(body), amountMinor: amount, reason: body.text("reason", maximumLength: Wallet.reasonLengthMax), programID: program(body))
                )
            }
        ) { input, write in
            let member = try Member.ofPath(input.member, in: write)
            return Answer(try Wallet.adjust(member, input.order, in: write).json, status: 201)
        }
        api.write(
            .post, "/members/{id}/wallet/redemptions", id: "redeemFromWallet", "Spend points or credit of a member", tag: "Wallet",
            access: .right(.commissionsWrite),
            body: .object([
                .required("unit", unitSchema), .required("amount", amountSchema), .optional("reason", .string(maximumLength: Wallet.reasonLengthMax)),
                .optional("programId", .text),
            ]), answer: .reference("WalletMovement"), status: 201, failures: [409],
            decode: { body, context in
                (
                    member: try MemberReference.of(context),
                    order: Wallet.Order(
                        unit: try unit(body), amountMinor: body.integer("amount", in: 1...Wallet.amountMax),
                        reason: body.optionalText("reason", maximumLength: Wallet.reasonLengthMax), programID: program(body))
                )
            }
        ) { input, write in
            let member = try Member.ofPath(input.member, in: write)
            return Answer(try Wallet.redeem(member, input.order, in: write).json, status: 201)
        }
        api.write(
            .post, "/members/{id}/wallet/transfers", id: "transferFromWallet", "Move points or credit to another member, where the unit allows it",
            tag: "Wallet", access: .right(.commissionsWrite),
            body: .object([
                .required("unit", unitSchema), .required("amount", amountSchema), .required("toMemberId", Schemas.memberReference),
                .optional("reason", .string(maximumLength: Wallet.reasonLengthMax)),
            ]), answer: .reference("WalletMovement"), status: 201, failures: [409],
            decode: { body, context in
                (
                    member: try MemberReference.of(context),
                    receiver: body.custom("toMemberId", standIn: MemberReference.external("")) { value -> JSONReader.Reading<MemberReference> in
                        if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                        return .refused(MemberReference.allowed)
                    },
                    order: Wallet.Order(
                        unit: try unit(body), amountMinor: body.integer("amount", in: 1...Wallet.amountMax),
                        reason: body.optionalText("reason", maximumLength: Wallet.reasonLengthMax))
                )
            }
        ) { input, write in
            let sender = try Member.ofPath(input.member, in: write)
            let receiver = try Member.find(input.receiver, field: "toMemberId", in: write)
            return Answer(try Wallet.transfer(from: sender, to: receiver, input.order, in: write).json, status: 201)
        }
    }

    private static func addReading(to api: inout API) {
        let installation = api.installation
        api.read(
            "/members/{id}/wallet", id: "getWallet", "What a member can spend, each unit apart, and when it lapses", tag: "Wallet",
            access: .right(.membersRead), answer: shape
        ) { _, context, caller in
            let reference = try MemberReference.of(context)
            return ListAnswer.one(
                try await installation.main.read { connection in
                    let member = try MemberRoutes.find(reference, caller, installation, on: connection)
                    return try WalletSummary.load(member.id, in: caller.workspaceID, on: connection).json
                })
        }
        api.read(
            "/members/{id}/wallet/movements", id: "listWalletMovements", "What changed a member's wallet beside commissions, the newest first",
            tag: "Wallet", access: .right(.membersRead), parameters: APIParameter.page, answer: .page(.reference("WalletMovement"))
        ) { request, context, caller in
            let page = try PageRequest.from(request, WalletMovementKind.self)
            let reference = try MemberReference.of(context)
            let movements = try await installation.main.read { connection in
                let member = try MemberRoutes.find(reference, caller, installation, on: connection)
                return try WalletMovementStore.of(
                    member.id, before: page.startingAfter.map { WalletMovementID(stored: $0) }, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(movements, page, cursor: \.id.text, json: \.json)
        }
    }

    private static func addUnits(to api: inout API) {
        let installation = api.installation
        let shape = APISchema.object([
            .required("unit", .text), .required("expiresAfterDays", .nullable(.integer(1...WalletUnit.expiresAfterDaysMax))), .required("mayTransfer", .boolean),
        ])
        api.read(
            "/wallet/units", id: "listWalletUnits", "How points and credit may be spent", tag: "Wallet", access: .right(.programsRead),
            answer: .object([.required("data", .array(shape))])
        ) { _, _, caller in
            let units = try await installation.main.read { connection in try WalletUnitStore.all(in: caller.workspaceID, on: connection) }
            return ListAnswer.one(["data": .array(units.map(\.json))])
        }
        api.write(
            .put, "/wallet/units/{unit}", id: "setWalletUnit", "Say for how many days a unit may be spent, and whether members may pass it on",
            tag: "Wallet", access: .right(.programsWrite),
            body: .object([
                .optional(
                    "expiresAfterDays",
                    .described(.nullable(.integer(1...WalletUnit.expiresAfterDaysMax)), description: "Counts for what arrives from then on; nothing lapses without.")),
                .optional("mayTransfer", .boolean),
            ]), answer: shape,
            decode: { body, context in
                guard let text = context.parameters.get("unit"), let unit = Wallet.unit(text.removingPercentEncoding ?? text) else {
                    throw Refusal.field("unit", Wallet.unitAllowed)
                }
                return WalletUnit(
                    unit: unit, expiresAfterDays: body.optionalInteger("expiresAfterDays", in: 1...WalletUnit.expiresAfterDaysMax),
                    mayTransfer: body.optionalBoolean("mayTransfer") ?? false)
            }
        ) { unit, write in
            try WalletUnit.set(unit, in: write)
            return Answer(unit.json)
        }
    }

    static let unitSchema = APISchema.described(.string(maximumLength: Wallet.unitLengthMax), description: "A name of points, or credit: and a currency.", example: "points")
    static let amountSchema = APISchema.described(.integer(1...Wallet.amountMax), description: "Points, or minor units of credit.", example: 250)

    static func unit(_ body: JSONReader, field: String = "unit") throws -> UnitCode {
        body.custom(field, standIn: UnitCode.points) { value in
            guard case .text(let text) = value, let unit = Wallet.unit(text) else { return .refused(Wallet.unitAllowed) }
            return .accepted(unit)
        }
    }

    static func program(_ body: JSONReader) -> ProgramID? { body.optionalCustom("programId") { idReading($0, ProgramKind.self, "program") } }

    private static let shape = APISchema.object([
        .required("memberId", .text),
        .required(
            "units",
            .array(
                .object([
                    .required("unit", .text), .required("kind", .enumeration(["points", "credit"])), .required("pending", .integer()), .required("held", .integer()),
                    .required("available", .integer()), .required("spent", .integer()), .required("debt", .integer()),
                    .required("expiresAfterDays", .nullable(.integer())), .required("mayTransfer", .boolean),
                    .required("lapses", .array(.object([.required("at", .dateTime), .required("amount", .integer())]))),
                ]))),
    ])
}

extension WalletUnit {
    var json: JSONValue {
        ["unit": .text(unit.code), "expiresAfterDays": expiresAfterDays.map { .integer($0) } ?? .null, "mayTransfer": .boolean(mayTransfer)]
    }
}

/// One member's wallet: each unit apart.
struct WalletSummary: Sendable {
    struct Part: Sendable {
        var balance: MemberBalance
        var settings: WalletUnit
        var lapses: [(at: Instant, amountMinor: Int64)]
    }

    var memberID: MemberID
    var parts: [Part]

    static func load(_ member: MemberID, in workspace: WorkspaceID, on connection: any Connection) throws -> WalletSummary {
        let next = try WalletLotStore.next(of: member, limit: WalletRoutes.lapsesShown, on: connection)
        let balances = try Journal.balances(workspace: workspace.text, member: member.text, on: connection).filter { Wallet.holds($0.unit) }
        return WalletSummary(
            memberID: member,
            parts: try balances.map { balance in
                Part(
                    balance: balance, settings: try WalletUnitStore.find(balance.unit, in: workspace, on: connection),
                    lapses: next.filter { $0.unit == balance.unit }.map { ($0.expiresAt, $0.amountMinor) })
            })
    }

    var json: JSONValue {
        [
            "memberId": .text(memberID.text),
            "units": .array(
                parts.map { part in
                    let balance = part.balance
                    let isPoints = if case .points = balance.unit.kind { true } else { false }
                    return [
                        "unit": .text(balance.unit.code), "kind": .text(isPoints ? "points" : "credit"), "pending": .integer(balance.pending.minor),
                        "held": .integer(balance.held.minor), "available": .integer(balance.available.minor), "spent": .integer(balance.paid.minor),
                        "debt": .integer(balance.debt.minor), "expiresAfterDays": part.settings.expiresAfterDays.map { .integer($0) } ?? .null,
                        "mayTransfer": .boolean(part.settings.mayTransfer),
                        "lapses": .array(part.lapses.map { ["at": .text($0.at.rfc3339), "amount": .integer($0.amountMinor)] }),
                    ]
                }),
        ]
    }
}
