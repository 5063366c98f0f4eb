package import ArgumentParser
package import DCN

/// Which model, and how it is read.
package struct ModelArguments: ParsableArguments {
    @Argument(help: "An ONNX file or a compiled graph.", completion: .file(extensions: ["onnx", "dcn"]))
    package var model: String

    @Option(help: ArgumentHelp("Fix extents of an input (repeatable).", valueName: "NAME=1,3,H,640"))
    package var shape: [String] = []

    @Option(help: "Which forms of convolution may be used: exact, default or fast.")
    package var accuracy: Accuracy?

    /// Nothing chosen yet.
    package init() {}

    /// The model, with these of its inputs kept although they have initialisers.
    package func load(keeping kept: Set<String> = []) throws -> Model {
        var options = LoadOptions()
        options.shapes = try shapes(shape)
        options.keptInputs = kept
        if let accuracy { options.accuracy = accuracy }
        return try Model(contentsOf: model, options: options)
    }
}
