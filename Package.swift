// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "dcn",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "DCN", targets: ["DCN"]),
        .executable(name: "dcn-convert", targets: ["dcn-convert"]),
        .executable(name: "dcn-run", targets: ["dcn-run"]),
        .executable(name: "dcn-bench", targets: ["dcn-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        .systemLibrary(
            name: "CProtobufC", pkgConfig: "libprotobuf-c",
            providers: [.apt(["libprotobuf-c-dev", "pkg-config"]), .brew(["protobuf-c"])]),
        .systemLibrary(
            name: "CPng", pkgConfig: "libpng",
            providers: [.apt(["libpng-dev", "pkg-config"]), .brew(["libpng"])]),
        .systemLibrary(
            name: "CTurboJPEG", pkgConfig: "libturbojpeg",
            providers: [.apt(["libturbojpeg0-dev", "pkg-config"]), .brew(["jpeg-turbo"])]),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev", "pkg-config"]), .brew(["zlib"])]),
        .target(name: "CKernels"),
        .target(
            name: "COnnxProto", dependencies: ["CProtobufC"],
            exclude: ["onnx.proto", "dcn.proto", "generated-by.txt"],
            linkerSettings: [.linkedLibrary("protobuf-c")]),
        .target(
            name: "CImage", dependencies: ["CPng", "CTurboJPEG", "CZlib"],
            linkerSettings: [.linkedLibrary("png"), .linkedLibrary("turbojpeg"), .linkedLibrary("z")]),
        .target(name: "DCNGraph", swiftSettings: strict),
        .target(name: "DCNOperators", dependencies: ["DCNGraph", "CKernels"], swiftSettings: strict),
        .target(
            name: "DCNFormats", dependencies: ["DCNGraph", "DCNOperators", "COnnxProto", "CKernels"],
            swiftSettings: strict),
        .target(name: "DCNPasses", dependencies: ["DCNGraph", "DCNOperators"], swiftSettings: strict),
        .target(name: "DCNRuntime", dependencies: ["DCNGraph", "DCNOperators"], swiftSettings: strict),
        .target(
            name: "DCN", dependencies: ["DCNGraph", "DCNOperators", "DCNFormats", "DCNPasses", "DCNRuntime"],
            swiftSettings: strict),
        .target(
            name: "DCNFiles", dependencies: ["DCN", "DCNFormats", "DCNGraph", "COnnxProto", "CImage"],
            swiftSettings: strict),
        .target(
            name: "DCNVision", dependencies: ["DCN", "DCNFiles", "DCNGraph", "DCNOperators"],
            swiftSettings: strict),
        .target(
            name: "DCNCommandLine",
            dependencies: [
                "DCN", "DCNFiles", "DCNFormats", "DCNGraph",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "dcn-convert",
            dependencies: [
                "DCN", "DCNFiles", "DCNFormats", "DCNGraph", "DCNOperators", "DCNCommandLine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "dcn-run",
            dependencies: [
                "DCN", "DCNFiles", "DCNGraph", "DCNVision", "DCNCommandLine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "dcn-bench",
            dependencies: [
                "DCN", "DCNGraph", "DCNOperators", "DCNPasses", "DCNRuntime",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["DCNGraph", "DCNOperators"], path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "DCNOperatorsTests", dependencies: ["DCNOperators", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "DCNGraphTests", dependencies: ["DCNGraph", "DCNOperators"], swiftSettings: strict),
        .testTarget(
            name: "DCNPassesTests",
            dependencies: ["DCNGraph", "DCNOperators", "DCNPasses", "DCNRuntime", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DCNRuntimeTests", dependencies: ["DCNGraph", "DCNOperators", "DCNRuntime", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "CKernelsTests", dependencies: ["CKernels"], swiftSettings: strict),
        .testTarget(
            name: "DCNFormatsTests", dependencies: ["DCNFormats", "DCNGraph", "DCNOperators"],
            swiftSettings: strict),
        .testTarget(
            name: "DCNFilesTests", dependencies: ["DCN", "DCNFiles", "DCNFormats"], swiftSettings: strict),
        .testTarget(
            name: "DCNVisionTests",
            dependencies: ["DCN", "DCNVision", "DCNFiles", "DCNOperators", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests", dependencies: ["dcn-run", "dcn-convert", "DCN", "DCNFiles"],
            swiftSettings: strict),
        .testTarget(
            name: "DCNTests",
            dependencies: [
                "DCN", "DCNFiles", "DCNFormats", "DCNGraph", "DCNOperators", "DCNPasses", "CKernels",
                "Mutation", "TestSupport",
            ],
            swiftSettings: strict),
        .target(
            name: "Mutation",
            dependencies: ["CKernels", "DCNFormats", "DCNOperators", "DCNPasses", "DCNRuntime"],
            path: "Tests/Mutation", swiftSettings: strict),
        .testTarget(name: "CImageTests", dependencies: ["CImage", "CTurboJPEG"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)

// Fuzzing needs a toolchain with libFuzzer and links without `main`, so it is asked for: see `tools/fuzz`.
if Context.environment["DCN_FUZZ"] != nil {
    let targets: [(String, [Target.Dependency])] = [
        ("trial", ["DCNFormats", "DCNGraph", "Mutation"]),
        ("fuzz-onnx", ["DCNFormats", "DCNOperators", "DCNPasses", "DCNRuntime"]),
        ("fuzz-models", ["DCNFormats", "DCNGraph", "Mutation"]),
        ("fuzz-operators", ["DCNGraph", "Mutation"]),
        ("fuzz-compiled", ["DCNFormats", "DCNGraph", "Mutation"]),
        ("fuzz-arrays", ["DCNFiles", "DCNFormats"]),
        ("fuzz-images", ["DCNFiles"]),
    ]
    for (name, dependencies) in targets {
        package.targets.append(
            .executableTarget(
                name: name, dependencies: dependencies, path: "tools/fuzzing/\(name)", swiftSettings: strict))
    }
}

// Undefined behaviour of C: Swift has no such sanitizer, and a trap needs no library of it. See `tools/sanitize`.
if Context.environment["DCN_UNDEFINED"] != nil {
    for target in package.targets where ["CKernels", "CImage", "COnnxProto"].contains(target.name) {
        target.cSettings = [.unsafeFlags(["-fsanitize=undefined", "-fsanitize-trap=undefined"])]
    }
}
