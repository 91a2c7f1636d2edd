import Statistics
import Web

/// What a survey's answers come to, in whole and by stage and by channel.
struct SurveyResults: Sendable {
    struct Count: Sendable, Hashable {
        var score: Int64
        var stage: Member.Stage
        var channel: SurveyAnswer.Channel
        var answers: Int64
    }

    /// One number with all that it is made of.
    struct Figure: Sendable, Hashable {
        var kind: Survey.Kind
        var answers: Int64
        /// Of a CSAT the content ones (4 and 5), of an NPS the promoters (9 and 10).
        var favourable: Int64
        /// Of an NPS the detractors (0 to 6).
        var against: Int64

        init(_ kind: Survey.Kind, _ counts: [Count]) {
            self.kind = kind
            answers = counts.reduce(0) { $0 + $1.answers }
            favourable = counts.filter { kind == .csat ? $0.score >= 4 : $0.score >= 9 }.reduce(0) { $0 + $1.answers }
            against = kind == .csat ? 0 : counts.filter { $0.score <= 6 }.reduce(0) { $0 + $1.answers }
        }

        var numerator: Int64 { favourable - against }

        private var net: NetPromoter? { NetPromoter(promoters: Int(favourable), detractors: Int(against), answers: Int(answers)) }

        /// In whole points: per cent of a CSAT, from −100 to 100 of an NPS. Nil without an answer.
        var points: Int64? { net.map { Int64($0.points) } }

        /// In points, of 95 %.
        var interval: Interval? {
            switch kind {
            case .csat: Proportion(conversions: Int(favourable), users: Int(answers))?.wilson().scaled(by: 100)
            case .nps: net?.interval().scaled(by: 100)
            }
        }

        var json: JSONValue {
            func tenths(_ value: Double?) -> JSONValue { .decimal(value.map { ($0 * 10).rounded() / 10 }) }
            return [
                "points": points.map { .integer($0) } ?? .null, "numerator": .integer(numerator), "denominator": .integer(answers),
                "favourable": .integer(favourable), "against": .integer(against),
                "interval": interval.map { ["lower": tenths($0.lower), "upper": tenths($0.upper), "confidence": .decimal(0.95)] } ?? .null,
            ]
        }

        static let schema = APISchema.object([
            .required("points", .described(.nullable(.integer()), description: "Numerator ÷ denominator in whole points. Null without an answer.")),
            .required("numerator", .integer()), .required("denominator", .integer()),
            .required("favourable", .described(.integer(), description: "Answers of 4 and 5 of a CSAT, of 9 and 10 of an NPS.")),
            .required("against", .described(.integer(), description: "Answers of 0 to 6 of an NPS.")),
            .required(
                "interval",
                .nullable(.object([.required("lower", .number), .required("upper", .number), .required("confidence", .number)]))),
        ])
    }

    var survey: Survey
    var asked: Int64
    var counts: [Count]

    var whole: Figure { Figure(survey.kind, counts) }

    func of(_ stage: Member.Stage) -> Figure { Figure(survey.kind, counts.filter { $0.stage == stage }) }

    func of(_ channel: SurveyAnswer.Channel) -> Figure { Figure(survey.kind, counts.filter { $0.channel == channel }) }

    func answers(of score: Int64) -> Int64 { counts.filter { $0.score == score }.reduce(0) { $0 + $1.answers } }

    static func definition(_ kind: Survey.Kind) -> String {
        switch kind {
        case .csat: "Satisfaction: answers of 4 and 5 ÷ all answers, in per cent. The interval is Wilson's, of 95 %."
        case .nps:
            "Net promoter score: (answers of 9 and 10 − answers of 0 to 6) ÷ all answers, in points. The interval, of 95 %, is by the variance of that difference with three answers added."
        }
    }

    var json: JSONValue {
        [
            "surveyId": .text(survey.id.text), "kind": .text(survey.kind.rawValue), "definition": .text(Self.definition(survey.kind)), "asked": .integer(asked),
            "answers": .integer(whole.answers), "result": whole.json,
            "scores": .array(survey.kind.scores.map { ["score": .integer($0), "answers": .integer(answers(of: $0))] }),
            "byStage": .array(Member.Stage.allCases.map { ["stage": .text($0.rawValue), "result": of($0).json] }),
            "byChannel": .array(SurveyAnswer.Channel.allCases.map { ["channel": .text($0.rawValue), "result": of($0).json] }),
        ]
    }

    static let schema = APISchema.object([
        .required("surveyId", .text), .required("kind", .enumeration(Survey.Kind.allCases.map(\.rawValue))), .required("definition", .text),
        .required("asked", .integer()), .required("answers", .integer()), .required("result", Figure.schema),
        .required("scores", .array(.object([.required("score", .integer()), .required("answers", .integer())]))),
        .required(
            "byStage",
            .array(.object([.required("stage", .enumeration(Member.Stage.allCases.map(\.rawValue))), .required("result", Figure.schema)]))),
        .required(
            "byChannel",
            .array(.object([.required("channel", .enumeration(SurveyAnswer.Channel.allCases.map(\.rawValue))), .required("result", Figure.schema)]))),
    ])
}
