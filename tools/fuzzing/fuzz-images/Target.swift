import DCNFiles
import Glibc

/// A file without name that the reader opens by its path, written anew for each input.
private let descriptor = tmpfile().map { fileno($0) } ?? -1

/// Reads any bytes as a PNG or JPEG.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let bytes, ftruncate(descriptor, off_t(count)) == 0, pwrite(descriptor, bytes, count, 0) == count
    else {
        return -1
    }
    _ = try? Picture(contentsOf: "/dev/fd/\(descriptor)")
    return 0
}
