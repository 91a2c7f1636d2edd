import Paper

/// The picture that stands beside the address of a friend's page where it is shared: 1200 × 630 pixels, as Open Graph asks for.
struct FriendPicture: Hashable, Sendable {
    static let width = 1_200
    static let height = 630

    var company: String
    var from: String
    var headline: String
    var initials: String
    var accent: ThemeColour
    var isRightToLeft: Bool

    func png() throws -> [UInt8] {
        let accent = Picture.Colour(red: accent.red, green: accent.green, blue: accent.blue)
        // A wash of the accent on white, so that dark words can be read on any.
        func wash(_ part: Double) -> Picture.Colour {
            Picture.Colour(red: 1 - (1 - accent.red) * part, green: 1 - (1 - accent.green) * part, blue: 1 - (1 - accent.blue) * part)
        }
        let (ink, quiet) = (Picture.Colour(red: 0.08, green: 0.11, blue: 0.13), Picture.Colour(red: 0.29, green: 0.33, blue: 0.36))
        return try Picture.png(width: Self.width, height: Self.height) { picture in
            picture.fill(x: 0, y: 0, width: 1_200, height: 630, wash(0.05))
            picture.disc(x: isRightToLeft ? 60 : 1_140, y: 600, radius: 300, wash(0.12))
            picture.disc(x: isRightToLeft ? 20 : 1_180, y: 640, radius: 190, wash(0.28))
            picture.fill(x: 0, y: 0, width: 1_200, height: 14, accent)
            picture.words(company, size: 38, isBold: true, x: 80, y: 68, width: 1_040, linesMax: 1, accent)
            let height = picture.words(headline, size: 82, isBold: true, x: 80, y: 160, width: 1_000, linesMax: 3, ink)
            let y = max(430, 160 + height + 30)
            let x = isRightToLeft ? 1_076.0 : 124.0
            picture.disc(x: x, y: y + 44, radius: 44, wash(0.22))
            picture.words(initials, size: 34, isBold: true, x: x - 44, y: y + 22, width: 88, linesMax: 1, isCentred: true, accent)
            picture.words(from, size: 36, isBold: false, x: isRightToLeft ? 80 : 196, y: y + 20, width: 920, linesMax: 1, quiet)
        }
    }
}
