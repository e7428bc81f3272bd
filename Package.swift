// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// For the overlays, the only places where a pointer is touched.
let overlaySettings = settings + [.strictMemorySafety()]

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")

let package = Package(
    name: "bulkhead",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "bulkheadd", targets: ["bulkheadd"]),
        .executable(name: "bulkhead", targets: ["bulkhead"]),
        .executable(name: "bulkhead-worker", targets: ["bulkhead-worker"]),
        .executable(name: "bulkhead-logger", targets: ["bulkhead-logger"]),
        .executable(name: "bulkhead-config", targets: ["bulkhead-config"]),
        .executable(name: "bulkhead-exec", targets: ["bulkhead-exec"]),
        .executable(name: "bulkhead-bench", targets: ["bulkhead-bench"]),
        .library(name: "BulkheadClient", targets: ["BulkheadClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        // C libraries of the system.
        .systemLibrary(name: "CLibuv", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"])]),
        .systemLibrary(name: "CLibcurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CLinux"),

        // Overlays: those libraries with Swift names, and no pointer that leaves them.
        .target(name: "Libuv", dependencies: ["CLibuv"], swiftSettings: overlaySettings),
        .target(name: "Curl", dependencies: ["CLibcurl", "Transport"], swiftSettings: overlaySettings),

        // Bytes.
        .target(name: "Framing", swiftSettings: settings),
        .target(name: "JSON", swiftSettings: settings),
        .target(name: "BlockingChannel", dependencies: ["Framing"], swiftSettings: settings),

        // The protocols between the processes.
        .target(name: "Messages", dependencies: ["JSON"], swiftSettings: settings),

        // Logic without input or output.
        .target(name: "Policy", dependencies: ["Messages", "JSON"], swiftSettings: settings),
        .target(name: "SupervisorCore", dependencies: ["Policy", "Messages", "JSON"], swiftSettings: settings),
        .target(name: "Simulation", dependencies: ["SupervisorCore", "Messages", "JSON"], swiftSettings: settings),
        .target(name: "Transport", swiftSettings: settings),
        .target(name: "Providers", dependencies: ["Transport", "Messages", "JSON"], swiftSettings: settings),
        .target(
            name: "LogStore", dependencies: [grdb, sqlite, "CSodium", "Messages", "JSON"], swiftSettings: settings),
        .target(
            name: "Configuration", dependencies: [yams, "Messages", "JSON"],
            // The catalogue of models. In the code, so that an installed program has it wherever it is.
            resources: [.embedInCode("models.json")], swiftSettings: settings),
        .target(name: "Secrets", dependencies: [crypto, cryptoExtras, "Messages", "JSON"], swiftSettings: settings),

        // Programs.
        .executableTarget(
            name: "bulkheadd", dependencies: ["SupervisorCore", "Libuv", "Framing", "Messages", "CLinux", logging],
            swiftSettings: settings),
        .executableTarget(
            name: "bulkhead-worker", dependencies: ["Providers", "Curl", "BlockingChannel", "Messages", "CLinux"],
            swiftSettings: settings),
        .executableTarget(
            name: "bulkhead-logger", dependencies: ["LogStore", "BlockingChannel", "Messages", "CLinux"],
            swiftSettings: settings),
        .executableTarget(
            name: "bulkhead-config",
            dependencies: ["Configuration", "Secrets", "BlockingChannel", "Messages", "CLinux"],
            swiftSettings: settings),
        .executableTarget(name: "bulkhead-exec", dependencies: ["CLinux"], swiftSettings: settings),
        .executableTarget(
            name: "bulkhead", dependencies: ["BulkheadClient", argumentParser], swiftSettings: settings),
        .executableTarget(
            name: "bulkhead-bench", dependencies: ["Framing", "JSON", "Messages", argumentParser],
            swiftSettings: settings),

        // The library for clients in Swift.
        .target(name: "BulkheadClient", dependencies: ["Framing", "JSON", "Messages"], swiftSettings: settings),

        // Tests. TestUpstream is a provider on the loopback interface that misbehaves as it is told.
        // Recordings are exchanges with real providers, and what they should come to.
        .target(name: "TestUpstream", path: "Tests/TestUpstream", swiftSettings: settings),
        .target(
            name: "Recordings", dependencies: ["JSON", "Messages"], path: "Tests/Recordings", swiftSettings: settings),
        .testTarget(name: "FramingTests", dependencies: ["Framing", "BlockingChannel"], swiftSettings: settings),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: settings),
        .testTarget(name: "MessagesTests", dependencies: ["Messages", "JSON", "Framing"], swiftSettings: settings),
        .testTarget(name: "LibuvTests", dependencies: ["Libuv"], swiftSettings: settings),
        .testTarget(
            name: "PolicyTests", dependencies: ["Policy", "Messages", "JSON", "Recordings"], swiftSettings: settings),
        .testTarget(
            name: "SupervisorCoreTests", dependencies: ["SupervisorCore", "Messages", "JSON"], swiftSettings: settings),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation", "SupervisorCore"], swiftSettings: settings),
        .testTarget(
            name: "ProvidersTests",
            dependencies: [
                "Providers", "Configuration", "Curl", "Transport", "Messages", "JSON", "TestUpstream", "Recordings",
                "BlockingChannel", "Framing", "bulkhead-worker",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "LogStoreTests", dependencies: ["LogStore", "Messages", "JSON", "Framing", "Recordings", grdb],
            swiftSettings: settings),
        .testTarget(name: "ConfigurationTests", dependencies: ["Configuration", "Messages"], swiftSettings: settings),
        .testTarget(name: "SecretsTests", dependencies: ["Secrets", "Messages", "JSON"], swiftSettings: settings),
        .testTarget(
            name: "BulkheadClientTests",
            dependencies: ["BulkheadClient", "Framing", "JSON", "Messages", "bulkhead"],
            swiftSettings: settings),
        .testTarget(
            name: "BenchTests",
            dependencies: [
                "bulkhead-bench", "Framing", "JSON", "Messages", "bulkheadd", "bulkhead-config", "bulkhead-worker",
                "bulkhead-logger",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["BulkheadClient", "Framing", "JSON", "Messages", "TestUpstream", "Recordings", grdb],
            swiftSettings: settings),
    ]
)
