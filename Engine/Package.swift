// swift-tools-version:6.1
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Pure, deterministic arithmetic: nothing here reads a clock, a file or a database, and nothing but PlanLanguage imports Foundation.
let package = Package(
    name: "Engine",
    products: [
        .library(name: "Chronology", targets: ["Chronology"]),
        .library(name: "Money", targets: ["Money"]),
        .library(name: "Attribution", targets: ["Attribution"]),
        .library(name: "Rules", targets: ["Rules"]),
        .library(name: "Compensation", targets: ["Compensation"]),
        .library(name: "PlanLanguage", targets: ["PlanLanguage"]),
        .library(name: "Statistics", targets: ["Statistics"]),
        .library(name: "Prediction", targets: ["Prediction"]),
    ],
    dependencies: [.package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2")],
    targets: [
        .target(name: "Chronology", swiftSettings: strict),
        .target(name: "Money", swiftSettings: strict),
        .target(name: "Attribution", dependencies: ["Chronology", "Money"], swiftSettings: strict),
        .target(name: "Rules", dependencies: ["Chronology", "Money"], swiftSettings: strict),
        .target(name: "Compensation", dependencies: ["Chronology", "Money"], swiftSettings: strict),
        // Plans as YAML and JSON. The only part of the engine that reads texts (and the system's time zones).
        .target(
            name: "PlanLanguage", dependencies: ["Compensation", "Chronology", "Money", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),
        .target(name: "Statistics", swiftSettings: strict),
        // How often customers will buy again, and for how much.
        .target(name: "Prediction", dependencies: ["Statistics"], swiftSettings: strict),
        .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: strict),
        .target(
            name: "CompensationOracle", dependencies: ["Compensation", "Chronology", "Money"], path: "Tests/CompensationOracle",
            swiftSettings: strict),
        .testTarget(name: "ChronologyTests", dependencies: ["Chronology", "SeededRandom"], swiftSettings: strict),
        .testTarget(name: "MoneyTests", dependencies: ["Money", "SeededRandom"], swiftSettings: strict),
        .testTarget(
            name: "AttributionTests", dependencies: ["Attribution", "Chronology", "Money", "SeededRandom"],
            swiftSettings: strict),
        .testTarget(
            name: "RulesTests", dependencies: ["Rules", "Chronology", "Money", "SeededRandom"], swiftSettings: strict),
        .testTarget(
            name: "CompensationTests",
            dependencies: ["Compensation", "CompensationOracle", "Chronology", "Money", "SeededRandom"],
            resources: [.copy("compensation.json")], swiftSettings: strict),
        .testTarget(
            name: "PlanLanguageTests", dependencies: ["PlanLanguage", "Compensation", "Chronology", "Money", "SeededRandom"],
            swiftSettings: strict),
        .testTarget(
            name: "StatisticsTests", dependencies: ["Statistics", "SeededRandom"], resources: [.copy("experiments.json")],
            swiftSettings: strict),
        .testTarget(
            name: "PredictionTests", dependencies: ["Prediction", "SeededRandom"], resources: [.copy("clv.json"), .copy("cdnow.csv")],
            swiftSettings: strict),
        .executableTarget(
            name: "clv-bench", dependencies: ["Prediction", "SeededRandom"], path: "Benchmarks/CLVBench", swiftSettings: strict),
        .executableTarget(
            name: "compensation-bench", dependencies: ["Compensation", "PlanLanguage", "Chronology", "Money", "SeededRandom"],
            path: "Benchmarks/CompensationBench", swiftSettings: strict),
    ]
)
