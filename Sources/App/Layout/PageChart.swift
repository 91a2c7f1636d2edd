import Web

/// A drawing made on the server: percentages across, pixels down, so that words never stretch. The same figures stand in a table beside it.
struct PageChart: Sendable {
    struct Key: Sendable {
        /// A class of the style sheet.
        var kind: String
        var label: String
    }

    /// A line across, named at the side.
    struct Line: Sendable {
        var y: Double
        var label: String
        var isBase = false
    }

    /// A path of a space 1,000 wide and as high as the drawing.
    struct Shape: Sendable {
        var kind: String
        var path: String
        var tip: String?
    }

    struct Word: Sendable {
        /// In percent of the drawing's width beside the room at the side.
        var x: Double
        var y: Double
        var text: String
        var anchor = "middle"
        var isStrong = false
    }

    var title: String
    /// For who can't see it: what it shows, in a sentence.
    var description: String
    var height: Int
    /// Room for the names of lines, in percent.
    var left = 0.0
    var keys: [Key] = []
    var lines: [Line] = []
    var shapes: [Shape] = []
    var words: [Word] = []

    static func decimal(_ value: Double) -> String { OverviewChart.decimal(value) }

    private func percent(_ value: Double) -> PageValue { .text(OverviewChart.decimal(value, places: 2) + "%") }

    var page: PageObject {
        [
            "title": .text(title), "description": .text(description), "height": .text(String(height)), "left": percent(left), "width": percent(100 - left),
            "hasKeys": .flag(!keys.isEmpty), "keys": PageValue(keys.map { ["kind": .text($0.kind), "label": .text($0.label)] as PageObject }),
            "lines": PageValue(
                lines.map {
                    [
                        "kind": .text($0.isBase ? "base" : "grid"), "x": percent(left), "y": .text(Self.decimal($0.y)), "textY": .text(Self.decimal($0.y + 4)),
                        "label": .text($0.label),
                    ] as PageObject
                }),
            "shapes": PageValue(shapes.map { ["kind": .text($0.kind), "path": .text($0.path), "tip": PageValue($0.tip)] as PageObject }),
            "words": PageValue(
                words.map {
                    [
                        "kind": .text($0.isStrong ? "say" : ""), "x": percent(left + $0.x * (100 - left) / 100), "y": .text(Self.decimal($0.y)),
                        "anchor": .text($0.anchor), "text": .text($0.text),
                    ] as PageObject
                }),
        ]
    }
}
