internal import DCNFormats
public import DCN

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// One folder of test data: `input_K.pb` and `output_K.pb`, as the ONNX backend tests have them.
public struct TestData {
    /// The folder.
    public let path: String

    /// Test data in a folder.
    public init(path: String) { self.path = path }

    /// The folders to run: those named `test_data_set_*` inside, or the folder itself.
    public static func sets(in path: String) -> [TestData] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let sets = names.filter { $0.hasPrefix("test_data_set_") }.sorted()
        return sets.isEmpty ? [TestData(path: path)] : sets.map { TestData(path: path + "/" + $0) }
    }

    /// How many `input_K.pb` files there are.
    public var inputCount: Int { count("input_") }

    /// How many `output_K.pb` files there are.
    public var outputCount: Int { count("output_") }

    private func count(_ prefix: String) -> Int {
        var count = 0
        while FileManager.default.fileExists(atPath: "\(path)/\(prefix)\(count).pb") { count += 1 }
        return count
    }

    /// The value in `input_K.pb`; throws an `input` error when it can't be read as `type`.
    public func input(_ index: Int, as type: ValueType) throws(DCNError) -> Datum {
        try datum("\(path)/input_\(index).pb", as: type)
    }

    /// The value in `output_K.pb`.
    public func output(_ index: Int, as type: ValueType) throws(DCNError) -> Datum {
        try datum("\(path)/output_\(index).pb", as: type)
    }

    private func datum(_ path: String, as type: ValueType) throws(DCNError) -> Datum {
        do { return try readDatum(contentsOf: path, as: type) } catch {
            var error = error
            error.kind = .input
            throw error
        }
    }
}
