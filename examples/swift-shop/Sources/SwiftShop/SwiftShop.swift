import Foundation
import KithClient

/// Sells what is named on the command line, and tells it:
///
///     KITH_URL=https://refer.example.com KITH_SECRET_KEY=kith_sk_… swift run SwiftShop INVOICE CUSTOMER CENTS [CODE]
///
/// `swift run SwiftShop` alone tells what could not be told before.
@main struct SwiftShop {
    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let address = environment["KITH_URL"].flatMap(URL.init(string:)), let key = environment["KITH_SECRET_KEY"].flatMap(KithClient.Key.init) else {
            throw Misused(what: "Set KITH_URL and KITH_SECRET_KEY.")
        }
        let kith = try KithClient(address: address, key: key, retries: RetryPolicy(triesMax: 2))
        let folder = URL(fileURLWithPath: environment["SHOP_FOLDER"] ?? "shop-queue")
        let queue = try EventQueue(folder: folder, client: kith)

        let words = Array(CommandLine.arguments.dropFirst())
        if !words.isEmpty {
            guard words.count >= 3, let cents = Int64(words[2]), cents >= 0 else { throw Misused(what: "Say INVOICE CUSTOMER CENTS [CODE].") }
            let sale = NewSale(
                invoiceId: words[0], customerExternalId: words[1], worth: Money(minor: cents, .eur), code: words.count > 3 ? words[3] : nil)
            // On disk before the customer goes.
            try await queue.add(.sale(sale))
        }

        switch try await queue.send() {
        case .empty(let sent): print("told \(sent), nothing waits")
        case .waiting(let sent, let left, let because): print("told \(sent), \(left) wait: \(because)")
        case .blocked(let sent, let left): print("told \(sent), \(left) wait: look at what was refused first")
        }
        for event in try await queue.refused() { print("refused \(event.id): \(event.refusal?.detail ?? "")") }

        if let page = try? await kith.sales(limit: 1), let last = page.data.first {
            print("the last sale: \(last.invoiceId), \(last.worth.amountMinor) \(last.worth.currency)")
            print(try await kith.receipt(of: last.id).answer)
        }
    }

    struct Misused: Error, CustomStringConvertible {
        var what: String
        var description: String { what }
    }
}
