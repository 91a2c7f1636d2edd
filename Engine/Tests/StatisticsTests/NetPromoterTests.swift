import Statistics
import Testing

/// What a net promoter score is, and how much a few answers can say.
@Suite struct NetPromoterTests {
    @Test(arguments: [(50, 25, 100, 25), (0, 0, 1, 0), (1, 0, 1, 100), (0, 1, 1, -100), (2, 1, 3, 33), (1, 2, 3, -33), (1, 0, 8, 13), (0, 1, 8, -13)])
    func pointsAreWhole(_ promoters: Int, _ detractors: Int, _ answers: Int, wanted: Int) throws {
        #expect(try #require(NetPromoter(promoters: promoters, detractors: detractors, answers: answers)).points == wanted)
    }

    @Test func countsThatCannotBe() {
        for (promoters, detractors, answers) in [(0, 0, 0), (-1, 0, 1), (0, -1, 1), (2, 0, 1), (1, 1, 1), (Int.max, Int.max, 1), (0, 0, .max)] {
            #expect(NetPromoter(promoters: promoters, detractors: detractors, answers: answers) == nil)
        }
    }

    /// Made by hand from the formula: n = 103, p = 50.75/103, d = 25.75/103, z = 1.959963984540054.
    @Test func intervalOfAHundred() throws {
        let interval = try #require(NetPromoter(promoters: 50, detractors: 25, answers: 100)).interval()
        expectClose(interval.lower, 0.08302172652941656, 1e-8)
        expectClose(interval.upper, 0.402415166674467, 1e-8)
    }

    /// One answer, or answers that all agree, leave room for others; nothing leaves −1 to 1.
    @Test(arguments: [(1, 0, 1), (0, 1, 1), (5, 0, 5), (0, 0, 3), (1_000, 0, 1_000)])
    func intervalsLeaveRoom(_ promoters: Int, _ detractors: Int, _ answers: Int) throws {
        let net = try #require(NetPromoter(promoters: promoters, detractors: detractors, answers: answers))
        let interval = net.interval()
        #expect(interval.width > 0 && interval.lower >= -1 && interval.upper <= 1)
    }
}
