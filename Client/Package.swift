// swift-tools-version:6.1
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// The client that servers and apps import to talk to a Kith. It needs Foundation alone: whoever imports it gets nothing else.
let package = Package(
    name: "KithClient",
    platforms: [.iOS(.v16), .macOS(.v13), .tvOS(.v16), .watchOS(.v9)],
    products: [.library(name: "KithClient", targets: ["KithClient"])],
    targets: [
        .target(name: "KithClient", swiftSettings: strict),
        // Fills a queue until it is killed: what the tests of the queue start and kill.
        .executableTarget(name: "queue-filler", dependencies: ["KithClient"], path: "Tests/QueueFiller", swiftSettings: strict),
        .testTarget(name: "KithClientTests", dependencies: ["KithClient", "queue-filler"], swiftSettings: strict),
    ]
)
