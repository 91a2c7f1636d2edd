import Paper
import Web

/// A document on A4.
enum PDFFile {
    static func make(title: String, author: String, in language: PageLanguage, _ draw: (inout PDFPaper) -> Void) throws -> [UInt8] {
        try PDFDocument.make(title: title, author: author, width: PDFPaper.width, height: PDFPaper.height) { document in
            var paper = PDFPaper(document: document, language: language)
            draw(&paper)
            paper.footer()
        }
    }
}

/// A pen that goes down the pages. Places are named as in a language that runs to the right; in one that runs to the left the page is mirrored.
struct PDFPaper {
    // A4 in points of 1/72 inch.
    static let width = 595.28
    static let height = 841.89
    static let margin = 56.0
    static let right = width - margin
    private static let bottom = height - 64

    let document: PDFDocument
    let language: PageLanguage
    var y = margin
    private var page = 1
    private let isMirrored: Bool

    init(document: PDFDocument, language: PageLanguage) {
        self.document = document
        self.language = language
        isMirrored = language.messages.isRightToLeft
    }

    mutating func pair(_ label: String, _ amount: String, isBold: Bool) {
        text(label, size: 9, isBold: isBold, at: Self.margin)
        text(amount, size: 9, isBold: isBold, endingAt: Self.right)
        y += 14
    }

    mutating func row(_ words: String, size: Double) {
        text(words, size: size, at: Self.margin, within: Self.right - Self.margin)
        y += size + 4
    }

    /// Words in as many lines as they need.
    mutating func paragraph(_ words: String, size: Double) {
        var shown = ""
        for word in words.split(separator: " ") {
            let next = shown.isEmpty ? String(word) : "\(shown) \(word)"
            if !shown.isEmpty, document.width(of: next, size: size, isBold: false) > Self.right - Self.margin {
                room(for: size + 4)
                row(shown, size: size)
                shown = String(word)
            } else {
                shown = next
            }
        }
        guard !shown.isEmpty else { return }
        room(for: size + 4)
        row(shown, size: size)
    }

    mutating func room(for height: Double) {
        guard y + height > Self.bottom else { return }
        footer()
        document.nextPage()
        page += 1
        y = Self.margin
    }

    func footer() {
        var foot = self
        foot.y = Self.height - 36
        foot.text(language("statement.page", ["number": language.integer(Int64(page))]), size: 8, endingAt: Self.right)
    }

    func line(_ thickness: Double) { document.rule(fromX: Self.margin, toX: Self.right, y: y, thickness: thickness) }

    func text(_ words: String, size: Double, isBold: Bool = false, at x: Double, within width: Double? = nil) {
        document.text(words, size: size, isBold: isBold, x: mirrored(x), y: y, endsAtX: isMirrored, width: width)
    }

    func text(_ words: String, size: Double, isBold: Bool = false, endingAt x: Double) {
        document.text(words, size: size, isBold: isBold, x: mirrored(x), y: y, endsAtX: !isMirrored)
    }

    private func mirrored(_ x: Double) -> Double { isMirrored ? Self.width - x : x }
}
