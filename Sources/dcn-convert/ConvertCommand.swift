import ArgumentParser
import DCN
import DCNCommandLine
import DCNFormats
import DCNGraph

/// Reads a model, fuses it, and writes it.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Convert a model.",
        usage: "dcn-convert MODEL.onnx [-o OUT] [OPTIONS]",
        discussion: """
            Examples:
              dcn-convert model.onnx                        writes model.dcn, which loads at once and runs fast
              dcn-convert model.onnx -o portable.onnx       standard ONNX, for other runtimes too
              dcn-convert model.onnx --verify 3             and compare the answers of both
              dcn-convert model.onnx --map acme.txt         with spellings of operators that acme.txt declares
              dcn-convert inspect model.onnx                inputs, outputs, operators, sizes
              dcn-convert check model.onnx                  every problem at once
              dcn-convert list-operators                    what is supported

            A file of spellings (--map) holds declarations like this one; on the right stands what is known already:
              acme::ModulatedDCN(x, offset, mask, weight, bias) = DeformConv(x, weight, offset, bias, mask) {
                  strides: stride, pads: [padding, padding], offset_group: groups or 1, ignore: im2col_step
              }

            Exit codes: 0 done, 1 the verification failed, 2 invalid model, 3 unsupported operators, 4 options that do not
            fit the model, 5 the system refused, 64 usage mistake, 70 a defect of dcn-convert.
            """)

    @OptionGroup var file: ModelArguments

    @OptionGroup var limits: LimitArguments

    @Option(name: .shortAndLong, help: "Where to write: a name that ends in .dcn or .onnx.")
    var out: String?

    @Option(help: ArgumentHelp("Give these values, intermediate ones too.", valueName: "a,b"))
    var outputs: String?

    @Option(
        help: "The operator set of an .onnx file (default: that of the model, or the least that is enough).")
    var opset: Int?

    @Option(help: ArgumentHelp("Which rewrites are made.", valueName: "all|none|RULE,-RULE"))
    var fuse: String?

    @Option(
        help: ArgumentHelp(
            "Run this many random inputs through the model as read and as written.", valueName: "N"))
    var verify: Int?

    @Option(help: "Relative tolerance of --verify.")
    var rtol = 1e-3

    @Option(help: "Absolute tolerance of --verify.")
    var atol = 1e-4

    @Option(help: "Seed of the inputs of --verify.")
    var seed = 0

    @Flag(help: "Print each rewrite: rule and node.")
    var explain = false

    @Flag(name: .customLong("external-data"), help: "Put the numbers of an .onnx file into a file beside it.")
    var externalData = false

    @Flag(help: "Results as JSON on standard output, errors as JSON on standard error.")
    var json = false

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func run() throws {
        try perform(isJson: json) {
            let target = try self.target()
            try limits.watch(file.model)
            let job = try Job(self, target: target)
            try job.write()
            if !quiet { try job.report() }
            return try verify.map { try job.verify(count: $0) } ?? true
        }
    }

    /// The file to write, its form and the options that go with it checked.
    private func target() throws(UsageMistake) -> (path: String, isCompiled: Bool) {
        var path = file.model + ".dcn"
        if let out {
            path = out
        } else if let dot = file.model.lastIndex(of: "."), !file.model[dot...].contains("/") {
            path = String(file.model[..<dot]) + ".dcn"
        }
        let isCompiled = path.hasSuffix(".dcn")
        guard isCompiled || path.hasSuffix(".onnx") else {
            throw UsageMistake("-o '\(escaped(path))' ends neither in .dcn nor in .onnx")
        }
        if isCompiled, opset != nil || externalData {
            throw UsageMistake("--opset and --external-data go with a file that ends in .onnx")
        }
        if let opset, !(7...1000).contains(opset) {
            throw UsageMistake("--opset is \(opset), expected at least 7")
        }
        if let verify, !(0...1_000_000).contains(verify) {
            throw UsageMistake("--verify is \(verify), expected 0 … 1000000")
        }
        guard rtol >= 0, atol >= 0 else { throw UsageMistake("--rtol and --atol can't be negative") }
        return (path, isCompiled)
    }

    /// How the model is read.
    func loadOptions() throws -> LoadOptions {
        var options = try file.options(within: limits)
        options.outputs = outputs?.split(separator: ",").map(String.init) ?? []
        if let fuse {
            guard let choice = FuseChoice(fuse) else {
                throw UsageMistake(
                    "--fuse '\(escaped(fuse))' names a rule that is not there; there are "
                        + FuseChoice.names.joined(separator: ", "))
            }
            options.fuse = choice
        }
        return options
    }
}
