import Web

/// A statement on A4.
enum StatementPDF {
    static func make(_ sheet: StatementSheet) throws -> [UInt8] {
        let title = "\(sheet.language("statement.title")) \(sheet.period)"
        return try PDFFile.make(title: title, author: sheet.company.name, in: sheet.language) { paper in paper.draw(sheet) }
    }
}

extension PDFPaper {
    fileprivate mutating func draw(_ sheet: StatementSheet) {
        text(sheet.company.name, size: 13, isBold: true, at: PDFPaper.margin)
        y += 16
        for line in sheet.company.lines { row(line, size: 9) }
        y += 22
        row(sheet.recipient, size: 10)
        if !sheet.recipientDetails.isEmpty { row(sheet.recipientDetails, size: 9) }
        row(sheet.memberID.text, size: 8)
        y += 20
        text(language("statement.title"), size: 18, isBold: true, at: PDFPaper.margin)
        y += 18
        row(sheet.period, size: 10)
        y += 14
        if sheet.parts.isEmpty { row(language("statement.nothing"), size: 10) }
        for part in sheet.parts { draw(part) }
    }

    private mutating func draw(_ part: StatementSheet.Part) {
        room(for: 90)
        y += 12
        text(part.unit, size: 12, isBold: true, at: PDFPaper.margin)
        y += 8
        line(1)
        y += 14
        pair(language("statement.opening"), part.opening, isBold: true)
        for entry in part.lines {
            room(for: 16)
            text(entry.day, size: 9, at: PDFPaper.margin)
            text(entry.what, size: 9, at: PDFPaper.margin + 84, within: PDFPaper.right - PDFPaper.margin - 184)
            text(entry.amount, size: 9, endingAt: PDFPaper.right)
            y += 14
        }
        room(for: 40)
        y -= 4
        line(0.5)
        y += 14
        pair(language("statement.closing"), part.closing, isBold: true)
        for made in part.made {
            room(for: 16)
            pair(language("statement.ofWhich", ["what": made.label]), made.amount, isBold: false)
        }
        y += 8
    }
}
