import DCNFormats
import DCNGraph
import DCNOperators
import DCNPasses
import DCNRuntime

/// Reads any bytes as an ONNX model, and takes what is one as far as a model that could run.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        let source = try readOnnx(
            bytes: Array(UnsafeBufferPointer(start: bytes, count: count)), named: "fuzz")
        var graph = try map(source, dialects: Catalogue.dialects)
        _ = try Pipeline.canonical.run(on: &graph)
        _ = try Pipeline.fusing(.default).run(on: &graph)
        _ = Model(graph: graph)
    } catch {
        _ = error.description
    }
    return 0
}
