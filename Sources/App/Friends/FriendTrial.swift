import Chronology
import Hummingbird
import Logging
import Persistence
import Web

/// The friend's page as an experiment gives it to one browser: texts of the variant stand for the page's own. Who is held out, and who is in
/// no experiment, sees the page as it is.
struct FriendTrial: Sendable {
    static let kinds: [Experiment.Kind] = [.landingPage, .message]

    private var content: [Experiment.Content] = []
    /// A browser that was not known: its cookie goes with the answer.
    private(set) var newVisitor: Identifier<VisitorKind>?

    /// Experiments that decide about the page, the newest first.
    static func all(of program: ProgramID, on connection: any Connection) throws -> [Experiment] {
        try ExperimentStore.begun(kinds: kinds, program: program, on: connection).filter { $0.state != .stopped }
    }

    /// Nil when nothing is tried. What is seen by a person is noted, once for each browser; a page is shown even when it cannot be noted.
    static func show(
        _ trials: [Experiment], of program: Program, link: Link, to request: Request, _ context: KithContext, in language: PageLanguage,
        _ installation: Installation
    ) async throws -> FriendTrial? {
        let chosen = trials.first { $0.state == .concluded }.flatMap { $0.variants.indices.contains($0.chosen ?? 0) ? $0.variants[$0.chosen ?? 0] : nil }
        let standing = chosen.map { FriendTrial(content: $0.content) }
        // Without cookies nobody can be known again: they see what everybody sees.
        guard !program.settings.isCookieless, trials.contains(where: { $0.state == .running }), isPerson(request, context, link, installation) else {
            return standing
        }
        let known = Redirect.visitor(of: request.headers)
        let visitor = known ?? installation.world.newID(VisitorKind.self)
        for experiment in trials where experiment.state == .running {
            guard let position = experiment.assignment(of: visitor.text).position else { continue }
            let isNoted = await note(experiment, position, visitor, segment: language.messages.locale, installation)
            guard isNoted else { return standing }
            var trial = standing ?? FriendTrial()
            if experiment.variants.indices.contains(position) { trial.content = experiment.variants[position].content }
            trial.newVisitor = known == nil ? visitor : nil
            return trial
        }
        return standing
    }

    private static func isPerson(_ request: Request, _ context: KithContext, _ link: Link, _ installation: Installation) -> Bool {
        let fields = request.headers
        let now = installation.world.now()
        let address = installation.clientAddress(peer: context.remoteAddress?.ipAddress, headers: fields)
        return installation.classifier.discard(
            ClickClassifier.Request(
                method: request.method.rawValue, userAgent: fields[.userAgent], secFetchDest: fields[.secFetchDest], secFetchMode: fields[.secFetchMode],
                secFetchSite: fields[.fetchSite], accept: fields[.accept],
                purpose: fields[.purpose] ?? fields[.secPurpose] ?? fields[.xPurpose] ?? fields[.xMoz]),
            address: installation.addresses.hash(address, workspace: link.workspaceID, at: now), link: "friend:\(link.id.text)", at: now) == nil
    }

    private static func note(
        _ experiment: Experiment, _ position: Int, _ visitor: Identifier<VisitorKind>, segment: String, _ installation: Installation
    ) async -> Bool {
        do {
            return try await Experiment.noteSeen([(experiment, position)], by: visitor.text, segment: segment, in: experiment.workspaceID, installation)
        } catch {
            installation.logger.error("What a friend saw was not noted; they see the page as it is", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// The page with the variant's texts in place of its own. A text of another name is for somebody else's page.
    func changing(_ page: FriendPage) -> FriendPage {
        var page = page
        for part in content {
            switch part.name {
            case "headline": page.headline = String(part.text.prefix(FriendPage.headlineLengthMax))
            case "lead": page.lead = String(part.text.prefix(FriendPage.leadLengthMax))
            case "button": page.button = String(part.text.prefix(FriendPage.buttonLengthMax))
            default: break
            }
        }
        return page
    }
}
