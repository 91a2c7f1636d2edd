import Web

/// A Lorenz curve in SVG: what share of all money the lowest n of a hundred people get. Percentages across, pixels down.
enum LorenzChart {
    private static let height = 160

    static func svg(_ spread: JSONValue, label: String) -> TrustedHTML {
        let points = (spread["lorenz"]?.members ?? []).compactMap(\.wholeNumber)
        guard points.count > 1 else { return TrustedHTML(markup: "") }
        var bars = ""
        for (place, (before, after)) in zip(points, points.dropFirst()).enumerated() {
            let share = max(0, after - before)
            let tall = Int64(height) * after / 1_000
            let x = place * 1_000 / (points.count - 1)
            bars += "<g><rect class=\"bar quiet\" x=\"\(x / 10).\(x % 10)%\" width=\"4.4%\" y=\"\(Int64(height) - tall)\" height=\"\(tall)\" rx=\"2\"/>"
            let own = Int64(height) * share / 1_000
            bars += "<rect class=\"bar\" x=\"\(x / 10).\(x % 10)%\" width=\"4.4%\" y=\"\(Int64(height) - tall)\" height=\"\(own)\" rx=\"2\"/></g>"
        }
        return TrustedHTML(
            markup: "<svg class=\"chart\" height=\"\(height + 4)\" role=\"img\" aria-label=\"\(HTMLEscaping.escape(label))\">\(bars)"
                + "<line class=\"past\" x1=\"0\" x2=\"100%\" y1=\"\(height)\" y2=\"0\"/><line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"\(height).5\" y2=\"\(height).5\"/></svg>")
    }
}
