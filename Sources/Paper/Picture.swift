import CPango

/// A picture in whole pixels, drawn from the upper left corner. Words are laid out by Pango, as on paper (`PDFDocument`).
public struct Picture {
    /// The picture could not be made; in cairo's words.
    public struct Failure: Error {
        public let status: String
    }

    /// A colour in sRGB, each part from 0 to 1.
    public struct Colour: Sendable, Hashable {
        public var red: Double
        public var green: Double
        public var blue: Double

        public init(red: Double, green: Double, blue: Double) {
            (self.red, self.green, self.blue) = (red, green, blue)
        }
    }

    private let context: OpaquePointer?
    private let layout: OpaquePointer

    /// Makes a picture.
    ///
    /// - Parameters:
    ///   - width: in pixels, 1 to 4,000
    ///   - height: in pixels, 1 to 4,000
    ///   - draw: draws everything
    /// - Returns: the bytes of a PNG
    public static func png(width: Int, height: Int, _ draw: (Picture) -> Void) throws(Failure) -> [UInt8] {
        guard (1...4_000).contains(width), (1...4_000).contains(height) else { throw Failure(status: "size out of range") }
        let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height))
        defer { cairo_surface_destroy(surface) }
        let context = cairo_create(surface)
        defer { cairo_destroy(context) }
        guard let layout = pango_cairo_create_layout(context) else { throw Failure(status: "no layout") }
        draw(Picture(context: context, layout: layout))
        g_object_unref(UnsafeMutableRawPointer(layout))
        cairo_surface_flush(surface)
        let output = Output()
        let status = cairo_surface_write_to_png_stream(
            surface,
            { closure, bytes, count in
                guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
                Unmanaged<Output>.fromOpaque(closure).takeUnretainedValue().bytes += UnsafeBufferPointer(start: bytes, count: Int(count))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(output).toOpaque())
        guard status == CAIRO_STATUS_SUCCESS else { throw Failure(status: cairo_status_to_string(status).map { String(cString: $0) } ?? "unknown") }
        return withExtendedLifetime(output) { output.bytes }
    }

    /// Where cairo writes to. One call makes it, fills it on its own thread and reads it: it is never shared.
    private final class Output { var bytes: [UInt8] = [] }

    public func fill(x: Double, y: Double, width: Double, height: Double, _ colour: Colour) {
        choose(colour)
        cairo_rectangle(context, x, y, width, height)
        cairo_fill(context)
    }

    public func disc(x: Double, y: Double, radius: Double, _ colour: Colour) {
        choose(colour)
        cairo_new_path(context)
        cairo_arc(context, x, y, radius, 0, 2 * 3.141592653589793)
        cairo_fill(context)
    }

    /// Words over as many lines as there is room for, the last one cut with an ellipsis.
    ///
    /// - Parameters:
    ///   - x: where the box begins
    ///   - y: the top of the first line
    ///   - width: of the box; a line of Arabic stands at its right end
    ///   - linesMax: lines at most
    /// - Returns: how high the words are, in pixels
    @discardableResult
    public func words(
        _ text: String, size: Double, isBold: Bool, x: Double, y: Double, width: Double, linesMax: Int, isCentred: Bool = false, _ colour: Colour
    ) -> Double {
        let font = pango_font_description_new()
        pango_font_description_set_family(font, PDFDocument.family)
        pango_font_description_set_absolute_size(font, size * Double(PANGO_SCALE))
        pango_font_description_set_weight(font, isBold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL)
        pango_layout_set_font_description(layout, font)
        pango_font_description_free(font)
        pango_layout_set_width(layout, Int32(width * Double(PANGO_SCALE)))
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR)
        pango_layout_set_height(layout, -Int32(clamping: linesMax))
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END)
        pango_layout_set_alignment(layout, isCentred ? PANGO_ALIGN_CENTER : PANGO_ALIGN_LEFT)
        pango_layout_set_text(layout, text, Int32(clamping: text.utf8.count))
        choose(colour)
        cairo_move_to(context, x, y)
        pango_cairo_show_layout(context, layout)
        var logical = PangoRectangle()
        pango_layout_get_pixel_extents(layout, nil, &logical)
        return Double(logical.height)
    }

    private func choose(_ colour: Colour) { cairo_set_source_rgb(context, colour.red, colour.green, colour.blue) }
}
