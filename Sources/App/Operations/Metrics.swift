import Persistence
import Web

/// Figures for Prometheus, in its text format.
enum Metrics {
    static func text(_ installation: Installation) async throws -> String {
        let applied = try await installation.main.read { connection in try CursorStore.position("clicks", on: connection) }
        let logged = try await installation.clicks.read { connection in try OperationStore.clicksLogged(on: connection) }
        let (events, journal) = try await installation.main.read { connection in
            (try OperationStore.events(on: connection), try OperationStore.journalTransactions(on: connection))
        }
        let remains = try await installation.erasureRemains()
        return """
            # HELP kith_clicks_logged_total Clicks on disk.
            # TYPE kith_clicks_logged_total counter
            kith_clicks_logged_total \(logged)
            # HELP kith_clicks_waiting Clicks on disk that are not applied yet.
            # TYPE kith_clicks_waiting gauge
            kith_clicks_waiting \(logged - applied)
            # HELP kith_clicks_lost_total Clicks that could not be stored since this process started.
            # TYPE kith_clicks_lost_total counter
            kith_clicks_lost_total \(installation.clickLog.lostCount)
            # HELP kith_erasure_remains Erasures whose text PostgreSQL may still have in its files.
            # TYPE kith_erasure_remains gauge
            kith_erasure_remains \(remains)
            # HELP kith_journal_transactions_total Transactions in the journals.
            # TYPE kith_journal_transactions_total counter
            kith_journal_transactions_total \(journal)
            # HELP kith_events_total Events in the outbox.
            # TYPE kith_events_total counter
            kith_events_total \(events)

            """
    }
}
