import DCNFiles
import DCNFormats
import Glibc

/// A file without name that readers open by its path, written anew for each input.
private let descriptor = tmpfile().map { fileno($0) } ?? -1

/// Reads any bytes as npy, as npz with all its arrays, and as tensors of test data.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let bytes, ftruncate(descriptor, off_t(count)) == 0, pwrite(descriptor, bytes, count, 0) == count
    else {
        return -1
    }
    let path = "/dev/fd/\(descriptor)"
    _ = try? readNpy(path)
    if let archive = try? NpzReader(path: path, byteLimit: 1 << 24) {
        for name in archive.names.prefix(16) { _ = try? archive.tensor(name) }
    }
    return 0
}
