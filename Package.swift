// swift-tools-version:6.1
import PackageDescription

/// The features of the application whose folder in `Sources/App` has a folder `Tests`.
let featuresWithTests: [String] = [
    "Demo",
    "Progression",
    "Groups",
    "Findable",
    "Occasions", "Parties", "Surveys",
    "Measurement",
    "Insights",
    "Levels",
    "Friends",
    "Invitations",
    "Wallet",
    "Loyalty",
    "Embedding",
    "Widget",
    "Rewards",
    "Coupons",
    "Experiments",
    "Overview",
    "Guide",
    "Tracking",
    "Sessions",
    "Refunds",
    "Receipts",
    "Reconciliation",
    "Programs",
    "Leads",
    "Customers",
    "CustomerValue",
    "Adjustments",
    "API",
    "Commands",
    "Imports",
    "Integrations",
    "Laboratory",
    "Journals",
    "Clicks",
    "Joining",
    "Mail",
    "Members",
    "Commissions",
    "Organisation",
    "Outbound",
    "Payouts",
    "Rails",
    "Portal",
    "People",
    "Layout",
    "Rules",
    "Runs",
    "Search",
    "Sales",
    "SecondFactor",
    "Statements",
    "Team",
    "Testing",
    "Theme",
    "Domains",
    "Touches",
    "Webhooks",
]

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "kith",
    dependencies: [
        .package(path: "Engine"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CQRencode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CPango", pkgConfig: "pangocairo", providers: [.apt(["libpango1.0-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        .target(name: "Paper", dependencies: ["CPango"], swiftSettings: strict),
        .target(
            name: "Persistence",
            dependencies: [
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"), "CLibpq",
            ],
            swiftSettings: strict),
        .target(
            name: "Ledger",
            dependencies: [
                "Persistence", .product(name: "Money", package: "Engine"),
                .product(name: "Chronology", package: "Engine"), .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(
            name: "Web",
            dependencies: [
                "CZlib", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"), .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // The compensation engine on files, for `kith plan`.
        .target(
            name: "PlanFiles",
            dependencies: [
                .product(name: "Compensation", package: "Engine"), .product(name: "PlanLanguage", package: "Engine"),
                .product(name: "Money", package: "Engine"), .product(name: "Chronology", package: "Engine"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(
            name: "App",
            dependencies: [
                "Web", "Persistence", "Ledger", "PlanFiles", .product(name: "PlanLanguage", package: "Engine"), "CSodium", "CQRencode", "Paper", "CCurl", "CZlib",
                .product(name: "Money", package: "Engine"), .product(name: "Chronology", package: "Engine"),
                .product(name: "Attribution", package: "Engine"), .product(name: "Rules", package: "Engine"),
                .product(name: "Statistics", package: "Engine"), .product(name: "Prediction", package: "Engine"),
                .product(name: "Compensation", package: "Engine"),
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: featuresWithTests.map { "\($0)/Tests" },
            swiftSettings: strict,
            plugins: ["EmbedFiles"]),
        .executableTarget(
            name: "kith",
            dependencies: ["App", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict),

        // Measures the journal for `make bench`; not part of the product.
        .executableTarget(
            name: "ledger-post",
            dependencies: [
                "Ledger", "Persistence", .product(name: "Money", package: "Engine"), .product(name: "Chronology", package: "Engine"),
            ],
            path: "Benchmarks/LedgerPost", swiftSettings: strict),

        // Puts templates, styles, schema and the like into the binary at build time.
        .executableTarget(name: "embed", swiftSettings: strict),
        .plugin(name: "EmbedFiles", capability: .buildTool(), dependencies: ["embed"]),

        .target(name: "TestSupport", dependencies: ["Persistence"], path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(name: "PersistenceTests", dependencies: ["Persistence", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "LedgerTests",
            dependencies: [
                "Ledger", "Persistence", "TestSupport", .product(name: "Money", package: "Engine"),
                .product(name: "Chronology", package: "Engine"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "PlanFilesTests",
            dependencies: [
                "PlanFiles", .product(name: "Compensation", package: "Engine"), .product(name: "PlanLanguage", package: "Engine"),
                .product(name: "Chronology", package: "Engine"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "WebTests",
            dependencies: [
                "Web", .product(name: "Hummingbird", package: "hummingbird"), .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
    ] + appTests
)

/// The tests beside the features, as one target.
var appTests: [Target] {
    if featuresWithTests.isEmpty { return [] }
    return [
        .testTarget(
            name: "AppTests",
            dependencies: [
                .product(name: "Compensation", package: "Engine"), .product(name: "PlanLanguage", package: "Engine"),
                .product(name: "Statistics", package: "Engine"), .product(name: "Prediction", package: "Engine"),
                "App", "Web", "Persistence", "Ledger", "TestSupport", .product(name: "Money", package: "Engine"),
                .product(name: "Chronology", package: "Engine"), .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"), .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/App", sources: featuresWithTests.map { "\($0)/Tests" }, swiftSettings: strict, plugins: ["EmbedFiles"])
    ]
}
