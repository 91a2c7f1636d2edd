import Web

/// The pages that exist, by job, and the right that each needs.
enum Navigation {
    struct Job: Sendable {
        var key: String
        var icon: String
        var pages: [(key: String, url: String, right: Right)]
    }

    static let jobs: [Job] = [
        Job(key: "home", icon: "home", pages: [("overview", "/", .workspaceRead), ("guide", "/guide", .workspaceRead)]),
        Job(
            key: "grow", icon: "grow",
            pages: [
                ("programs", "/programs", .programsRead), ("links", "/links", .linksRead), ("coupons", "/coupons", .programsRead), ("catalogue", "/catalogue", .programsRead),
                ("loyalty", "/loyalty", .programsRead), ("earning", "/earning", .programsRead), ("parties", "/parties", .programsRead), ("occasions", "/occasions", .programsRead), ("experiments", "/experiments", .programsRead),
            ]),
        Job(
            key: "people", icon: "people",
            pages: [
                ("members", "/members", .membersRead), ("groups", "/groups", .membersRead), ("genealogy", "/genealogy", .membersRead), ("applications", "/applications", .membersRead),
                ("customers", "/customers", .salesRead), ("customerValue", "/insights/customer-value", .salesRead),
            ]),
        Job(
            key: "money", icon: "money",
            pages: [
                ("leads", "/leads", .salesRead), ("sales", "/sales", .salesRead), ("commissions", "/commissions", .commissionsRead), ("rewards", "/rewards", .commissionsRead),
                ("runs", "/runs", .commissionsRead), ("plans", "/plans", .programsRead), ("laboratory", "/laboratory", .programsRead),
                ("payouts", "/payouts", .ledgerRead), ("reconciliation", "/reconciliation", .ledgerRead), ("ledger", "/ledger", .ledgerRead),
            ]),
        Job(key: "insight", icon: "insight", pages: [("insights", "/insights", .salesRead), ("progression", "/insights/progression", .salesRead), ("levels", "/insights/levels", .salesRead), ("costs", "/insights/costs", .programsRead), ("surveys", "/surveys", .programsRead)]),
        Job(key: "trust", icon: "trust", pages: [("audit", "/audit", .auditRead)]),
        Job(
            key: "settings", icon: "sliders",
            pages: [
                ("workspace", "/settings", .workspaceRead), ("theme", "/settings/theme", .workspaceRead), ("domains", "/settings/domains", .workspaceRead), ("letters", "/settings/letters", .workspaceRead), ("team", "/team", .workspaceRead), ("keys", "/keys", .keysWrite), ("integrations", "/integrations", .workspaceRead), ("rails", "/rails", .payoutsWrite),
                ("webhooks", "/webhooks", .webhooksWrite)
            ]),
    ]

    /// The jobs with a page that this person may see.
    static func model(current: String?, session: OperatorSession, language: PageLanguage) -> PageValue {
        PageValue(
            jobs.compactMap { job -> PageObject? in
                let pages = job.pages.filter { session.may($0.right) }
                guard !pages.isEmpty else { return nil }
                return [
                    "title": .text(language("navigation.\(job.key)")), "icon": .text(job.icon), "open": .flag(pages.contains { $0.url == current }),
                    "waiting": nil,
                    "pages": PageValue(
                        pages.map { page in
                            [
                                "title": .text(language("navigation.\(page.key)")), "url": .text(page.url), "current": .flag(page.url == current),
                                "waiting": nil,
                            ]
                        }),
                ]
            })
    }
}
