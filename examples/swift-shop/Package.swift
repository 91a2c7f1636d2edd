// swift-tools-version:6.1
import PackageDescription

/// A shop's till in Swift: what it sells it tells to Kith, also when the network is away for a while.
let package = Package(
    name: "SwiftShop",
    platforms: [.macOS(.v13)],
    // In a project of your own: .package(url: "…/kith", …) with the product KithClient.
    dependencies: [.package(name: "KithClient", path: "../../Client")],
    targets: [.executableTarget(name: "SwiftShop", dependencies: [.product(name: "KithClient", package: "KithClient")])]
)
