import Synchronization
import Web

/// How far long work has come, told while it goes on: a page's bar and a terminal's line read it.
final class LongWork: Sendable {
    enum Stage: String, Sendable { case reading, rehearsing, writing, tables, clicks, entries }

    struct State: Sendable, Hashable {
        var stage: Stage
        var done: Int
        /// 0 while nobody knows.
        var total: Int
        /// What of the work is meant: a table, for instance.
        var part = ""

        var thousandths: Int64 { total > 0 ? Int64(min(1_000, done * 1_000 / total)) : 0 }

        var json: JSONValue {
            ["stage": .text(stage.rawValue), "done": .integer(Int64(done)), "total": .integer(Int64(total)), "part": .text(part)]
        }
    }

    /// What commands of this task tell; nil where nobody looks.
    @TaskLocal static var current: LongWork?

    private let kept = Mutex<State?>(nil)

    var state: State? { kept.withLock { $0 } }

    func tell(_ stage: Stage, _ done: Int, of total: Int = 0, part: String = "") {
        kept.withLock { $0 = State(stage: stage, done: done, total: total, part: part) }
    }
}

/// The work of this process that somebody follows from outside, by a name of theirs.
final class ProgressBoard: Sendable {
    /// Works followed at once; more are done unfollowed.
    static let followedMax = 200

    private let works = Mutex<[String: LongWork]>([:])

    subscript(name: String) -> LongWork.State? { works.withLock { $0[name] }?.state }

    /// Does the work under a name.
    func follow<T>(_ name: String, _ progress: LongWork = LongWork(), _ work: (LongWork) async throws -> T) async rethrows -> T {
        works.withLock { works in if works.count < Self.followedMax { works[name] = progress } }
        defer { works.withLock { $0[name] = nil } }
        return try await work(progress)
    }
}
