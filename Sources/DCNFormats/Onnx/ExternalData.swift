internal import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Files beside a model that hold numbers of its tensors, each opened once.
///
/// A location is a relative path without `..`. Where links are on the way, what they lead to must lie in the
/// model's folder, as named or as the model's own name resolves.
struct ExternalData {
    /// The model's folders, resolved; empty for a model that is no file.
    private let folders: [String]
    private let mapping: FileMapping
    private var files: [String: Storage] = [:]

    /// The neighbours of a model; of none when `path` is nil.
    init(beside path: String?, mapping: FileMapping) {
        self.mapping = mapping
        guard let path else {
            folders = []
            return
        }
        let named = resolved(folder(of: path))
        let target = resolved(path).map { folder(of: $0) }
        folders = [named, target].compactMap { $0 }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The bytes of the file at `location`.
    mutating func storage(at location: String) throws(DCNError) -> Storage {
        if let known = files[location] { return known }
        try Self.check(location)
        let path = try path(of: location)
        // What the name led to was looked at; a link put there since is not followed.
        let storage = try MappedFile(path: path, mapping: mapping, isLinkAllowed: false).storage
        files[location] = storage
        return storage
    }

    private static func check(_ location: String) throws(DCNError) {
        let parts = location.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if location.isEmpty { throw refusal("external data without a location") }
        if location.utf8.contains(0) {
            throw refusal("external data at a location with a NUL: \(escaped(location))")
        }
        if location.utf8.first == UInt8(ascii: "/") {
            throw refusal("external data at an absolute path: \(escaped(location))")
        }
        if parts.contains(where: { $0.elementsEqual("..".utf8) }) {
            throw refusal("external data at a path that leads upwards: \(escaped(location))")
        }
    }

    private func path(of location: String) throws(DCNError) -> String {
        guard !folders.isEmpty else { throw Self.refusal("external data of a model that lies in no folder") }
        for folder in folders {
            guard let path = resolved(folder + "/" + location) else { continue }
            guard folders.contains(where: { path.hasPrefix($0 == "/" ? "/" : $0 + "/") }) else {
                throw Self.refusal("external data outside the model's folder: \(escaped(location))")
            }
            return path
        }
        throw Self.refusal("external data that is not there: \(escaped(location))")
    }

    private static func refusal(_ reason: String) -> DCNError { DCNError(.model, .read, reason) }
}

/// The folder that a path names a file in.
private func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The path without links; nil when it leads nowhere.
private func resolved(_ path: String) -> String? {
    guard let result = realpath(path, nil) else { return nil }
    defer { free(result) }
    return String(cString: result)
}
