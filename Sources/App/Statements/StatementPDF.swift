import CCairo
import Web

/// A statement on A4, drawn by cairo.
enum StatementPDF {
    struct Failure: Error { var status: String }

    static func make(_ sheet: StatementSheet) throws -> [UInt8] {
        let output = Output()
        let surface = cairo_pdf_surface_create_for_stream(
            { closure, bytes, count in
                guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
                Unmanaged<Output>.fromOpaque(closure).takeUnretainedValue().bytes += UnsafeBufferPointer(start: bytes, count: Int(count))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(output).toOpaque(), Paper.width, Paper.height)
        defer { cairo_surface_destroy(surface) }
        let language = sheet.language
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, "\(language("statement.title")) \(sheet.period)")
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR, sheet.company.name)
        let context = cairo_create(surface)
        var paper = Paper(context: context, language: language)
        paper.draw(sheet)
        cairo_destroy(context)
        cairo_surface_finish(surface)
        let status = withExtendedLifetime(output) { cairo_surface_status(surface) }
        guard status == CAIRO_STATUS_SUCCESS else {
            throw Failure(status: cairo_status_to_string(status).map { String(cString: $0) } ?? "unknown")
        }
        return output.bytes
    }

    /// Where cairo writes to. One call makes it, fills it on its own thread and reads it: it is never shared.
    private final class Output { var bytes: [UInt8] = [] }
}

/// A pen that goes down the pages.
private struct Paper {
    // A4 in points of 1/72 inch.
    static let width = 595.28
    static let height = 841.89
    private static let margin = 56.0
    private static let right = width - margin
    private static let bottom = height - 64
    /// Widely found, and with letters of most scripts.
    private static let family = "DejaVu Sans"

    let context: OpaquePointer?
    let language: PageLanguage
    private var y = margin
    private var page = 1

    init(context: OpaquePointer?, language: PageLanguage) {
        self.context = context
        self.language = language
    }

    mutating func draw(_ sheet: StatementSheet) {
        text(sheet.company.name, size: 13, isBold: true, at: Self.margin)
        y += 16
        for line in sheet.company.lines { row(line, size: 9) }
        y += 22
        row(sheet.recipient, size: 10)
        if !sheet.recipientDetails.isEmpty { row(sheet.recipientDetails, size: 9) }
        row(sheet.memberID.text, size: 8)
        y += 20
        text(language("statement.title"), size: 18, isBold: true, at: Self.margin)
        y += 18
        row(sheet.period, size: 10)
        y += 14
        if sheet.parts.isEmpty { row(language("statement.nothing"), size: 10) }
        for part in sheet.parts { draw(part) }
        footer()
    }

    private mutating func draw(_ part: StatementSheet.Part) {
        room(for: 90)
        y += 12
        text(part.unit, size: 12, isBold: true, at: Self.margin)
        y += 8
        line(1)
        y += 14
        pair(language("statement.opening"), part.opening, isBold: true)
        for entry in part.lines {
            room(for: 16)
            text(entry.day, size: 9, at: Self.margin)
            text(entry.what, size: 9, at: Self.margin + 84, within: Self.right - Self.margin - 184)
            text(entry.amount, size: 9, endingAt: Self.right)
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

    private mutating func pair(_ label: String, _ amount: String, isBold: Bool) {
        text(label, size: 9, isBold: isBold, at: Self.margin)
        text(amount, size: 9, isBold: isBold, endingAt: Self.right)
        y += 14
    }

    private mutating func row(_ words: String, size: Double) {
        text(words, size: size, at: Self.margin, within: Self.right - Self.margin)
        y += size + 4
    }

    private mutating func room(for height: Double) {
        guard y + height > Self.bottom else { return }
        footer()
        cairo_show_page(context)
        page += 1
        y = Self.margin
    }

    private func footer() {
        var foot = self
        foot.y = Self.height - 36
        foot.text(language("statement.page", ["number": language.integer(Int64(page))]), size: 8, endingAt: Self.right)
    }

    private func line(_ width: Double) {
        cairo_set_line_width(context, width)
        cairo_set_source_rgb(context, 0.2, 0.2, 0.2)
        cairo_move_to(context, Self.margin, y)
        cairo_line_to(context, Self.right, y)
        cairo_stroke(context)
    }

    private func text(_ words: String, size: Double, isBold: Bool = false, at x: Double, within width: Double? = nil) {
        choose(size, isBold)
        var shown = words
        if let width, advance(shown) > width {
            while !shown.isEmpty, advance(shown + "…") > width { shown.removeLast() }
            shown += "…"
        }
        show(shown, at: x)
    }

    private func text(_ words: String, size: Double, isBold: Bool = false, endingAt x: Double) {
        choose(size, isBold)
        show(words, at: x - advance(words))
    }

    private func choose(_ size: Double, _ isBold: Bool) {
        cairo_select_font_face(context, Self.family, CAIRO_FONT_SLANT_NORMAL, isBold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
        cairo_set_font_size(context, size)
        cairo_set_source_rgb(context, 0.07, 0.08, 0.1)
    }

    private func advance(_ words: String) -> Double {
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, words, &extents)
        return extents.x_advance
    }

    private func show(_ words: String, at x: Double) {
        cairo_move_to(context, x, y)
        cairo_show_text(context, words)
    }
}
