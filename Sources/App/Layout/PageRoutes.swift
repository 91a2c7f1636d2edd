import HTTPTypes
import Hummingbird
import NIOCore
import Web

/// Every page that people see, a line for each feature.
enum PageRoutes {
    static func add(to api: inout API, site: Site) {
        let gate = PageGate(installation: api.installation, site: site)
        ProgramPages.add(to: &api, gate: gate)
        ProgramForms.add(to: &api, gate: gate)
        RulePages.add(to: &api, gate: gate)
        MemberPages.add(to: &api, gate: gate)
        WalletPages.add(to: &api, gate: gate)
        SpendPages.add(to: &api, gate: gate)
        StandingPages.add(to: &api, gate: gate)
        EarningPages.add(to: &api, gate: gate)
        PartyPages.add(to: &api, gate: gate)
        OccasionPages.add(to: &api, gate: gate)
        SurveyPages.add(to: &api, gate: gate)
        SurveyDoor.add(to: &api, site: site)
        InsightPages.add(to: &api, gate: gate)
        ProgressionPages.add(to: &api, gate: gate)
        LevelPages.add(to: &api, gate: gate)
        CostPages.add(to: &api, gate: gate)
        CustomerPages.add(to: &api, gate: gate)
        CustomerValuePages.add(to: &api, gate: gate)
        CommissionPages.add(to: &api, gate: gate)
        RewardPages.add(to: &api, gate: gate)
        CouponPages.add(to: &api, gate: gate)
        ReferralPages.add(to: &api, gate: gate)
        PayoutPages.add(to: &api, gate: gate)
        RailPages.add(to: &api, gate: gate)
        ReconciliationPages.add(to: &api, gate: gate)
        PlanPages.add(to: &api, gate: gate)
        RunPages.add(to: &api, gate: gate)
        LaboratoryPages.add(to: &api, gate: gate)
        GenealogyPages.add(to: &api, gate: gate)
        LedgerPages.add(to: &api, gate: gate)
        AdjustmentPages.add(to: &api, gate: gate)
        StatementPages.add(to: &api, gate: gate)
        FileRoutes.add(to: &api, site: site)
        SignInRoutes.add(to: &api, gate: gate)
        InvitationRoutes.add(to: &api, gate: gate)
        WorkspaceSwitch.add(to: &api, gate: gate)
        Confirmation.add(to: &api, gate: gate)
        AccountPages.add(to: &api, gate: gate)
        OverviewPages.add(to: &api, gate: gate)
        SalePages.add(to: &api, gate: gate)
        ReceiptPages.add(to: &api, gate: gate)
        LeadPages.add(to: &api, gate: gate)
        LinkPages.add(to: &api, gate: gate)
        AuditPages.add(to: &api, gate: gate)
        GuidePages.add(to: &api, gate: gate)
        SearchPages.add(to: &api, gate: gate)
        TeamPages.add(to: &api, gate: gate)
        APIKeyPages.add(to: &api, gate: gate)
        WebhookPages.add(to: &api, gate: gate)
        SettingsPages.add(to: &api, gate: gate)
        ThemePages.add(to: &api, gate: gate)
        DomainPages.add(to: &api, gate: gate)
        MailDomainPages.add(to: &api, gate: gate)
        IntegrationPages.add(to: &api, gate: gate)
        GroupPages.add(to: &api, gate: gate)
        ExperimentPages.add(to: &api, gate: gate)
        ApplicationPages.add(to: &api, gate: gate)
        PartnerPages.add(to: &api, gate: gate)
        JoinPageForms.add(to: &api, gate: gate)
        JoinPages.add(to: &api, site: site)
        FriendPageForms.add(to: &api, gate: gate)
        FriendPages.add(to: &api, site: site)
        UnwantedPages.add(to: &api, site: site)
        ComplaintPages.add(to: &api, gate: gate)
        SiteMap.add(to: &api)
        PartyDoor.add(to: &api, site: site)
        PortalPages.add(to: &api, site: site)
        EmbedEntrance.add(to: &api, site: site)
        WidgetPages.add(to: &api, site: site)
    }
}

/// Styles, scripts, pictures, and the sheet and logo that make pages a company's.
enum FileRoutes {
    static func add(to api: inout API, site: Site) {
        api.table.note(.get, "\(AssetLibrary.prefix){file}")
        api.router.get("/assets/**") { request, _ in try site.assets.response(for: request) }
        api.table.note(.get, "/brand/{sheet}")
        let brand = BrandFiles(installation: api.installation, site: site)
        api.router.get("/brand/{sheet}") { _, context in try await brand.respond(context.parameters.get("sheet") ?? "") }
    }
}
