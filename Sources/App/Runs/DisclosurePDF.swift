import Web

/// An income disclosure on A4: who pays, the sentence, everybody by rank, what participants spent, and how it was counted.
enum DisclosurePDF {
    static func make(_ model: DisclosureModel, company: Company) throws -> [UInt8] {
        try PDFFile.make(title: model.heading, author: company.name, in: model.language) { paper in paper.draw(model, company) }
    }
}

extension PDFPaper {
    fileprivate mutating func draw(_ model: DisclosureModel, _ company: Company) {
        text(company.name, size: 13, isBold: true, at: PDFPaper.margin)
        y += 16
        for line in company.lines { row(line, size: 9) }
        y += 26
        text(model.heading, size: 16, isBold: true, at: PDFPaper.margin, within: PDFPaper.right - PDFPaper.margin)
        y += 22
        paragraph(model.lead, size: 10)
        y += 10
        let columns = model.columns
        table(columns, isBold: true)
        line(0.5)
        y += 12
        for entry in model.rows { table(entry.cells, isBold: false) }
        if let whole = model.whole {
            line(0.5)
            y += 12
            table(whole.cells, isBold: true)
        }
        if let expenses = model.expenses {
            y += 14
            room(for: 60)
            text(expenses.heading, size: 12, isBold: true, at: PDFPaper.margin)
            y += 16
            paragraph(expenses.sentence, size: 10)
        }
        y += 10
        for note in model.notes { paragraph(note, size: 8) }
    }

    /// The first cell at the left, the others to the right of equal columns.
    private mutating func table(_ cells: [String], isBold: Bool) {
        room(for: 16)
        let first = 84.0
        let width = (PDFPaper.right - PDFPaper.margin - first) / Double(max(1, cells.count - 1))
        for (place, cell) in cells.enumerated() {
            if place == 0 {
                text(cell, size: 7.5, isBold: isBold, at: PDFPaper.margin, within: first - 4)
            } else {
                text(cell, size: 7.5, isBold: isBold, endingAt: PDFPaper.margin + first + width * Double(place))
            }
        }
        y += 13
    }
}
