import Hummingbird
import Web

/// Every request that Kith answers, a line for each feature: the table of contents.
enum Routes {
    static func build(_ installation: Installation, site: Site) -> (router: Router<KithContext>, api: API) {
        let router = Router(context: KithContext.self)
        let allowed = AllowedMethods()
        router.add(middleware: SecurityHeadersMiddleware(baseURL: installation.baseURL))
        router.add(middleware: CompressionMiddleware())
        router.add(middleware: CrossOriginMiddleware())
        router.add(
            middleware: ProblemMiddleware(
                page: SiteProblemPage(site: site, hosts: installation.hosts), allowedMethods: { path in allowed.methods(at: path) }))
        router.add(middleware: StoreFailureMiddleware(logger: installation.logger))
        router.add(middleware: LinkPathMiddleware(redirect: Redirect(installation)))
        router.add(middleware: CompanyHostMiddleware(installation: installation))
        var api = API(installation, router: router)

        // What programs call.
        WorkspaceRoutes.add(to: &api)
        TeamRoutes.add(to: &api)
        APIKeyRoutes.add(to: &api)
        ProgramRoutes.add(to: &api)
        RuleRoutes.add(to: &api)
        FindableRoutes.add(to: &api)
        MemberRoutes.add(to: &api)
        GroupRoutes.add(to: &api)
        JoinRoutes.add(to: &api)
        PartnerRoutes.add(to: &api)
        MemberMergeRoutes.add(to: &api)
        WalletRoutes.add(to: &api)
        SpendRoutes.add(to: &api)
        StandingRoutes.add(to: &api)
        EarnActionRoutes.add(to: &api)
        PartyRoutes.add(to: &api)
        FriendPageRoutes.add(to: &api)
        FriendInvitationRoutes.add(to: &api)
        LinkRoutes.add(to: &api)
        TrackRoutes.add(to: &api)
        LeadRoutes.add(to: &api)
        SaleRoutes.add(to: &api)
        CustomerRoutes.add(to: &api)
        CommissionRoutes.add(to: &api)
        RewardRoutes.add(to: &api)
        CouponRoutes.add(to: &api)
        OrganisationRoutes.add(to: &api)
        PlanRoutes.add(to: &api)
        RunRoutes.add(to: &api)
        AdjustmentRoutes.add(to: &api)
        CommissionDecisionRoutes.add(to: &api)
        PayoutRoutes.add(to: &api)
        PayoutRequestRoutes.add(to: &api)
        RailRoutes.add(to: &api)
        ReconciliationRoutes.add(to: &api)
        LedgerRoutes.add(to: &api)
        StatementRoutes.add(to: &api)
        AuditRoutes.add(to: &api)
        EventRoutes.add(to: &api)
        EmbedRoutes.add(to: &api)
        ShareBlockRoutes.add(to: &api, site: site)
        ThemeRoutes.add(to: &api)
        DomainRoutes.add(to: &api)
        MailDomainRoutes.add(to: &api)
        WebhookRoutes.add(to: &api)
        PostbackRoutes.add(to: &api)
        IntegrationRoutes.add(to: &api)
        ExperimentRoutes.add(to: &api, site: site)

        // What browsers and machines ask for.
        RedirectRoutes.add(to: &api)
        OperationRoutes.add(to: &api, site: site)
        PageRoutes.add(to: &api, site: site)
        MailRoutes.add(to: &api, site: site)

        allowed.set(api.table)
        return (router, api)
    }
}
