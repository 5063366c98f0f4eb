import DCN
import DCNFiles
import DCNFormats

/// What tensors of test data may be asked for as.
private let types: [ValueType] = {
    let tensor = ValueType.tensor(TensorType(.float32, nil))
    return [tensor, .sequence(tensor), .optional(tensor)]
}()

/// Reads any bytes as npy, as npz with all its arrays, and as values of test data.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let raw = UnsafeRawBufferPointer(start: bytes, count: count)
    for wanted in [nil, ElementType.bfloat16] { _ = try? decodeNpy(raw, wanted: wanted) }
    if let archive = try? NpzReader(InputFile(copying: Array(raw), named: "fuzz"), byteLimit: 1 << 24) {
        for name in archive.names.prefix(16) { _ = try? archive.tensor(name) }
    }
    for type in types { _ = try? readDatum(bytes: Array(raw), named: "fuzz", as: type) }
    return 0
}
