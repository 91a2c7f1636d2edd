import CCairo
import Web

/// A document on A4, drawn by cairo.
enum PDFFile {
    struct Failure: Error { var status: String }

    static func make(title: String, author: String, in language: PageLanguage, _ draw: (inout PDFPaper) -> Void) throws -> [UInt8] {
        let output = Output()
        let surface = cairo_pdf_surface_create_for_stream(
            { closure, bytes, count in
                guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
                Unmanaged<Output>.fromOpaque(closure).takeUnretainedValue().bytes += UnsafeBufferPointer(start: bytes, count: Int(count))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(output).toOpaque(), PDFPaper.width, PDFPaper.height)
        defer { cairo_surface_destroy(surface) }
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR, author)
        let context = cairo_create(surface)
        var paper = PDFPaper(context: context, language: language)
        draw(&paper)
        paper.footer()
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
struct PDFPaper {
    // A4 in points of 1/72 inch.
    static let width = 595.28
    static let height = 841.89
    static let margin = 56.0
    static let right = width - margin
    private static let bottom = height - 64
    /// Widely found, and with letters of most scripts.
    private static let family = "DejaVu Sans"

    let context: OpaquePointer?
    let language: PageLanguage
    var y = margin
    private var page = 1

    init(context: OpaquePointer?, language: PageLanguage) {
        self.context = context
        self.language = language
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
        choose(size, false)
        var shown = ""
        for word in words.split(separator: " ") {
            let next = shown.isEmpty ? String(word) : "\(shown) \(word)"
            if !shown.isEmpty, advance(next) > Self.right - Self.margin {
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
        cairo_show_page(context)
        page += 1
        y = Self.margin
    }

    func footer() {
        var foot = self
        foot.y = Self.height - 36
        foot.text(language("statement.page", ["number": language.integer(Int64(page))]), size: 8, endingAt: Self.right)
    }

    func line(_ width: Double) {
        cairo_set_line_width(context, width)
        cairo_set_source_rgb(context, 0.2, 0.2, 0.2)
        cairo_move_to(context, Self.margin, y)
        cairo_line_to(context, Self.right, y)
        cairo_stroke(context)
    }

    func text(_ words: String, size: Double, isBold: Bool = false, at x: Double, within width: Double? = nil) {
        choose(size, isBold)
        var shown = words
        if let width, advance(shown) > width {
            while !shown.isEmpty, advance(shown + "…") > width { shown.removeLast() }
            shown += "…"
        }
        show(shown, at: x)
    }

    func text(_ words: String, size: Double, isBold: Bool = false, endingAt x: Double) {
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
