import Statistics

/// A function's value at a point, and how it changes along each coordinate.
struct Slope {
    var value: Double
    var gradient: [Double]
}

/// Finds where a smooth function of few coordinates is largest: the quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno with a
/// line search that halves. Source: Nocedal and Wright, Numerical Optimization (2006), algorithm 6.1. No chance is involved.
///
/// Coordinates are logarithms of parameters and the function a mean per customer, so that steps and slopes are of the size of 1.
struct Maximiser {
    /// The mean's slope under which there is nothing left to gain: parameters are then good to about 1e-6.
    static let slopeEnough = 1e-9
    /// The same where rounding hides any further gain.
    static let slopeAtRounding = 1e-6
    /// Customers who are all alike, or of whom nobody ever leaves, are a limit of the models: parameters run off and the slope falls
    /// with them. At the bounds, or where rounding stops the way there, with less than this left to gain, that is the answer.
    static let slopeAtLimit = 1e-4
    /// No coordinate moves further in one step; e² is a factor of 7.
    static let stepLimit = 2.0
    private static let halvingsLimit = 40
    /// Of a mean over a million customers.
    private static let rounding = 1e-12

    var iterationsLimit = FitNeeds.iterationsLimit
    /// Coordinates stay in −bound…bound.
    var bound = 14.0

    enum End { case converged, leftBounds, ranOut }

    struct Outcome {
        var point: [Double]
        var value: Double
        var iterations: Int
        var end: End
    }

    /// Climbs from the highest of several starts, from the next one where that leads nowhere, and so on: the first that converges, or
    /// else the highest place that was reached. Nil when the function has no value at any of them.
    func best(of starts: [[Double]], _ function: ([Double]) -> Slope) -> Outcome? {
        let ordered = starts.map { ($0, function($0)) }.filter { $0.1.isUsable }.sorted { $0.1.value > $1.1.value }
        var best: Outcome?
        for (start, _) in ordered {
            guard let found = climb(from: start, function) else { continue }
            if found.end == .converged { return found }
            if best.map({ found.value > $0.value }) ?? true { best = found }
        }
        return best
    }

    func climb(from start: [Double], _ function: ([Double]) -> Slope) -> Outcome? {
        var point = start
        var here = function(point)
        guard here.isUsable else { return nil }
        var curvature = Matrix(identity: start.count)
        for iteration in 0..<iterationsLimit {
            let slope = here.largestSlope
            if slope < Self.slopeEnough { return Outcome(point: point, value: here.value, iterations: iteration, end: .converged) }
            var direction = curvature.times(here.gradient)
            if dot(direction, here.gradient) <= 0 {
                curvature = Matrix(identity: start.count)
                direction = here.gradient
            }
            let largest = direction.map(\.magnitude).max() ?? 0
            if largest > Self.stepLimit { direction = direction.map { $0 * Self.stepLimit / largest } }

            guard let (next, there) = lineSearch(from: point, here, direction, function) else {
                let isTop = slope < (curvature.isIdentity ? Self.slopeAtLimit : Self.slopeAtRounding)
                let end: End = isTop ? .converged : .ranOut
                if end == .converged || curvature.isIdentity { return Outcome(point: point, value: here.value, iterations: iteration, end: end) }
                curvature = Matrix(identity: start.count)
                continue
            }
            if next.contains(where: { $0.magnitude > bound }) {
                let isLimit = there.largestSlope < Self.slopeAtLimit
                return Outcome(point: next, value: there.value, iterations: iteration, end: isLimit ? .converged : .leftBounds)
            }
            curvature.learn(moved: zip(next, point).map { $0 - $1 }, slopeFell: zip(here.gradient, there.gradient).map { $0 - $1 })
            (point, here) = (next, there)
        }
        let isLimit = here.largestSlope < Self.slopeAtLimit
        return Outcome(point: point, value: here.value, iterations: iterationsLimit, end: isLimit ? .converged : .ranOut)
    }

    /// A step along the direction that gains enough; nil when none does.
    private func lineSearch(
        from point: [Double], _ here: Slope, _ direction: [Double], _ function: ([Double]) -> Slope
    ) -> ([Double], Slope)? {
        let rise = dot(direction, here.gradient)
        var share = 1.0
        for _ in 0..<Self.halvingsLimit {
            let next = zip(point, direction).map { $0 + share * $1 }
            let there = function(next)
            if there.isUsable {
                if there.value >= here.value + 1e-4 * share * rise { return (next, there) }
                // So near the top that the gain drowns in rounding the slope tells whether the step was good, as it is far more exact.
                // Source: Hager and Zhang, SIAM Journal on Optimization 16 (2005), the approximate Wolfe conditions.
                let isLevel = there.value >= here.value - Self.rounding * (1 + here.value.magnitude)
                if isLevel, dot(there.gradient, direction).magnitude <= 0.9 * rise { return (next, there) }
            }
            share /= 2
        }
        return nil
    }
}

extension Slope {
    var isUsable: Bool { value.isFinite && gradient.allSatisfy(\.isFinite) }
    var largestSlope: Double { gradient.map(\.magnitude).max() ?? 0 }
}

private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// The inverse of the negative second derivatives, learnt from step to step.
private struct Matrix {
    private var rows: [[Double]]
    private(set) var isIdentity = true

    init(identity size: Int) {
        rows = (0..<size).map { row in (0..<size).map { $0 == row ? 1 : 0 } }
    }

    func times(_ vector: [Double]) -> [Double] { rows.map { dot($0, vector) } }

    mutating func learn(moved s: [Double], slopeFell y: [Double]) {
        let sy = dot(s, y)
        // Where the function bends the wrong way there is nothing to learn.
        guard sy > 1e-12 * (dot(s, s) * dot(y, y)).squareRoot() else { return }
        if isIdentity {
            let scale = sy / dot(y, y)
            for row in rows.indices { rows[row][row] = scale }
            isIdentity = false
        }
        let hy = times(y)
        let factor = (1 + dot(y, hy) / sy) / sy
        for row in rows.indices {
            for column in rows.indices {
                rows[row][column] += factor * s[row] * s[column] - (hy[row] * s[column] + s[row] * hy[column]) / sy
            }
        }
    }
}
