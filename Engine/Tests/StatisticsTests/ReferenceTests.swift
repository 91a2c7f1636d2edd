import Foundation
import Statistics
import Testing

/// Every figure of `experiments.json` (scipy 1.17.1, statsmodels 0.15.0), to 1e-6.
@Suite struct ReferenceTests {
    let file: Reference

    init() throws {
        let url = try #require(Bundle.module.url(forResource: "experiments", withExtension: "json"))
        file = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
    }

    @Test func proportions() throws {
        #expect(!file.two_proportions.isEmpty)
        for row in file.two_proportions {
            let control = try #require(Proportion(conversions: row.control[0], users: row.control[1]))
            let treatment = try #require(Proportion(conversions: row.treat[0], users: row.treat[1]))
            let both = TwoProportions(control: control, treatment: treatment)
            // The file's pooled z is control − treatment; ours has the sign of the difference.
            expect(both.pooledZ().statistic, -row.z_pooled)
            expect(both.pooledZ().pValue, row.p_two_sided)
            expect(both.unpooledZ().statistic, row.z_unpooled_wald)
            expect(both.unpooledZ().pValue, row.p_unpooled)
            expect(both.chiSquared().statistic, row.chi2)
            expect(both.chiSquared().pValue, row.chi2_p)
            expect(both.chiSquaredYates().statistic, row.chi2_yates)
            expect(both.chiSquaredYates().pValue, row.chi2_yates_p)
            expect(both.logLikelihoodRatio().statistic, row.g_stat)
            expect(both.logLikelihoodRatio().pValue, row.g_p)
            expect(both.oddsRatio, row.fisher_or)
            expect(both.fisherExact(), row.fisher_p)
            expect(both.difference, row.diff)
            expect(both.wald(), row.ci_wald)
            expect(both.newcombe(), row.ci_newcombe)
            expect(both.agrestiCaffo(), row.ci_agresti_caffo)
            expect(control.wilson(), row.wilson_control)
            expect(control.clopperPearson(), row.clopper_pearson_control)
        }
    }

    @Test func twoMeans() throws {
        let (a, b) = (file.means.a, file.means.b)
        // The file's differences are a − b.
        let both = try means(b, a)
        expect(both.welch().statistic, file.means.welch_t)
        expect(both.welch().pValue, file.means.welch_p)
        expect(both.welchDegreesOfFreedom, file.means.welch_df)
        expect(both.welchInterval(), file.means.welch_ci95)
        expect(both.student().statistic, file.means.student_t)
        expect(both.student().pValue, file.means.student_p)
        let ranks = try #require(MannWhitney(a, b))
        expect(ranks.u, file.means.mw_u)
        expect(try #require(ranks.exactPValue), file.means.mw_p_exact)
        expect(ranks.asymptoticPValue, file.means.mw_p_asymptotic)
    }

    @Test func sampleSizes() throws {
        #expect(!file.sample_size.isEmpty)
        for row in file.sample_size {
            let alpha = try #require(ErrorRate(row.alpha))
            let size = try #require(SampleSize(from: row.p1, to: row.p2, alpha: alpha, power: row.power))
            expect(size.cohenH.magnitude, row.cohen_h.magnitude)
            // People by the thousand: 1e-6 of the figure (the file's own solver stops there).
            expect(size.perGroupArcSine / row.n_per_group_arcsine, 1)
            expect(size.perGroupClassic, row.n_per_group_classic)
        }
    }

    @Test func sampleRatio() throws {
        let ratio = try #require(SampleRatio(observed: file.srm.observed, weights: file.srm.observed.map { _ in 1 }))
        expect(ratio.chiSquared().statistic, file.srm.chi2)
        expect(ratio.chiSquared().pValue, file.srm.p)
    }

    @Test func chanceOfBeingBetter() throws {
        #expect(!file.bayes_prob_B_gt_A.isEmpty)
        for row in file.bayes_prob_B_gt_A {
            #expect(row.prior == [1, 1])
            let a = try #require(Proportion(conversions: row.A[0], users: row.A[1]))
            let b = try #require(Proportion(conversions: row.B[0], users: row.B[1]))
            expect(BetaComparison.probabilityBetter(TwoProportions(control: a, treatment: b)), row.p)
        }
    }
}

/// The file as it stands, with its own names.
struct Reference: Decodable {
    struct Proportions: Decodable {
        let control, treat: [Int]
        let z_pooled, p_two_sided, chi2, chi2_p, chi2_yates, chi2_yates_p, g_stat, g_p, fisher_or, fisher_p, diff: Double
        let z_unpooled_wald, p_unpooled: Double
        let ci_wald, ci_newcombe, ci_agresti_caffo, wilson_control, clopper_pearson_control: [Double]
    }

    struct Means: Decodable {
        let a, b: [Double]
        let welch_t, welch_p, welch_df, student_t, student_p, mw_u, mw_p_exact, mw_p_asymptotic: Double
        let welch_ci95: [Double]
    }

    struct Size: Decodable {
        let p1, p2, alpha, power, cohen_h, n_per_group_arcsine, n_per_group_classic: Double
    }

    struct Ratio: Decodable {
        let observed: [Int]
        let chi2, p: Double
    }

    struct Chance: Decodable {
        let A, B, prior: [Int]
        let p: Double
    }

    let two_proportions: [Proportions]
    let means: Means
    let sample_size: [Size]
    let srm: Ratio
    let bayes_prob_B_gt_A: [Chance]
}

func expect(_ value: Double, _ wanted: Double, within tolerance: Double = 1e-6, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect((value - wanted).magnitude <= tolerance, "\(value) is not \(wanted)", sourceLocation: sourceLocation)
}

func expect(_ interval: Interval, _ wanted: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
    expect(interval.lower, wanted[0], sourceLocation: sourceLocation)
    expect(interval.upper, wanted[1], sourceLocation: sourceLocation)
}

func means(_ first: [Double], _ second: [Double]) throws -> TwoMeans {
    let (one, two) = (try #require(Moments(first)), try #require(Moments(second)))
    return try #require(TwoMeans(first: one, second: two))
}
