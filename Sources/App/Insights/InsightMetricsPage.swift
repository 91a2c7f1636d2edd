/// `docs/metrics.md`: each measure with its exact meaning, as the code has it.
enum InsightMetricsPage {
    static var markdown: String {
        var text = """
            # What each figure means

            This page is made from the code. `GET /insights/query` answers any of these measures by the dimensions it can be told apart by;
            `GET /insights/kpis` answers all for a period, each as `value, numerator, denominator, definition`. Money is in minor units and one currency; currencies
            are never added or converted. A ratio whose denominator is zero has no value, and says so. Days are those of the workspace's time zone.
            `GET /insights/progression` says where people stand, who moved from where to where, and the median of how long they stayed;
            `GET /insights/funnel?by=channel,device` each step from showing to sale as a part of the one before; `GET /insights/retention?months=` the customers of each
            month and how many bought again in each later one. The page **Figures** shows a period beside the one before, and gives it as a file.

            | measure | kind | definition | by |
            |---|---|---|---|

            """
        for measure in InsightMeasure.allCases {
            let dimensions = InsightDimension.allCases.filter(measure.dimensions.contains).map(\.rawValue).joined(separator: ", ")
            text += "| `\(measure.rawValue)` | \(measure.kind.rawValue) | \(measure.definition) | \(dimensions.isEmpty ? "–" : dimensions) |\n"
        }
        text += "\n## Dimensions\n\n| dimension | meaning |\n|---|---|\n"
        for dimension in InsightDimension.allCases { text += "| `\(dimension.rawValue)` | \(dimension.definition) |\n" }
        text += """

            ## Limits

            A question takes at most \(InsightQuestion.measuresMax) measures, \(InsightQuestion.dimensionsMax) dimensions, \(InsightQuestion.filtersMax) filters and \
            \(InsightQuestion.daysMax) days, and its answer has at most \(InsightQuestion.rowsMax) rows; the refusal says which was passed. `freshness` names the last event that
            is counted, how many wait, and how many days and people are still to be counted anew. Counts are kept day by day from the events and worked out anew by
            `kith insights rebuild`, which gives the same, a part at a time: sales come in between.

            `satisfaction` and `netPromoterScore` are not answered: there are no surveys yet.

            """
        return text
    }
}
