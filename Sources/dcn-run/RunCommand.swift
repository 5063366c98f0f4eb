import ArgumentParser
import DCN
import DCNCommandLine
import DCNFiles

/// Runs a model on inputs and shows, writes, compares or times what comes out.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a model.",
        usage: "dcn-run MODEL --input NAME=FILE … [-o OUT] [OPTIONS]",
        discussion: """
            Examples:
              dcn-run model.onnx --input random                    try it out, show what comes out
              dcn-run model.onnx --input image=cat.png -o out.npz  a picture in, arrays out
              dcn-run model.onnx --test-data test_data_set_0       compare with stored answers
              dcn-run model.onnx --input random --repeat 20        measure
              dcn-run detect detector.onnx street.jpg -o found     boxes as JSON and drawn
              dcn-run eval detector.onnx pictures                  mAP on pictures with truth.json

            FILE is .npy, .npz, .pb, .png, .jpg, or random[:SEED], zeros, ones. With one input, NAME may be left out.

            Exit codes: 0 done, 1 a comparison failed, 2 invalid model, 3 unsupported operators, 4 inputs that do not
            fit, 5 the system refused, 64 usage mistake, 70 a defect of dcn-run.
            """)

    @OptionGroup var file: ModelArguments
    @OptionGroup var inputs: InputOptions
    @OptionGroup var outputs: OutputOptions
    @OptionGroup var comparison: ComparisonOptions
    @OptionGroup var timing: TimingOptions
    @OptionGroup var watching: WatchingOptions
    @OptionGroup var running: RunArguments

    @Flag(help: "Results as JSON on standard output, errors as JSON on standard error.")
    var json = false

    @Flag(help: "Print results only.")
    var quiet = false

    func run() throws {
        try perform(isJson: json) {
            try checkUsage()
            let job = try Job(self)
            if let folder = comparison.testData { return try job.compare(with: folder) }
            return try job.run()
        }
    }

    /// Throws a usage mistake for options that do not go together.
    private func checkUsage() throws(UsageMistake) {
        if comparison.testData != nil {
            guard inputs.input.isEmpty, timing.repeats == nil, comparison.expect == nil, outputs.out == nil,
                outputs.output.isEmpty
            else {
                throw UsageMistake(
                    "--test-data brings inputs and outputs: leave out --input, --expect, --repeat, --output and -o"
                )
            }
        }
        try timing.check()
        if watching.dump != nil, outputs.out == nil { throw UsageMistake("--dump needs -o OUT to write to") }
        try outputs.check()
        guard comparison.rtol >= 0, comparison.atol >= 0 else {
            throw UsageMistake("--rtol and --atol can't be negative")
        }
        _ = try inputs.form()
        _ = try running.threadCount()
        _ = try running.limits.deadline()
        _ = try wantedInstructionSet()
    }
}

/// What goes in.
struct InputOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("i")],
        help: ArgumentHelp("What goes in (repeatable).", valueName: "NAME=FILE"))
    var input: [String] = []

    @Option(help: "Seed of random inputs that name none.")
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp("Pictures: taken away from each channel after scaling to 0…1.", valueName: "R,G,B")
    )
    var mean: String?

    @Option(help: ArgumentHelp("Pictures: what each channel is divided by then.", valueName: "R,G,B"))
    var std: String?

    @Flag(help: "Pictures: blue first.")
    var bgr = false

    @Option(help: "Pictures of another size: stretch or letterbox.")
    var fit: PictureForm.Fit?

    /// How pictures are read.
    func form() throws(UsageMistake) -> PictureForm {
        var form = PictureForm()
        if let mean { form.mean = try numberList(mean, "--mean") }
        if let std { form.deviation = try numberList(std, "--std") }
        guard !form.deviation.contains(0) else { throw UsageMistake("--std can't be 0") }
        form.isBgr = bgr
        form.fit = fit
        return form
    }
}

extension PictureForm.Fit: ExpressibleByArgument {}

/// What comes out.
struct OutputOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("Write all outputs: .npz, .json, or a folder of .npy.", valueName: "OUT"))
    var out: String?

    @Option(help: ArgumentHelp("Write one output as .npy or .pb (repeatable).", valueName: "NAME=FILE"))
    var output: [String] = []

    /// Throws a usage mistake for endings that nothing is written as.
    func check() throws(UsageMistake) {
        if let out, Destination(out) == nil {
            throw UsageMistake(
                "-o '\(escaped(out))' holds one value only: take --output NAME=FILE, or .npz, .json or a folder"
            )
        }
        for argument in output
        where !argument.hasSuffix(".npy") && !argument.hasSuffix(".pb") || !argument.contains("=") {
            throw UsageMistake(
                "--output '\(escaped(argument))' is not of the form NAME=FILE.npy or NAME=FILE.pb")
        }
    }
}

/// What the outputs are compared with.
struct ComparisonOptions: ParsableArguments {
    @Option(
        name: .customLong("test-data"),
        help: ArgumentHelp(
            "Run input_K.pb, compare with output_K.pb; or all test_data_set_* inside.", valueName: "DIR"))
    var testData: String?

    @Option(help: ArgumentHelp("Compare outputs with the entries of the same names.", valueName: "FILE.npz"))
    var expect: String?

    @Option(help: "Relative tolerance of comparisons.")
    var rtol = 1e-3

    @Option(help: "Absolute tolerance of comparisons.")
    var atol = 1e-7

    /// Both tolerances.
    var tolerance: Tolerance { Tolerance(relative: rtol, absolute: atol) }
}

/// How often it runs.
struct TimingOptions: ParsableArguments {
    @Option(name: .customLong("repeat"), help: ArgumentHelp("Measure this many runs.", valueName: "K"))
    var repeats: Int?

    @Option(help: ArgumentHelp("Runs before those measured (default: 1).", valueName: "W"))
    var warmup: Int?

    @Option(
        help: ArgumentHelp(
            "With --repeat: sessions side by side, each with --threads threads.", valueName: "N"))
    var sessions: Int?

    /// Throws a usage mistake for numbers that make no sense.
    func check() throws(UsageMistake) {
        guard repeats != nil || (warmup == nil && sessions == nil) else {
            throw UsageMistake("--warmup and --sessions need --repeat K")
        }
        guard (1...1_000_000_000).contains(repeats ?? 1) else {
            throw UsageMistake("--repeat is \(repeats ?? 0), expected 1 or more")
        }
        guard (0...1_000_000_000).contains(warmup ?? 0) else {
            throw UsageMistake("--warmup is \(warmup ?? 0), expected 0 or more")
        }
        guard (1...1024).contains(sessions ?? 1) else {
            throw UsageMistake("--sessions is \(sessions ?? 0), expected 1 … 1024")
        }
    }
}

/// What is looked at on the way.
struct WatchingOptions: ParsableArguments {
    @Flag(help: "Show time, share and GFLOP/s by node and by operator.")
    var profile = false

    @Option(help: ArgumentHelp("Write Chrome trace events.", valueName: "FILE.json"))
    var trace: String?

    @Flag(
        name: .customLong("check-finite"),
        help: "Exit 1 when a value is NaN or infinite, and say where first.")
    var checkFinite = false

    @Option(
        help: ArgumentHelp(
            "Also write values in between whose names match (* and ?) into OUT.", valueName: "PATTERN"))
    var dump: String?
}
