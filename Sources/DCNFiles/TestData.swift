public import DCN
internal import DCNFormats

/// One folder of test data: `input_K.pb` and `output_K.pb`, as the ONNX backend tests have them.
public struct TestData: Sendable {
    /// The folder.
    public let path: String
    /// The numbers of the `input_K.pb` files, rising.
    public let inputNumbers: [Int]
    /// The numbers of the `output_K.pb` files, rising.
    public let outputNumbers: [Int]

    /// Test data in a folder; an `input` error when it can't be read.
    public init(path: String) throws(DCNError) {
        self.path = path
        let names = try fileNames(in: path)
        inputNumbers = Self.numbers(names, "input_")
        outputNumbers = Self.numbers(names, "output_")
    }

    /// The folders to run: those named `test_data_set_*` inside, or the folder itself. An `input` error when there is
    /// nothing to compare with.
    public static func sets(in path: String) throws(DCNError) -> [TestData] {
        let inner = try fileNames(in: path).filter { $0.hasPrefix("test_data_set_") }
        var sets: [TestData] = []
        for folder in inner.isEmpty ? [path] : inner.map({ path + "/" + $0 }) {
            let set = try TestData(path: folder)
            guard !set.outputNumbers.isEmpty else {
                throw inputError(folder, "holds no output_0.pb to compare with")
            }
            sets.append(set)
        }
        return sets
    }

    private static func numbers(_ names: [String], _ prefix: String) -> [Int] {
        names.compactMap { name in
            guard name.hasPrefix(prefix), name.hasSuffix(".pb") else { return nil }
            return Int(name.dropFirst(prefix.count).dropLast(3))
        }.sorted()
    }

    /// The value in `input_K.pb`; throws an `input` error when it can't be read as `type`.
    public func input(_ number: Int, as type: ValueType) throws(DCNError) -> Datum {
        try readInput("\(path)/input_\(number).pb", as: type)
    }

    /// The value in `output_K.pb`.
    public func output(_ number: Int, as type: ValueType) throws(DCNError) -> Datum {
        try readInput("\(path)/output_\(number).pb", as: type)
    }
}

/// The value in a `.pb` file; an `input` error when it can't be read as `type`.
package func readInput(_ path: String, as type: ValueType) throws(DCNError) -> Datum {
    do { return try readDatum(contentsOf: path, as: type) } catch {
        var error = error
        error.kind = .input
        throw error
    }
}
