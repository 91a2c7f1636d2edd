import Web

/// Which column of a file goes to which field of ours: proposed by what the columns are called, and changed by whoever looks at it.
struct ImportMapping: Sendable, Hashable {
    /// Columns joined for one field at most, such as first and last name.
    static let joinedMax = 4

    enum Amounts: String, Sendable, CaseIterable {
        /// `49.00`
        case decimal
        /// `4900`
        case minor
    }

    /// Nil: of no system that we know.
    var vendor: VendorExport?
    var kinds: [ImportKind]
    var amounts: Amounts
    /// For each kind and field of ours where its cells stand. A field that is missing comes of no column.
    var places: [ImportKind: [String: [Int]]]

    /// The proposal for a file. Throws what is wrong with the file.
    static func proposed(_ header: [String], vendor: VendorExport?, kind: ImportKind?, _ defaults: VendorExport.Defaults) throws -> ImportMapping {
        var mapping = ImportMapping(vendor: vendor, kinds: kind.map { [$0] } ?? [], amounts: vendor.map(\.amounts) ?? .minor, places: [:])
        // What a file holds is the vendor's to say where nobody said it.
        if let vendor, kind == nil { mapping.kinds = try vendor.parts(header, nil, defaults).map(\.kind) }
        for kind in mapping.kinds { mapping.places[kind] = mapping.base(kind, defaults).proposal(header) }
        return mapping
    }

    /// Fields that a file can't do without and that no column gives.
    func missing(_ defaults: VendorExport.Defaults) -> [ImportKind: [String]] {
        Dictionary(
            kinds.map { kind in
                let given = Set((places[kind] ?? [:]).filter { !$0.value.isEmpty }.keys)
                var needed = kind.columns.filter(\.isRequired).map(\.name)
                // Without an amount each refund would take all of its sale back: only a file of our own may mean that.
                if kind == .refunds, vendor != nil { needed.append("amount") }
                let filled = Set(base(kind, defaults).sources.filter { $0.fallback != nil }.map(\.column))
                return (kind, needed.filter { !given.contains($0) && !filled.contains($0) })
            }.filter { !$0.1.isEmpty }, uniquingKeysWith: { first, _ in first })
    }

    /// What an import reads by it.
    func parts(_ header: [String], _ defaults: VendorExport.Defaults) -> [FileImport.Part] {
        kinds.map { kind in
            let chosen = places[kind] ?? [:]
            var parts = base(kind, defaults).sources.compactMap { source -> ColumnMapping.Resolved.Part? in
                let places = (chosen[source.column] ?? []).filter { header.indices.contains($0) }
                guard !places.isEmpty || source.fallback != nil else { return nil }
                return ColumnMapping.Resolved.Part(source: source, places: places)
            }
            if kind == .sales {
                for (place, name) in header.enumerated() where name.hasPrefix("metadata.") {
                    parts.append(ColumnMapping.Resolved.Part(source: ColumnMapping.Source(column: name, names: []), places: [place]))
                }
            }
            return FileImport.Part(
                kind: kind, mapping: ColumnMapping.Resolved(parts: parts, header: header), passesSilentRows: kind == .refunds && kinds.contains(.sales))
        }
    }

    /// Columns of the file that go nowhere.
    func unused(_ header: [String]) -> [String] {
        let used = Set(places.filter { kinds.contains($0.key) }.values.flatMap(\.values).joined())
        return header.enumerated().filter { !used.contains($0.offset) && !(kinds.contains(.sales) && $0.element.hasPrefix("metadata.")) }.map(\.element)
    }

    /// How each field of a kind is read, whatever column it comes from.
    private func base(_ kind: ImportKind, _ defaults: VendorExport.Defaults) -> ColumnMapping {
        let known = vendor?.mapping(kind, defaults)?.sources ?? []
        return ColumnMapping(
            sources: kind.columns.map { column in
                var source = known.first { $0.column == column.name } ?? ColumnMapping.Source(column: column.name, names: [[column.name]])
                if vendor == nil {
                    source.names += VendorExport.allCases.flatMap { $0.mapping(kind, defaults)?.sources.first { $0.column == column.name }?.names ?? [] }
                    if column.name == "currency" { source.fallback = defaults.currency }
                }
                if column.name == "amount" { source.change = amounts == .decimal ? .decimalAmount : .asIs }
                return source
            })
    }
}

extension ImportMapping {
    var json: JSONValue {
        [
            "vendor": vendor.map { .text($0.rawValue) } ?? .null, "kinds": .array(kinds.map { .text($0.rawValue) }), "amounts": .text(amounts.rawValue),
            "places": .object(
                places.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, columns in
                    JSONMember(
                        kind.rawValue,
                        .object(columns.sorted { $0.key < $1.key }.map { JSONMember($0.key, .array($0.value.map { .integer(Int64($0)) })) }))
                }),
        ]
    }

    init(_ json: JSONValue) {
        vendor = json["vendor"]?.string.flatMap { VendorExport(rawValue: $0) }
        kinds = (json["kinds"]?.elements ?? []).compactMap { $0.string.flatMap { ImportKind(rawValue: $0) } }
        amounts = json["amounts"]?.string.flatMap { Amounts(rawValue: $0) } ?? .minor
        places = [:]
        for kind in kinds {
            guard case .object(let columns)? = json["places"]?[kind.rawValue] else { continue }
            places[kind] = Dictionary(
                columns.map { ($0.name, $0.value.elements.compactMap { $0.int64.map { Int($0) } }) }, uniquingKeysWith: { first, _ in first })
        }
    }
}

extension ColumnMapping {
    /// For each field the columns of this header that its names find.
    fileprivate func proposal(_ header: [String]) -> [String: [Int]] {
        let found = resolved(header, needing: [])?.parts ?? []
        return Dictionary(found.filter { !$0.places.isEmpty }.map { ($0.source.column, $0.places) }, uniquingKeysWith: { first, _ in first })
    }
}
