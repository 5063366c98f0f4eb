#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A model of the repository's `fixtures`, with its test data.
public struct Fixture: Sendable, CustomStringConvertible {
    /// Its folder, as `spellings/mmcv-v2`.
    public let name: String
    /// The folder with the model.
    public let path: String
    /// The model.
    public var model: String { path + "/model.onnx" }
    /// The name, as test reports show it.
    public var description: String { name }

    /// The repository's fixtures.
    public static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("fixtures").path

    /// A fixture by its folder.
    public init(_ name: String) {
        self.name = name
        path = Self.root + "/" + name
    }

    /// All fixtures of a group that hold a model, in order of name.
    public static func all(in group: String) -> [Fixture] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root + "/" + group)) ?? []
        return names.sorted().map { Fixture(group + "/" + $0) }.filter {
            FileManager.default.fileExists(atPath: $0.model)
        }
    }
}

/// A folder of its own, gone when this is.
public final class TemporaryFolder: Sendable {
    /// Where it is.
    public let path: String

    /// A new empty folder.
    public init() throws {
        path = FileManager.default.temporaryDirectory.path + "/dcn-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The names of the files inside.
    public var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
}
