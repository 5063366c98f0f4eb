import Foundation

/// What a command that was run said.
struct Outcome {
    let code: Int32
    let output: String
    let errors: String

    /// Lines of standard error.
    var errorLines: [Substring] { errors.split(separator: "\n") }
}

/// Runs a built command to its end.
func run(
    _ name: String = "dcn-run", _ arguments: [String], environment: [String: String] = [:]
) throws -> Outcome {
    let process = Process()
    process.executableURL = try built(name)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let complaints = Background { errors.fileHandleForReading.readDataToEndOfFile() }
    let said = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
        code: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
        output: String(decoding: said, as: UTF8.self),
        errors: String(decoding: complaints.result, as: UTF8.self))
}

/// Work on a thread of its own, whose result is waited for.
private final class Background: @unchecked Sendable {
    // Safe: written before `done` is signalled, read after.
    private var value = Data()
    private let done = DispatchSemaphore(value: 0)

    init(_ work: @escaping @Sendable () -> Data) {
        DispatchQueue.global().async {
            self.value = work()
            self.done.signal()
        }
    }

    /// What the work gave; asked for once.
    var result: Data {
        done.wait()
        return value
    }
}

/// The command that was built with these tests.
func built(_ name: String) throws -> URL {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    #if DEBUG
        let kind = "debug"
    #else
        let kind = "release"
    #endif
    for folder in [tests, repository.appendingPathComponent(".build/\(kind)")] {
        let file = folder.appendingPathComponent(name)
        if FileManager.default.isExecutableFile(atPath: file.path) { return file }
    }
    throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: name])
}

/// The folder that holds the package.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The path of something in `fixtures/`.
func fixture(_ path: String) -> String { repository.appendingPathComponent("fixtures/\(path)").path }

/// A folder of its own, gone with this object.
final class TemporaryFolder {
    let path: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dcn-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and gives its path.
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// The names of the files inside.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// The object that a text is.
func object(_ text: String) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
}

/// The path of dcn-run.
func commandPath() throws -> String { try built("dcn-run").path }
