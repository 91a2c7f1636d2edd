import Chronology
import Web

/// A table of a page: columns, rows of finished cells, and what can be done with rows that are ticked.
struct PageTable: PageModel {
    struct Column: Sendable {
        var label: String
        var isNumber = false
        /// Not on phones.
        var isExtra = false
        /// Read by machines only: the column of buttons.
        var isHidden = false
    }

    enum Cell: Sendable {
        case text(String)
        /// A text with a line below it.
        case lines(String, String)
        /// A name or code, which may run in another direction.
        case name(String, url: String?)
        case mono(String)
        case number(String)
        case time(Instant)
        case badge(String, tone: String, icon: String)
        case person(String, url: String?)
        case words(PageValue)
        case forms([PageForm])
        /// A bar of thousandths; the number it shows stands in another cell.
        case meter(Int64)
        /// A select of the form around the table.
        case choice(FormField)
        case nothing
    }

    struct Row: Sendable {
        var cells: [Cell]
        /// What is sent when the row is ticked. No row of a table has one: the form around it has fields of its own.
        var id: String?
        /// What the row is called for those who tick it unseen.
        var name = ""
        var isOff = false
    }

    var label: String
    var columns: [Column]
    var rows: [Row]
    var total: [Cell] = []
    var bulk: PageForm?
    var tickLabel = ""
    var language: PageLanguage

    private var hasTicks: Bool { bulk != nil && rows.contains { $0.id != nil } }

    var page: PageObject {
        [
            "label": .text(label),
            "columns": PageValue(
                columns.map { column in
                    ["label": .text(column.label), "class": .text(Self.styles(column)), "hidden": .flag(column.isHidden), "shown": .flag(!column.isHidden)]
                }),
            "bulk": PageValue(bulk?.page), "tick": PageValue(hasTicks ? PageObject(["label": .text(tickLabel)]) : nil),
            "rows": PageValue(
                rows.map { row in
                    [
                        "off": .flag(row.isOff),
                        "tick": !hasTicks ? nil : row.id.map { ["id": .text($0), "name": .text(row.name)] } ?? ["id": "", "name": ""],
                        "cells": cells(row.cells),
                    ]
                }),
            "total": PageValue(total.isEmpty ? nil : PageObject(["cells": cells(total), "tick": .flag(hasTicks)])),
        ]
    }

    private func cells(_ cells: [Cell]) -> PageValue {
        PageValue(
            zip(columns, cells).enumerated().map { index, pair in
                var cell = Self.empty.merging(model(pair.1))
                cell["class"] = .text(Self.styles(pair.0))
                cell["head"] = .flag(index == 0)
                cell["plain"] = .flag(index != 0)
                return cell
            })
    }

    private static let empty: PageObject = [
        "text": nil, "below": nil, "name": nil, "mono": nil, "time": nil, "badge": nil, "person": nil, "words": [], "forms": [], "choice": nil, "meter": nil,
    ]

    private func model(_ cell: Cell) -> PageObject {
        switch cell {
        case .text(let text), .number(let text): ["text": .text(text)]
        case .lines(let text, let below): ["name": ["text": .text(text), "link": nil, "bare": true], "below": .text(below)]
        case .name(let name, let url): ["name": ["text": .text(name), "link": PageValue(url.map { PageObject(["url": .text($0)]) }), "bare": .flag(url == nil)]]
        case .mono(let text): ["mono": .text(text)]
        case .time(let instant): ["time": language.shortTime(instant)]
        case .badge(let label, let tone, let icon): ["badge": ["label": .text(label), "tone": .text(tone), "icon": .text(icon)]]
        case .person(let name, let url):
            [
                "person": [
                    "name": .text(name), "initials": .text(Initials.of(name)), "link": PageValue(url.map { PageObject(["url": .text($0)]) }),
                    "bare": .flag(url == nil),
                ]
            ]
        case .words(let words): ["words": words]
        case .choice(let field): ["choice": .object(field.page)]
        case .forms(let forms): ["forms": PageValue(forms)]
        case .meter(let thousandths): ["meter": ["width": .text("\(thousandths / 10).\(thousandths % 10)%")]]
        case .nothing: [:]
        }
    }

    private static func styles(_ column: Column) -> String {
        [column.isNumber ? "r" : nil, column.isExtra ? "hide-s" : nil].compactMap { $0 }.joined(separator: " ")
    }
}
