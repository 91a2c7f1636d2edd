#if canImport(Glibc)
import Foundation
import Testing

@testable import KithClient

/// The client and a real server understand each other, also when the way between them doesn't hold.
@Suite struct RealServerTests {
    @Test func aShopIntegrates() async throws {
        let server = try KithServer()
        let (client, program, amira, link) = try await server.shop()
        #expect(try await client.programs().data.map(\.id) == [program.id])
        #expect(amira.externalId == "1042" && link.code == "AMIRA" && link.memberId == amira.id)

        let browser = try server.client(key: server.publishableKey)
        let click = try await browser.track(NewClick(code: "AMIRA", visitorId: "v-1"))
        #expect(click.member?.id == amira.id && click.offer.programId == program.id)
        let lead = try await browser.track(NewLead(eventName: "sign-up", customerExternalId: "ben", clickId: click.clickId))
        #expect(lead.customerId == nil)

        let sale = try await client.track(
            NewSale(invoiceId: "MR-88213", customerExternalId: "ben", worth: Money(minor: 8_600, .eur), clickId: click.clickId, metadata: ["channel": "web"]))
        #expect(sale.attribution.shares.map(\.memberId) == [amira.id] && sale.attribution.shares.map(\.sharePpm) == [1_000_000])
        #expect(sale.commissions.map(\.worth) == [Money(minor: 860, .eur)] && sale.commissions.first?.state == .pending)
        let refund = try await client.track(NewRefund(invoiceId: "MR-88213", refundId: "re-1", amountMinor: 2_400))
        #expect(refund.state == .applied && refund.appliedAmount == 2_400)

        #expect(try await client.balances(of: .external("1042")).map(\.pending) == [620])
        #expect(try await client.member(.id(amira.id)).name == "Amira Kaya")
        #expect(try await client.sale(sale.saleId).refunded == Money(minor: 2_400, .eur))
        #expect(try await client.receipt(of: sale.saleId).document["saleId"].text == sale.saleId.text)
        let commission = try #require(sale.commissions.first)
        #expect(try await !client.receipt(of: commission.id).document["arithmetic"]["amount"].isNothing)
        #expect(try await client.receipt(of: lead.leadId).document["leadId"].text == lead.leadId.text)
        #expect(try await client.commissions(of: .id(amira.id)).data.map(\.id) == [commission.id])
        #expect(try await client.links(of: .external("1042")).data.map(\.id) == [link.id])
        #expect(try await client.link(link.id).clicks == 1)
        #expect(try await client.members(in: program.id).data.map(\.id) == [amira.id])
        let events = try await client.events(limit: 100)
        #expect(Set(events.data.map(\.type)).isSuperset(of: ["sale.created", "sale.refunded", "commission.created"]))
    }

    @Test func listsGoOnToTheirEnd() async throws {
        let server = try KithServer()
        let (client, program, _, _) = try await server.shop()
        for number in 1...7 { try await client.track(NewSale(invoiceId: "i-\(number)", customerExternalId: "c", worth: Money(minor: 100, .eur), code: "AMIRA")) }
        var invoices: [String] = []
        for try await sale in client.all({ try await client.sales(limit: 3, startingAfter: $0) }) { invoices.append(sale.invoiceId) }
        #expect(invoices == (1...7).reversed().map { "i-\($0)" })
        var nobody = 0
        for try await _ in client.all({ try await client.members(in: program.id, limit: 1, startingAfter: $0) }) { nobody += 1 }
        #expect(nobody == 1)
    }

    @Test func refusalsSayWhy() async throws {
        let server = try KithServer()
        let (client, _, _, _) = try await server.shop()
        let sale = NewSale(invoiceId: "i", customerExternalId: "c", worth: Money(minor: 100, .eur))
        try await client.track(sale)
        var other = sale
        other.worth = Money(minor: 200, .eur)
        #expect(await problem { try await client.track(other) }?.kind == .conflict)
        let negative = NewSale(invoiceId: "n", customerExternalId: "c", worth: Money(minor: -1, .eur))
        let wrong = await problem { try await client.track(negative) }
        #expect(wrong?.kind == .invalid && wrong?.errors.map(\.field) == ["amount"] && wrong?.requestID != nil)
        #expect(await problem { try await client.member(.external("nobody")) }?.kind == .notFound)
        let browser = try server.client(key: server.publishableKey)
        #expect(await problem { try await browser.track(sale) }?.kind == .forbidden)
        let unknown = KithClient.Key("kith_sk_unknown")
        let stranger = try server.client(key: unknown)
        #expect(await problem { try await stranger.programs() }?.kind == .unauthorized)
    }

    /// The server took the sale, and the answer was lost: the next try is answered with what was done.
    @Test func aLostAnswerIsNoSecondSale() async throws {
        let server = try KithServer()
        let (client, _, amira, _) = try await server.shop()
        let way = try MisbehavingServer([.doAndHangUp(port: server.port), .hangUp, .breakOff, .handOn(port: server.port)])
        let shaky = try server.client(RetryPolicy(triesMax: 6), at: way.address)
        let answer = try await shaky.call(
            "POST", ["members"], body: ["programId": .text(amira.programIds[0].text), "email": "twice@people.example", "name": "Once Only"])
        let keys = Set(way.seen.compactMap { $0.header("Idempotency-Key") })
        #expect(way.seen.count == 4 && keys.count == 1)
        let people = try await client.members().data.filter { $0.email == "twice@people.example" }
        #expect(people.map(\.id.text) == [answer["id"].text])

        // A sale is known by its invoice as well.
        let again = try MisbehavingServer([.doAndHangUp(port: server.port), .handOn(port: server.port)])
        let sale = try await server.client(at: again.address).track(
            NewSale(invoiceId: "once", customerExternalId: "c", worth: Money(minor: 5_000, .eur), code: "AMIRA"))
        #expect(sale.commissions.map(\.worth.amountMinor) == [500])
        #expect(try await client.sales().data.map(\.id) == [sale.saleId])
        #expect(try await client.balances(of: .id(amira.id)).map(\.pending) == [500])
    }

    @Test func anEmbedTokenShowsTheMemberAlone() async throws {
        let server = try KithServer()
        let (client, _, amira, link) = try await server.shop()
        let token = try await client.embedToken(for: .external("1042"), withPortalLink: true)
        #expect(token.memberId == amira.id && token.expiresAt > Date() && !"\(token)".contains(token.token))
        #expect(token.portalUrl?.contains("/portal/enter?token=") == true)
        let page = HTTPRequest(
            method: "GET", url: try #require(URL(string: "\(server.address)/api/v1/embed/member")), headers: ["Authorization": "Bearer \(token.token)"], body: nil,
            timeoutSeconds: 10)
        let shown = try await URLSessionTransport().send(page)
        #expect(shown.status == 200)
        #expect(try JSONCoding.decode(JSONValue.self, from: shown.body)["links"].list.map { $0["url"].text } == [link.url])
        #expect(await problem { try await client.embedToken(for: .external("nobody")) }?.kind == .notFound)
    }

    private func problem<T>(_ call: () async throws -> T) async -> Problem? {
        do {
            _ = try await call()
            return nil
        } catch {
            return (error as? KithError)?.problem
        }
    }
}

extension JSONValue {
    var isNothing: Bool { self == .null }
}

/// What the client does about servers that don't do what they should.
@Suite struct MisbehavingServerTests {
    private func client(_ server: MisbehavingServer, tries: Int, timeoutSeconds: Double = 10, pauses: Pauses = Pauses()) throws -> KithClient {
        try KithClient(
            address: server.address, key: try #require(KithClient.Key("kith_sk_test")), retries: RetryPolicy(triesMax: tries), timeoutSeconds: timeoutSeconds,
            allowsPlainHTTP: false, transport: URLSessionTransport(), surroundings: Surroundings(pause: { pauses.note($0) }, share: { 0.5 }))
    }

    private func problem(_ status: Int, _ headers: [String] = []) -> MisbehavingServer.Step {
        .answer(status: status, headers: headers, body: #"{"status":\#(status),"code":"x","detail":"d","requestId":"r"}"#)
    }

    @Test func itWaitsAsLongAsItIsAsked() async throws {
        let pauses = Pauses()
        let server = try MisbehavingServer([problem(429, ["Retry-After: 7"]), problem(503, ["Retry-After: 2"]), problem(503), .answer(status: 200, headers: [], body: "{}")])
        _ = try await client(server, tries: 5, pauses: pauses).call("POST", ["track", "sale"], body: [:])
        #expect(pauses.all == [7_100, 2_200, 400])
        #expect(Set(server.seen.map { $0.header("Idempotency-Key") }).count == 1)
    }

    @Test func itDoesNotWaitForEver() async throws {
        let server = try MisbehavingServer([problem(429, ["Retry-After: 3600"])])
        let serverClient = try client(server, tries: 5)
        do throws(KithError) {
            _ = try await serverClient.call("GET", ["programs"])
            Issue.record("no refusal")
        } catch {
            #expect(error.problem?.kind == .limited && error.problem?.retryAfterSeconds == 3_600)
        }
        #expect(server.seen.count == 1)
    }

    @Test(.timeLimit(.minutes(1))) func silenceEnds() async throws {
        let server = try MisbehavingServer([.keepSilent])
        let serverClient = try client(server, tries: 2, timeoutSeconds: 1)
        do throws(KithError) {
            _ = try await serverClient.call("GET", ["programs"])
            Issue.record("an answer came")
        } catch {
            guard case .unreachable(_, tries: 2) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    /// The key would go to whoever the redirect names.
    @Test func itFollowsNobody() async throws {
        let other = try MisbehavingServer([.answer(status: 200, headers: [], body: "{}")])
        let server = try MisbehavingServer([.answer(status: 302, headers: ["Location: http://127.0.0.1:\(other.port)/"], body: "")])
        let serverClient = try client(server, tries: 2)
        do throws(KithError) {
            _ = try await serverClient.call("GET", ["programs"])
            Issue.record("it went along")
        } catch {
            #expect(error.problem?.status == 302)
        }
        #expect(other.seen.isEmpty)
    }

    @Test func pagesOfProxiesAreProblemsToo() async throws {
        let server = try MisbehavingServer([.answer(status: 404, headers: [], body: "<html>nothing here</html>")])
        let serverClient = try client(server, tries: 2)
        do throws(KithError) {
            _ = try await serverClient.call("GET", ["programs"])
            Issue.record("no refusal")
        } catch {
            #expect(error.problem?.kind == .notFound && error.problem?.isFinal == false)
        }
        let odd = try MisbehavingServer([.answer(status: 200, headers: [], body: "<html>Welcome to the hotel</html>")])
        let oddClient = try client(odd, tries: 2)
        do throws(KithError) {
            _ = try await oddClient.call("GET", ["programs"])
            Issue.record("it was read")
        } catch {
            guard case .unreadable(status: 200, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
#endif
