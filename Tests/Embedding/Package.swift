// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Embedding",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "dcn", path: "../..")],
    targets: [
        .executableTarget(name: "Embedding", dependencies: [.product(name: "DCN", package: "dcn")])
    ]
)
