import DCNFormats
import DCNGraph
import Glibc
import Mutation

/// Models to mutate: the files that `DCN_FUZZ_MODELS` lists, one a line.
private let models: [SourceModel] = {
    guard let list = getenv("DCN_FUZZ_MODELS").map({ String(cString: $0) }) else { return [] }
    return list.split(separator: "\n").compactMap { try? readOnnx(contentsOf: String($0)) }
}()

/// Mutates a model as the bytes say, and runs it: the first two bytes choose the model, the others what happens to it.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard bytes.count >= 3, !models.isEmpty else { return -1 }
    var random = SeededRandom(following: Array(bytes[2...]))
    var model = models[(Int(bytes[0]) << 8 | Int(bytes[1])) % models.count]
    var mutation = ModelMutation(random)
    mutation.apply(to: &model)
    random = mutation.random
    if case .refused(let error) = attempt(model, &random) { _ = error.description }
    return 0
}
