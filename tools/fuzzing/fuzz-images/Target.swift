import DCNFiles

/// Reads any bytes as a PNG or JPEG.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: bytes, count: count))
    _ = try? Picture(InputFile(copying: bytes, named: "fuzz"))
    return 0
}
