import Chronology
import Compensation
import Money

extension FactReader {
    private static let memberColumns = ["id", "kind", "enroller_id", "joined_at", "status"]

    func readMembers(_ builder: inout FactsBuilder, _ trees: [TreeCode], _ attributes: [String]) throws(FileFailure) -> Int {
        var reader = try CSVReader(path: files.members)
        let columns = try needed(Self.memberColumns, reader.header, files.members)
        let places = trees.map { tree in
            (tree: tree, parent: reader.header.firstIndex(of: tree.code + "_parent_id"), slot: reader.header.firstIndex(of: tree.code + "_slot"))
        }
        for place in places where place.slot != nil && place.parent == nil {
            throw FileFailure(path: files.members, line: 1, column: place.tree.code + "_parent_id", message: "the column is missing, and there is \(place.tree.code)_slot")
        }
        for place in places where place.parent == nil && place.tree != .placement {
            throw FileFailure(path: files.members, line: 1, column: place.tree.code + "_parent_id", message: "the plan reads the tree “\(place.tree.code)”, and its column is missing")
        }
        var extra: [Int] = []
        for name in attributes {
            guard let place = reader.header.firstIndex(of: name) else {
                throw FileFailure(path: files.members, line: 1, column: name, message: "the plan reads this attribute, and its column is missing")
            }
            extra.append(place)
        }
        var days = DayMemory()
        var count = 0
        while try reader.next() {
            func wrong(_ column: String, _ message: String) -> FileFailure {
                FileFailure(path: files.members, line: reader.line, column: column, message: message)
            }
            let kindText = reader.text(columns[1])
            guard let kind = MemberKind.allCases.first(where: { $0.code == kindText }) else {
                throw wrong("kind", "expected customer or promoter, found “\(kindText.prefix(40))”")
            }
            guard let joined = Cells.instantMs(reader.cell(columns[3]), &days) else {
                throw wrong("joined_at", "expected a time such as 2026-01-15T10:00:00Z, found “\(reader.text(columns[3]).prefix(40))”")
            }
            let statusText = reader.text(columns[4])
            guard let status = statusText.isEmpty ? .active : MemberStatus.allCases.first(where: { $0.code == statusText }) else {
                throw wrong("status", "expected \(MemberStatus.allCases.map(\.code).joined(separator: ", ")), found “\(statusText.prefix(40))”")
            }
            let id = reader.text(columns[0])
            let enroller = reader.text(columns[2])
            var row = MemberRow(
                row: reader.line, id: id, kind: kind, status: status, joinedAt: Instant(millisecondsSince1970: joined),
                enrollerId: enroller.isEmpty ? nil : enroller)
            for place in places {
                guard let column = place.parent, !reader.cell(column).isEmpty else {
                    if let column = place.slot, !reader.cell(column).isEmpty {
                        throw wrong(place.tree.code + "_slot", "a slot needs a parent in \(place.tree.code)_parent_id")
                    }
                    continue
                }
                var slot: Int?
                if let column = place.slot, !reader.cell(column).isEmpty {
                    guard let number = Cells.integer(reader.cell(column)), let small = Int(exactly: number) else {
                        throw wrong(place.tree.code + "_slot", "expected a whole number, found “\(reader.text(column).prefix(40))”")
                    }
                    slot = small
                }
                row.places.append(TreePlace(tree: place.tree, parentId: reader.text(column), slot: slot))
            }
            row.attributes = extra.map { reader.cell($0).isEmpty ? nil : reader.text($0) }
            do { try builder.add(row) } catch { throw FileFailure(error, files) }
            count += 1
            progress.rows(from: count - 1, to: count, "members")
        }
        return count
    }

    func readMoves(_ path: String, _ builder: inout FactsBuilder, _ trees: [TreeCode]) throws(FileFailure) {
        var reader = try CSVReader(path: path)
        let columns = try needed(["member_id", "tree", "parent_id", "slot", "effective_at"], reader.header, path)
        var days = DayMemory()
        while try reader.next() {
            func wrong(_ column: String, _ message: String) -> FileFailure {
                FileFailure(path: path, line: reader.line, column: column, message: message)
            }
            guard let time = Cells.instantMs(reader.cell(columns[4]), &days) else {
                throw wrong("effective_at", "expected a time such as 2026-01-15T10:00:00Z, found “\(reader.text(columns[4]).prefix(40))”")
            }
            var slot: Int?
            if !reader.cell(columns[3]).isEmpty {
                guard let number = Cells.integer(reader.cell(columns[3])), let small = Int(exactly: number) else {
                    throw wrong("slot", "expected a whole number, found “\(reader.text(columns[3]).prefix(40))”")
                }
                slot = small
            }
            let tree = TreeCode(reader.text(columns[1]))
            // Moves of trees that the plan doesn't read change nothing.
            guard tree == .enroller || trees.contains(tree) else { continue }
            builder.add(
                MoveRow(
                    row: reader.line, memberId: reader.text(columns[0]), tree: tree, parentId: reader.text(columns[2]), slot: slot,
                    effectiveAt: Instant(millisecondsSince1970: time)))
        }
    }

    /// The places of columns that must be there.
    func needed(_ names: [String], _ header: [String], _ path: String) throws(FileFailure) -> [Int] {
        try CSVReader.places(of: names, header, path)
    }
}
