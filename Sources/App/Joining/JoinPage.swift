import Chronology
import Persistence
import Web

/// The public page of a program on which people ask to take part: its address, its questions, and who decides.
struct JoinPage: Sendable {
    enum Approval: String, Sendable, CaseIterable { case automatic, byHand }

    struct Question: Sendable, Hashable {
        var label: String
        var isRequired: Bool
        /// Empty: any words.
        var choices: [String]
    }

    static let questionsMax = 20
    static let choicesMax = 20
    static let labelLengthMax = 200
    static let answerLengthMax = 1_000
    static let welcomeLengthMax = 2_000

    var programID: ProgramID
    var workspaceID: WorkspaceID
    var slug: String
    var isOpen: Bool
    var approval: Approval
    /// What stands first on the page; empty: nothing.
    var welcome = ""
    /// Whether people who are declined are written to, with the reason.
    var tellsDeclined = true
    var questions: [Question]
    var changedAt: Instant
}

/// What an operator sets.
struct JoinPageInput: Sendable {
    var isOpen: Bool
    var approval: JoinPage.Approval
    var welcome = ""
    var tellsDeclined = true
    var questions: [JoinPage.Question]

    static func read(_ body: JSONReader) -> JoinPageInput {
        JoinPageInput(
            isOpen: body.boolean("isOpen"), approval: body.optionalOneOf("approval", JoinPage.Approval.self) ?? .byHand,
            welcome: body.optionalText("welcome", maximumLength: JoinPage.welcomeLengthMax) ?? "",
            tellsDeclined: body.optionalBoolean("tellsDeclined") ?? true,
            questions: body.has("questions") ? body.array("questions", count: 0...JoinPage.questionsMax, JoinPage.Question.read) : [])
    }
}

extension JoinPage.Question {
    static func read(_ body: JSONReader) -> JoinPage.Question {
        JoinPage.Question(
            label: body.name("label", maximumLength: JoinPage.labelLengthMax), isRequired: body.optionalBoolean("isRequired") ?? false,
            choices: body.has("choices")
                ? body.textList("choices", maximumCount: JoinPage.choicesMax, maximumLength: JoinPage.labelLengthMax) : [])
    }

    var json: JSONValue { ["label": .text(label), "isRequired": .boolean(isRequired), "choices": .array(choices.map { .text($0) })] }
}

extension JoinPage {
    static func set(_ input: JoinPageInput, for program: ProgramID, in write: Write) throws -> JoinPage {
        guard let program = try ProgramStore.find(program, in: write.workspace.id, at: write.now, on: write.connection) else { throw Refusal.unknownProgram() }
        let known = try JoinStore.page(of: program.id, on: write.connection)
        let page = JoinPage(
            programID: program.id, workspaceID: write.workspace.id, slug: try known?.slug ?? freeSlug(program.slug, in: write), isOpen: input.isOpen,
            approval: input.approval, welcome: input.welcome, tellsDeclined: input.tellsDeclined, questions: input.questions, changedAt: write.now)
        try JoinStore.put(page, on: write.connection)
        try write.audit("join_page.change", subject: program.id.text, JSONText(["isOpen": .boolean(page.isOpen), "approval": .text(page.approval.rawValue)]))
        return page
    }

    /// Addresses are shared by all workspaces of a server: the first one has the program's own word.
    private static func freeSlug(_ wanted: String, in write: Write) throws -> String {
        for number in 1..<1_000 {
            let slug = number == 1 ? wanted : "\(wanted)-\(number)"
            if try JoinStore.page(slug: slug, on: write.connection) == nil { return slug }
        }
        return write.world.newID(ProgramKind.self).text
    }

    var json: JSONValue {
        [
            "programId": .text(programID.text), "slug": .text(slug), "path": .text("/join/\(slug)"), "isOpen": .boolean(isOpen),
            "approval": .text(approval.rawValue), "welcome": .text(welcome), "tellsDeclined": .boolean(tellsDeclined), "questions": .array(questions.map(\.json)), "changedAt": .text(changedAt.rfc3339),
        ]
    }
}

enum JoinStore {
    private static let columns = "program_id, workspace_id, slug, is_open, approval, questions, changed_at, welcome, tells_declined"

    static func page(of program: ProgramID, on connection: any Connection) throws -> JoinPage? {
        try connection.row("SELECT \(raw: columns) FROM join_page WHERE program_id = \(program)").map(read)
    }

    static func page(slug: String, on connection: any Connection) throws -> JoinPage? {
        try connection.row("SELECT \(raw: columns) FROM join_page WHERE slug = \(slug)").map(read)
    }

    /// The open ones of live workspaces, all or one's; test twins are for their team alone.
    static func open(in workspace: WorkspaceID?, limit: Int, on connection: any Connection) throws -> [JoinPage] {
        let names = columns.split(separator: ",").map { "j." + $0.trimmingPrefix(while: { $0 == " " }) }.joined(separator: ", ")
        return try connection.rows(
            """
            SELECT \(raw: names) FROM join_page j JOIN workspace w ON w.id = j.workspace_id
            WHERE j.is_open = 1 AND ((\(workspace == nil ? 1 : 0) = 1 AND w.live_id IS NULL) OR j.workspace_id = \(workspace?.text ?? "")) ORDER BY j.slug LIMIT \(limit)
            """
        ).map(read)
    }

    static func put(_ page: JoinPage, on connection: any Connection) throws {
        let questions = JSONText(.array(page.questions.map(\.json))).text
        try connection.execute(
            """
            INSERT INTO join_page (\(raw: columns))
            VALUES (\(page.programID), \(page.workspaceID), \(page.slug), \(page.isOpen), \(page.approval.rawValue), \(questions), \(page.changedAt),
                    \(page.welcome), \(page.tellsDeclined))
            ON CONFLICT (program_id) DO UPDATE SET is_open = excluded.is_open, approval = excluded.approval, questions = excluded.questions,
                changed_at = excluded.changed_at, welcome = excluded.welcome, tells_declined = excluded.tells_declined
            """)
    }

    private static func read(_ row: Row) throws -> JoinPage {
        let questions = JSONText(text: try row.get(at: 5)).value.elements.map { value in
            JoinPage.Question(
                label: value["label"]?.string ?? "", isRequired: value["isRequired"] == .boolean(true),
                choices: (value["choices"]?.elements ?? []).compactMap(\.string))
        }
        return JoinPage(
            programID: try row.get(at: 0), workspaceID: try row.get(at: 1), slug: try row.get(at: 2), isOpen: try row.get(at: 3),
            approval: JoinPage.Approval(rawValue: try row.get(at: 4)) ?? .byHand, welcome: try row.get(at: 7), tellsDeclined: try row.get(at: 8),
            questions: questions, changedAt: try row.get(at: 6))
    }
}
