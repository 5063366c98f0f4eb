package import ArgumentParser
package import DCN
internal import DCNFiles
package import DCNFormats

/// Which model, and how it is read.
package struct ModelArguments: ParsableArguments {
    @Argument(help: "An ONNX file or a compiled graph.", completion: .file(extensions: ["onnx", "dcn"]))
    package var model: String

    @Option(help: ArgumentHelp("Fix extents of an input (repeatable).", valueName: "NAME=1,3,H,640"))
    package var shape: [String] = []

    @Option(help: "Which forms of convolution may be used: exact, default or fast.")
    package var accuracy: Accuracy?

    @Option(
        help: ArgumentHelp("Spellings of operators of your own (see dcn-convert --help).", valueName: "FILE"))
    package var map: String?

    @Option(
        help: ArgumentHelp(
            "How deformable convolutions read beyond the border where the file does not say.",
            valueName: "zero|clamp"))
    package var border: Border?

    /// How samples beyond the border are read.
    package enum Border: String, ExpressibleByArgument, CaseIterable { case zero, clamp }

    /// Nothing chosen yet.
    package init() {}

    /// The model, with these of its inputs kept although they have initialisers, read within so many bytes of memory.
    package func load(keeping kept: Set<String> = [], memoryLimit: Int? = nil) throws -> Model {
        var options = try options()
        options.keptInputs = kept
        options.memoryLimit = memoryLimit
        return try Model(contentsOf: model, dialects: dialects(), options: options)
    }

    /// How the model is read, within so much memory.
    package func options(within limits: LimitArguments) throws -> LoadOptions {
        var options = try options()
        options.memoryLimit = try limits.memoryLimit()
        return options
    }

    /// All spellings, those first that the command line asks for.
    package func dialects() throws -> [Dialect] {
        let known = (border.map { [.unsaidBorders(clamping: $0 == .clamp)] } ?? []) + Dialect.complete
        return try spellings()?.over(known) ?? known
    }

    /// How the model is read; a usage mistake when a compiled graph is to be what it was not made for.
    package func options() throws -> LoadOptions {
        var options = LoadOptions()
        options.shapes = try shapes(shape)
        if let accuracy { options.accuracy = accuracy }
        if accuracy != nil || map != nil || border != nil, try ModelFileKind(contentsOf: model) == .compiled {
            throw UsageMistake(
                "'\(escaped(model))' is compiled: it brings its own --map, --border and --accuracy")
        }
        return options
    }

    /// The spellings that `--map` names.
    package func spellings() throws -> UserSpellings? {
        guard let map else { return nil }
        return try UserSpellings(try text(of: map), named: map)
    }
}

/// The text of a small file.
private func text(of path: String) throws(DCNError) -> String {
    let file = try MappedFile(path: path)
    guard file.bytes.count <= 1 << 20 else {
        throw DCNError(
            .system, .open, "has \(file.bytes.count) bytes, expected 1048576 at most",
            at: Origin(file: path, path: ""))
    }
    return withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
}
