import DCNFormats
import DCNGraph
import Mutation

/// Reads any bytes as a compiled graph, as they are and with the checksums that they should have, and runs what is one.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard (try? readCompiled(bytes: bytes, named: "fuzz")) == nil else { return run(bytes) }
    return run(sealed(bytes))
}

private func run(_ bytes: [UInt8]) -> CInt {
    do throws(DCNError) {
        let compiled = try readCompiled(bytes: bytes, named: "fuzz")
        var random = SeededRandom(seed: UInt64(bytes.count))
        if case .refused(let error) = attempt(compiled.graph, &random) { _ = error.description }
        return 0
    } catch {
        _ = error.description
        return error.kind == .model || error.kind == .unsupported ? 0 : -1
    }
}
