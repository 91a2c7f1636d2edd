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
        return """
            # HELP kith_clicks_logged_total Clicks on disk.
            # TYPE kith_clicks_logged_total counter
            kith_clicks_logged_total \(logged)
            # HELP kith_clicks_waiting Clicks on disk that are not applied yet.
            # TYPE kith_clicks_waiting gauge
            kith_clicks_waiting \(logged - applied)
            # HELP kith_journal_transactions_total Transactions in the journals.
            # TYPE kith_journal_transactions_total counter
            kith_journal_transactions_total \(journal)
            # HELP kith_events_total Events in the outbox.
            # TYPE kith_events_total counter
            kith_events_total \(events)

            """
    }
}
