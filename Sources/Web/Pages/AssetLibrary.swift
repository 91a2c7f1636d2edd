import Crypto
import HTTPTypes
public import Hummingbird
import NIOCore
import Synchronization

/// Why assets can't be served.
public enum AssetError: Error, Sendable, Equatable {
    /// Two files have this name.
    case duplicate(String)
    /// A file refers to `asset:NAME` that doesn't exist, or to one that refers back to it.
    case unresolved(file: String, names: [String])
}

/// Styles, scripts, images and fonts under addresses that contain their hash, so that browsers may keep them for a year.
///
/// A style or script refers to another file as `asset:NAME`; the address takes its place.
public final class AssetLibrary: Sendable {
    /// The prefix of all addresses.
    public static let prefix = "/assets/"
    private let urlByName: [String: String]
    private let assetByFile: [String: Asset]

    private final class Asset: Sendable {
        let bytes: [UInt8]
        let contentType: String
        let tag: String
        private let compressed = Mutex<[UInt8]?>(nil)

        init(bytes: [UInt8], contentType: String, tag: String) {
            self.bytes = bytes
            self.contentType = contentType
            self.tag = tag
        }

        /// Compressed once, when first asked for; nil for types that are compressed already.
        var gzip: [UInt8]? {
            guard contentType.hasPrefix("text/") || contentType.hasPrefix("application/json") || contentType == "image/svg+xml" else { return nil }
            return compressed.withLock { kept in
                if kept == nil { kept = Gzip.compress(bytes, level: 9) }
                return kept
            }
        }
    }

    /// Assets from embedded files, named by their last path component.
    /// - Throws: `AssetError`.
    public convenience init(_ files: [EmbeddedFile]) throws(AssetError) {
        try self.init(files.map { ($0.name.split(separator: "/").last.map(String.init) ?? $0.name, $0.bytes) })
    }

    /// - Throws: `AssetError`.
    public init(_ files: [(name: String, bytes: [UInt8])]) throws(AssetError) {
        var waiting: [(name: String, bytes: [UInt8])] = []
        var names: Set<String> = []
        for file in files {
            guard names.insert(file.name).inserted else { throw .duplicate(file.name) }
            waiting.append(file)
        }
        var urls: [String: String] = [:]
        var assets: [String: Asset] = [:]
        while !waiting.isEmpty {
            var unresolved: [(name: String, bytes: [UInt8])] = []
            for file in waiting {
                guard let bytes = Self.resolve(file.name, file.bytes, urls) else {
                    unresolved.append(file)
                    continue
                }
                let hash = SHA256.hash(data: bytes).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
                let hashed = Self.hashedName(file.name, hash)
                urls[file.name] = Self.prefix + hashed
                assets[hashed] = Asset(bytes: bytes, contentType: Self.contentType(file.name), tag: "\"\(hash)\"")
            }
            if unresolved.count == waiting.count, let first = unresolved.first {
                throw .unresolved(file: first.name, names: Self.references(first.bytes).filter { urls[$0] == nil })
            }
            waiting = unresolved
        }
        urlByName = urls
        assetByFile = assets
    }

    /// The address of an asset; an address that answers 404 when there is none, which a check of the pages finds.
    public func url(for name: String) -> String { urlByName[name] ?? Self.prefix + "missing/" + name }

    /// The names of all assets, sorted.
    public var names: [String] { urlByName.keys.sorted() }

    /// The answer for a path below the prefix.
    /// - Throws: `Problem` 404.
    public func response(for request: Request) throws -> Response {
        let path = request.uri.path
        guard path.hasPrefix(Self.prefix), let asset = assetByFile[String(path.dropFirst(Self.prefix.count))] else { throw Problem.notFound() }
        var headers: HTTPFields = [
            .contentType: asset.contentType, .eTag: asset.tag, .cacheControl: "public, max-age=31536000, immutable",
        ]
        if let tags = request.headers[.ifNoneMatch], tags == "*" || tags.contains(asset.tag) {
            return Response(status: .notModified, headers: headers)
        }
        var bytes = asset.bytes
        if let gzip = asset.gzip {
            headers[.vary] = "Accept-Encoding"
            if AcceptEncoding.allowsGzip(request.headers) {
                bytes = gzip
                headers[.contentEncoding] = "gzip"
            }
        }
        headers[.contentLength] = String(bytes.count)
        return Response(
            status: .ok, headers: headers, body: request.method == .head ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    // MARK: References between assets

    private static let reference = Array("asset:".utf8)

    /// The bytes with addresses for references; nil while one of them is not known.
    private static func resolve(_ name: String, _ bytes: [UInt8], _ urls: [String: String]) -> [UInt8]? {
        guard name.hasSuffix(".css") || name.hasSuffix(".js") else { return bytes }
        var result: [UInt8] = []
        var position = 0
        while let found = nextReference(bytes, from: position) {
            guard let url = urls[String(decoding: bytes[found.name], as: UTF8.self)] else { return nil }
            result.append(contentsOf: bytes[position..<found.start])
            result.append(contentsOf: url.utf8)
            position = found.name.upperBound
        }
        return position == 0 ? bytes : result + bytes[position...]
    }

    private static func references(_ bytes: [UInt8]) -> [String] {
        var names: [String] = []
        var position = 0
        while let found = nextReference(bytes, from: position) {
            names.append(String(decoding: bytes[found.name], as: UTF8.self))
            position = found.name.upperBound
        }
        return names
    }

    /// A reference stands right after a quote or an opening bracket.
    private static func nextReference(_ bytes: [UInt8], from position: Int) -> (start: Int, name: Range<Int>)? {
        var index = max(position, 1)
        while index + reference.count < bytes.count {
            if bytes[index] == reference[0], bytes[index..<index + reference.count].elementsEqual(reference),
                [UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "(")].contains(bytes[index - 1])
            {
                var end = index + reference.count
                while end < bytes.count, isNameByte(bytes[end]) { end += 1 }
                return (index, index + reference.count..<end)
            }
            index += 1
        }
        return nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func hashedName(_ name: String, _ hash: String) -> String {
        guard let dot = name.lastIndex(of: ".") else { return "\(name).\(hash)" }
        return "\(name[..<dot]).\(hash)\(name[dot...])"
    }

    private static func contentType(_ name: String) -> String {
        switch name.split(separator: ".").last {
        case "css": "text/css; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "json": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "webp": "image/webp"
        case "ico": "image/x-icon"
        case "woff2": "font/woff2"
        case "txt": "text/plain; charset=utf-8"
        case "html": "text/html; charset=utf-8"
        case "webmanifest": "application/manifest+json"
        default: "application/octet-stream"
        }
    }
}
