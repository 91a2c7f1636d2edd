import Persistence
import Web

/// In which order a list stands. Ids grow with time.
enum ListOrder: String, Sendable, CaseIterable {
    case newest, oldest

    init(_ visit: PageVisit) { self = visit.query["order"].flatMap { ListOrder(rawValue: $0) } ?? .newest }

    /// What is sent with an address; nothing when it goes without saying.
    var queryText: String { self == .newest ? "" : rawValue }

    /// The rows behind a cursor, in this order: `column` names the id.
    func rows(of sql: SQL, _ column: StaticString, behind cursor: String?, limit: Int) -> SQL {
        var sql = sql
        let name = column.description
        switch self {
        case .newest:
            if let cursor { sql = "\(sql: sql) AND \(raw: name) < \(cursor)" }
            return "\(sql: sql) ORDER BY \(raw: name) DESC LIMIT \(limit)"
        case .oldest:
            if let cursor { sql = "\(sql: sql) AND \(raw: name) > \(cursor)" }
            return "\(sql: sql) ORDER BY \(raw: name) LIMIT \(limit)"
        }
    }

    static func options(_ chosen: ListOrder, _ language: PageLanguage) -> [PageObject] {
        allCases.map {
            ["value": .text($0.rawValue), "label": .text(language("list.order.\($0.rawValue)")), "chosen": .flag($0 == chosen)]
        }
    }
}
