import Persistence

/// A table of a workspace's export: one file of JSON Lines, a row a line, in an order that an import can follow.
struct ExportTable: Sendable {
    var name: String
    /// The rows of the workspace.
    var filter: @Sendable (WorkspaceID) -> SQL
    var order: String
    /// Columns that belong to the installation rather than to the workspace, or are sealed.
    var omitted: Set<String> = []
    /// A column that names a row of the same table, which may come later: filled in at the end.
    var deferred: String?

    private init(
        _ name: String, order: String = "id", omitted: Set<String> = [], deferred: String? = nil,
        filter: @escaping @Sendable (WorkspaceID) -> SQL = { "workspace_id = \($0)" }
    ) {
        self.name = name
        self.filter = filter
        self.order = order
        self.omitted = omitted
        self.deferred = deferred
    }

    static let people = "person"
    static let clicks = "click"
    static let webhookEndpoints = "webhook_endpoint"

    /// Rows that a row names come before it.
    static let all: [ExportTable] = [
        ExportTable("workspace", order: "CASE WHEN live_id IS NULL THEN 0 ELSE 1 END") { id in
            "id = \(id) OR live_id = \(id) OR id = (SELECT live_id FROM workspace WHERE id = \(id))"
        },
        ExportTable(people, omitted: ["key_id", "name_indexed"]),
        of("mail_stop", "person", order: "person_id, kind"),
        of("letter_choice", "person", order: "person_id, kind, chosen_at"),
        ExportTable("program"),
        of("program_version", "program", order: "program_id, version"),
        ExportTable("rule"),
        of("rule_version", "rule", order: "rule_id, version"),
        ExportTable("plan"),
        of("plan_version", "plan", order: "plan_id, version"),
        of("tree_policy", "program", order: "program_id, tree"),
        of("legal_policy", "program", order: "program_id"),
        ExportTable("member", omitted: ["external_hash"], deferred: "enroller_id"),
        of("enrollment", "program", order: "program_id, member_id"),
        ExportTable("member_group"),
        ExportTable("group_rung", order: "group_id") { id in "group_id IN (SELECT id FROM member_group WHERE workspace_id = \(id))" },
        ExportTable("group_move"),
        ExportTable("group_look", order: "program_id"),
        ExportTable("join_page", order: "program_id"),
        of("recommendation", "member", order: "member_id"),
        ExportTable("findable_member", order: "member_id"),
        of("findable_choice", "member", order: "member_id, chosen_at"),
        of("terms_version", "program", order: "program_id, version"),
        of("terms_acceptance", "program", order: "program_id, member_id, version"),
        ExportTable("partner_invitation", omitted: ["token_hash"]),
        ExportTable("application", omitted: ["answers_sealed", "token_hash", "token_expires_at"]),
        ExportTable("stage_move"),
        ExportTable("member_merge"),
        ExportTable("member_change"),
        of("member_change_item", "member_change", order: "member_change_id, member_id"),
        of("placement", "program", order: "program_id, tree, member_id, effective_from"),
        of("placement_waiting", "program", order: "program_id, tree, member_id"),
        ExportTable("short_domain", order: "host"),
        ExportTable("link"),
        of("link_variant", "link", order: "link_id, position"),
        ExportTable("friend_invitation"),
        of("invitation_link", "member", order: "member_id, program_id"),
        ExportTable("complaint", omitted: ["address_hash"]),
        of("invitation_pause", "member", order: "member_id"),
        ExportTable("click_day", order: "day, link_id"),
        ExportTable("traffic_day", order: "day, program_id, kind, channel, device, country"),
        ExportTable("share_day", order: "member_id, day, channel, content_id"),
        ExportTable("cost"),
        ExportTable("customer", omitted: ["external_hash"]),
        of("customer_member", "customer", order: "customer_id"),
        ExportTable("customer_visitor", order: "customer_id, visitor_id"),
        ExportTable("touch"),
        ExportTable("customer_binding", order: "program_id, customer_id, bound_at"),
        ExportTable("lead", omitted: ["metadata_sealed"]),
        ExportTable("sale", omitted: ["metadata_sealed"]),
        ExportTable("event_dimension", order: "event_id"),
        ExportTable("refund"),
        ExportTable("commission"),
        ExportTable("adjustment"),
        of("correction_part", "commission", order: "commission_id, position"),
        ExportTable("commission_decision"),
        of("commission_decision_item", "commission_decision", order: "commission_decision_id, commission_id"),
        of("cap_usage", "rule", order: "rule_id, scope, period, unit"),
        of("program_budget", "program", order: "program_id, period"),
        of("program_budget_use", "program", order: "program_id, given_id"),
        of("tier_entry", "rule", order: "sale_id, rule_id, member_id"),
        of("tier_usage", "rule", order: "rule_id, member_id, period, unit, rule_version"),
        of("sale_credit", "sale", order: "sale_id, member_id"),
        ExportTable("coupon"),
        ExportTable("friend_page", order: "program_id"),
        ExportTable("coupon_code"),
        ExportTable("coupon_use", order: "code_id, invoice_id") { id in "code_id IN (SELECT id FROM coupon_code WHERE workspace_id = \(id))" },
        ExportTable("coupon_reservation", order: "code_id, invoice_id") { id in "code_id IN (SELECT id FROM coupon_code WHERE workspace_id = \(id))" },
        ExportTable("coupon_shop", order: "vendor", omitted: ["secret_sealed", "trouble_code"]),
        ExportTable("coupon_sync", order: "coupon_id, vendor"),
        ExportTable("coupon_code_sync", order: "code_id, vendor"),
        ExportTable("reward"),
        ExportTable("wallet_unit", order: "unit"),
        ExportTable("wallet_lot"),
        ExportTable("wallet_movement"),
        ExportTable("spend_item"),
        ExportTable("redemption"),
        ExportTable("tier"),
        of("standing", "program", order: "program_id, member_id"),
        ExportTable("tier_move"),
        ExportTable("badge"),
        of("badge_award", "badge", order: "badge_id, member_id"),
        ExportTable("earn_action"),
        ExportTable("earned_action"),
        ExportTable("party_plan", order: "program_id"),
        ExportTable("party"),
        of("party_order", "party", order: "sale_id"),
        of("party_guest", "party", order: "id"),
        ExportTable("occasion"),
        of("occasion_answer", "occasion", order: "occasion_id, member_id"),
        ExportTable("survey"),
        ExportTable("survey_ask"),
        ExportTable("survey_answer", omitted: ["comment_sealed", "note_sealed"]),
        ExportTable("standing_check", order: "program_id, member_id"),
        ExportTable("payout_account", order: "member_id"),
        ExportTable("payout"),
        of("payout_item", "payout", order: "payout_id, member_id"),
        ExportTable("rail", order: "kind", omitted: ["secret_sealed", "trouble_code", "trouble_at"]),
        of("rail_choice", "program", order: "program_id"),
        ExportTable("rail_offer", order: "workspace_id"),
        of("payout_exclusion", "payout", order: "payout_id, member_id"),
        of("payout_commission", "payout", order: "payout_id, member_id, commission_id"),
        ExportTable("reconciliation"),
        ExportTable("reconciliation_entry", omitted: ["payload_sealed"]),
        ExportTable("reconciliation_evidence", order: "payout_id, member_id, entry_id") { id in
            "payout_id IN (SELECT id FROM payout WHERE workspace_id = \(id))"
        },
        ExportTable("payout_request"),
        ExportTable("payout_request_commission", order: "commission_id") { id in
            "request_id IN (SELECT id FROM payout_request WHERE workspace_id = \(id))"
        },
        ExportTable("run", omitted: ["work_owner"], deferred: "previous_id"),
        of("run_part", "run", order: "run_id, kind, part"),
        ExportTable("run_override"),
        of("run_difference", "run", order: "run_id, for_run_id, member_id, bonus"),
        of("run_payable", "run", order: "run_id, member_id"),
        ExportTable("experiment"),
        of("experiment_variant", "experiment", order: "experiment_id, position"),
        of("experiment_step", "experiment", order: "experiment_id, number"),
        of("experiment_exposure", "experiment", order: "experiment_id, subject_hash"),
        ExportTable("company", order: "workspace_id"),
        ExportTable("theme", order: "workspace_id"),
        ExportTable("embedding", order: "workspace_id"),
        ExportTable("mail_domain", order: "workspace_id"),
        ExportTable("integration", order: "vendor", omitted: ["secret_sealed", "former_sealed", "former_until"]),
        ExportTable("inbound_reference", order: "vendor, reference"),
        ExportTable("inbound_order", order: "vendor, invoice_id"),
        ExportTable("account"),
        ExportTable("journal_transaction", order: "sequence"),
        ExportTable("journal_entry", order: "sequence, position"),
        ExportTable("journal_head", order: "workspace_id"),
        ExportTable("journal_total", order: "unit"),
        ExportTable("audit_entry", order: "sequence"),
        ExportTable("audit_head", order: "workspace_id"),
        ExportTable("outbox", order: "sequence"),
        ExportTable(
            webhookEndpoints,
            omitted: [
                "url_sealed", "secret_sealed", "previous_secret_sealed", "previous_secret_until", "replay_from", "replay_until", "failures_in_row",
                "failing_since", "paused_until",
            ]
        ) { id in "workspace_id = \(id) AND state <> 'removed'" },
    ]

    /// Tables of the main database that belong to the installation: its team, its keys, its memory of requests, its keys of people.
    static let excluded: Set<String> = [
        "operator", "magic_link", "member_session", "second_factor", "recovery_code", "operator_device", "member_device", "team_member", "invitation", "operator_session", "api_key", "idempotency", "worker_cursor", "person_field", "person_lookup", "name_part",
        "key_to_destroy", "key_store", "person_key", "tombstone", "click", "click_head", "mail", "journal_check", "click_to_blank", "erasure_remains",
        "webhook_cursor", "webhook_delivery",
        // Worked out from the rest, anew wherever it comes.
        "insight_cursor", "insight_day", "insight_todo", "fan_stage", "fan",
        "inbound_event", "inbound_wait", "inbound_subject", "rail_call", "rail_line",
        // Files under way, not what came of them.
        "file_import",
        // Hashes under a key of this server.
        "invited_address", "unwanted_address", "application_trait",
        // Proofs belong to this server: elsewhere a host is proved anew.
        "company_domain", "embed_token_use",
    ]

    private static func of(_ name: String, _ parent: String, order: String) -> ExportTable {
        ExportTable(name, order: order) { id in "\(raw: parent)_id IN (SELECT id FROM \(raw: parent) WHERE workspace_id = \(id))" }
    }
}
