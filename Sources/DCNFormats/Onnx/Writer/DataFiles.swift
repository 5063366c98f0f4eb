internal import CKernels
internal import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The files beside a model that hold its numbers: `NAME.CHECKSUM.data`, one for each content.
struct DataFiles {
    private let folder: String
    private let model: String
    /// The name of the file for this content.
    let name: String
    /// Where it is.
    var path: String { folder + name }

    /// The file for these tensors beside the model at `path`.
    init(of path: String, holding tensors: [Tensor]) throws(DCNError) {
        // The file that a link leads to is the one that is written, and its numbers lie beside it.
        let resolved = NewFile.target(of: path)
        let slash = resolved.lastIndex(of: "/").map { resolved.index(after: $0) } ?? resolved.startIndex
        folder = String(resolved[..<slash])
        model = String(resolved[slash...])
        var sums = tensors.map { dcn_checksum($0.base, $0.byteCount) }
        sums.append(UInt64(tensors.count))
        let sum = sums.withUnsafeBytes { dcn_checksum($0.baseAddress, $0.count) }
        name = "\(model).\(Self.digits(sum)).data"
    }

    private static func digits(_ sum: UInt64) -> String {
        let text = String(sum, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// Removes the files of the model's earlier contents. What can't be removed stays: it does no harm.
    func removeOthers() {
        guard let directory = opendir(folder.isEmpty ? "." : folder) else { return }
        defer { closedir(directory) }
        var old: [String] = []
        while let entry = readdir(directory) {
            let found = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if found != name, isOurs(found) { old.append(found) }
        }
        for found in old { unlink(folder + found) }
    }

    private func isOurs(_ found: String) -> Bool {
        guard found.hasPrefix(model + "."), found.hasSuffix(".data") else { return false }
        let digits = found.dropFirst(model.count + 1).dropLast(5)
        return digits.utf8.count == 16 && digits.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }
}
