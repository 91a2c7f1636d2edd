import Chronology
import Money
import Persistence
import Web

enum SaleRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/sales", id: "listSales", "Sales, the newest first", tag: "Sales", access: .right(.salesRead),
            parameters: APIParameter.page + [
                APIParameter("programId", .text), APIParameter("customerId", .text), APIParameter("memberId", Schemas.memberReference),
                APIParameter("invoiceId", .string(maximumLength: 255)), APIParameter("from", .dateTime), APIParameter("until", .dateTime),
            ], answer: .page(.reference("Sale"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, SaleKind.self)
            let filter = SaleStore.Filter(
                program: try Query.id("programId", ProgramKind.self, in: request), customer: try Query.id("customerId", CustomerKind.self, in: request),
                member: try await Query.member("memberId", in: request, caller, installation), invoice: try Query.externalID("invoiceId", in: request),
                from: try Query.instant("from", in: request), until: try Query.instant("until", in: request))
            let sales = try await installation.main.read { connection in
                try SaleStore.list(in: caller.workspaceID, filter, before: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(sales, page, cursor: \.id.text, json: \.json)
        }
        api.read("/sales/{id}", id: "getSale", "A sale", tag: "Sales", access: .right(.salesRead), answer: .reference("Sale")) { _, context, caller in
            let id: SaleID = try context.id()
            let sale = try await installation.main.read { connection in try SaleStore.find(id, in: caller.workspaceID, on: connection) }
            guard let sale else { throw Refusal.unknown("sale") }
            return ListAnswer.one(sale.json)
        }
        api.read(
            "/sales/{id}/receipt", id: "getSaleReceipt", "Why a sale paid what it paid, or nothing", tag: "Sales", access: .right(.salesRead),
            answer: .reference("Receipt")
        ) { _, context, caller in
            let id: SaleID = try context.id()
            let receipt = try await installation.main.read { connection in
                try Receipt.of(sale: id, in: caller.workspaceID, on: connection)
            }
            guard let receipt else { throw Refusal.unknown("sale") }
            return ListAnswer.one(receipt.json)
        }
        api.read(
            "/refunds", id: "listRefunds", "Refunds", tag: "Sales", access: .right(.salesRead), parameters: APIParameter.page,
            answer: .page(.reference("Refund"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, RefundKind.self)
            let rows = try await installation.main.read { connection in
                try RefundStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection).map {
                    ($0.id.text, try $0.json(on: connection))
                }
            }
            return ListAnswer.response(rows, page, cursor: \.0, json: \.1)
        }
    }
}

extension Sale {
    var json: JSONValue {
        [
            "id": .text(id.text), "programId": programID.map { .text($0.text) } ?? .null, "customerId": .text(customerID.text),
            "invoiceId": .text(invoiceID), "amount": .integer(amountMinor), "refundedAmount": .integer(refundedMinor),
            "currency": .text(currency.code), "saleNumber": .integer(saleNumber), "country": country.map { .text($0) } ?? .null,
            "eventName": eventName.map { .text($0) } ?? .null, "occurredAt": .text(occurredAt.rfc3339), "recordedAt": .text(recordedAt.rfc3339),
        ]
    }
}
