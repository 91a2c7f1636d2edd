import CPango

/// A PDF that is drawn page by page. Lengths are points of 1/72 inch, from the upper left corner.
///
/// Words are laid out by Pango: letters join, marks stand where their script wants them, a line of Arabic runs to the left, and a letter that
/// one font lacks comes from another that is installed.
public struct PDFDocument {
    /// The PDF could not be made; in cairo's words.
    public struct Failure: Error {
        public let status: String
    }

    /// Names the typefaces, the first first; others that are installed lend what these lack.
    public static let family = "DejaVu Sans, Noto Sans, sans-serif"

    private let context: OpaquePointer?
    private let layout: OpaquePointer

    /// Makes a document of pages of one size.
    ///
    /// - Parameters:
    ///   - title: what viewers show as its name
    ///   - author: who it is from
    ///   - width: of each page
    ///   - height: of each page
    ///   - draw: draws everything; `nextPage` ends a page
    /// - Returns: the bytes of the file
    public static func make(
        title: String, author: String, width: Double, height: Double, _ draw: (PDFDocument) -> Void
    ) throws(Failure) -> [UInt8] {
        let output = Output()
        let surface = cairo_pdf_surface_create_for_stream(
            { closure, bytes, count in
                guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
                Unmanaged<Output>.fromOpaque(closure).takeUnretainedValue().bytes += UnsafeBufferPointer(start: bytes, count: Int(count))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(output).toOpaque(), width, height)
        defer { cairo_surface_destroy(surface) }
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR, author)
        let context = cairo_create(surface)
        guard let layout = pango_cairo_create_layout(context) else {
            cairo_destroy(context)
            throw Failure(status: "no layout")
        }
        pango_layout_set_single_paragraph_mode(layout, 1)
        draw(PDFDocument(context: context, layout: layout))
        g_object_unref(UnsafeMutableRawPointer(layout))
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

    /// One line of words on the baseline `y`, from `x` on, or ending there; cut with an ellipsis where it is wider than `width`.
    public func text(_ words: String, size: Double, isBold: Bool, x: Double, y: Double, endsAtX: Bool = false, width: Double? = nil) {
        let own = choose(words, size, isBold)
        var shown = own
        if let width, own > width {
            pango_layout_set_width(layout, Int32(width * Self.scale))
            pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END)
            shown = width
        }
        cairo_set_source_rgb(context, 0.07, 0.08, 0.1)
        cairo_move_to(context, endsAtX ? x - shown : x, y)
        if let line = pango_layout_get_line_readonly(layout, 0) { pango_cairo_show_layout_line(context, line) }
        pango_layout_set_width(layout, -1)
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_NONE)
    }

    /// How wide a line of words is.
    public func width(of words: String, size: Double, isBold: Bool) -> Double { choose(words, size, isBold) }

    /// A grey line across the page, from one x to another.
    public func rule(fromX: Double, toX: Double, y: Double, thickness: Double) {
        cairo_set_line_width(context, thickness)
        cairo_set_source_rgb(context, 0.2, 0.2, 0.2)
        cairo_move_to(context, fromX, y)
        cairo_line_to(context, toX, y)
        cairo_stroke(context)
    }

    public func nextPage() { cairo_show_page(context) }

    private static let scale = Double(PANGO_SCALE)

    /// Puts words into the layout and answers their width.
    private func choose(_ words: String, _ size: Double, _ isBold: Bool) -> Double {
        let font = pango_font_description_new()
        pango_font_description_set_family(font, Self.family)
        pango_font_description_set_absolute_size(font, size * Self.scale)
        pango_font_description_set_weight(font, isBold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL)
        pango_layout_set_font_description(layout, font)
        pango_font_description_free(font)
        pango_layout_set_text(layout, words, Int32(clamping: words.utf8.count))
        var logical = PangoRectangle()
        pango_layout_get_extents(layout, nil, &logical)
        return Double(logical.width) / Self.scale
    }
}
