import Chronology
import Web

/// A question with its scores, or what follows on the answer: on a member's pages and where a letter leads.
struct SurveyCard: PageModel {
    var survey: Survey
    var answer: SurveyAnswer?
    var company: String
    /// Where the answer goes.
    var action: String
    var csrfToken: String?
    /// Where a member shares; nil where there are no such pages.
    var shareURL: String?
    /// Whether it can be put off.
    var mayWait = false
    var error: String?
    var language: PageLanguage

    var page: PageObject {
        let isOpen = answer != nil || survey.state == .active
        return [
            "question": .text(survey.question), "thanks": PageValue(answer == nil ? nil : say("thanks.\(answer?.feeling.rawValue ?? "neutral")")),
            "error": PageValue(error), "closed": PageValue(isOpen ? nil : say("closed")),
            "help": PageValue(answer?.followUp == .open ? Self.help(survey.supportURL, company: company, language) : nil),
            "share": PageValue(
                answer?.feeling == .happy ? shareURL.map { PageObject(["url": .text($0), "label": .text(say("share"))]) } : nil),
            "form": isOpen
                ? [
                    "action": .text(action), "csrfToken": PageValue(csrfToken), "low": .text(say("\(survey.kind.rawValue).low")),
                    "high": .text(say("\(survey.kind.rawValue).high")), "later": PageValue(mayWait ? say("later") : nil),
                    "scores": PageValue(
                        survey.kind.scores.map { score in
                            PageObject([
                                "value": .text(String(score)), "chosen": .flag(answer?.score == score),
                                "label": .text(
                                    language("survey.score", ["score": language.integer(score), "most": language.integer(survey.kind.scores.upperBound)])),
                            ])
                        }),
                ] : nil,
            "words": PageValue(
                answer.map { answer in
                    PageObject([
                        "action": .text(action), "csrfToken": PageValue(csrfToken), "score": .text(String(answer.score)),
                        "label": .text(say("comment.\(answer.feeling.rawValue)")), "comment": .text(answer.comment ?? ""),
                        "maximum": .text(String(SurveyAnswer.commentLengthMax)), "help": .text(language("survey.comment.help", ["company": company])),
                        "send": .text(say("comment.send")),
                    ])
                }),
        ]
    }

    private func say(_ key: String) -> String { language("survey.\(key)", ["company": company]) }

    /// What the unhappy read in place of a wish to share.
    static func help(_ url: String, company: String, _ language: PageLanguage) -> PageObject {
        [
            "text": .text(language("survey.help", ["company": company])), "url": PageValue(url.isEmpty ? nil : url),
            "label": .text(language("survey.help.action", ["company": company])),
        ]
    }
}
