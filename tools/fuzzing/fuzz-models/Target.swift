import DCNFormats
import DCNGraph
import Glibc
import Mutation

/// Models to mutate: the files that an environment variable lists, one a line.
private func models(in variable: String) -> [SourceModel] {
    guard let list = getenv(variable).map({ String(cString: $0) }) else { return [] }
    return list.split(separator: "\n").compactMap { try? readOnnx(contentsOf: String($0)) }
}

private let small = models(in: "DCN_FUZZ_MODELS")
private let large = models(in: "DCN_FUZZ_LARGE_MODELS")

/// The small models, but for one input in 4,096. A large one takes a hundred times as long: what it is chosen by changes
/// with every byte, so that inputs which resemble a good one do not choose it again.
private func models(for bytes: [UInt8]) -> [SourceModel] {
    let sum = bytes.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return sum >> 20 == 0 && !large.isEmpty ? large : small
}

/// Mutates a model as the bytes say, and runs it: the first two bytes choose the model, the others what happens to it.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard bytes.count >= 3, !small.isEmpty else { return -1 }
    let models = models(for: bytes)
    var random = SeededRandom(following: Array(bytes[2...]))
    var model = models[(Int(bytes[0]) << 8 | Int(bytes[1])) % models.count]
    var mutation = ModelMutation(random)
    mutation.apply(to: &model)
    random = mutation.random
    if case .refused(let error) = attempt(model, &random) { _ = error.description }
    return 0
}
