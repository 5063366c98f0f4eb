import ArgumentParser
import DCN
import DCNCommandLine
import DCNFiles
import DCNVision

/// Measures how well a detector finds what is there.
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a detector or segmenter on pictures with known boxes or classes.",
        usage: "dcn-run eval MODEL FOLDER [OPTIONS]",
        discussion: """
            Example:
              dcn-run eval detector.onnx pictures --at-least 0.5=0.9 --at-least 0.5:0.95=0.6

            FOLDER holds pictures and truth.json: [{"picture": "a.png", "boxes": [[left, top, right, bottom], …],
            "labels": [3, …]}, …]. Prints mean average precision by the rules of COCO.

            For a segmenter it is [{"picture": "a.png", "classes": "a-classes.png"}, …], with classes as the levels of a grey
            PNG. Prints the mean over classes of intersection over union, sums taken over all pictures.
            """)

    @OptionGroup var file: ModelArguments

    @Argument(help: "A folder of pictures and truth.json.", completion: .directory)
    var folder: String

    @OptionGroup var options: PictureOptions

    @Option(
        name: .customLong("at-least"),
        help: ArgumentHelp(
            "Exit 1 when the mAP at this overlap, or mIoU, is lower (repeatable).", valueName: "OVERLAP=MAP"))
    var gates: [String] = []

    @Option(help: ArgumentHelp("The class in a grey PNG that does not count.", valueName: "CLASS"))
    var ignore = 255

    @Flag(help: "Results as JSON on standard output, errors as JSON on standard error.")
    var json = false

    @OptionGroup var running: RunArguments

    func run() throws {
        try perform(isJson: json) {
            if let pictures = try segmentedPictures(in: folder) { return try measure(pictures) }
            let gates = try parsedGates()
            var detector = try Detector(file, options, running)
            var pictures: [(found: [Detection], truth: [LabelledBox])] = []
            for entry in try labelledPictures(in: folder) {
                let picture = try Picture(contentsOf: "\(folder)/\(entry.name)")
                pictures.append((try detector.detections(in: picture), entry.truth))
            }
            return try report(Evaluation(pictures), count: pictures.count, gates)
        }
    }

    /// The lines printed, and what gates may name.
    private static let lines: [(name: String, thresholds: [Double])] = [
        ("0.5", [0.5]), ("0.7", [Evaluation.thresholds[4]]), ("0.75", [Evaluation.thresholds[5]]),
        ("0.5:0.95", Evaluation.thresholds),
    ]

    private func parsedGates() throws(UsageMistake) -> [(name: String, least: Double)] {
        var parsed: [(name: String, least: Double)] = []
        for gate in gates {
            let parts = gate.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, Self.lines.contains(where: { $0.name == parts[0] }),
                let least = Double(parts[1])
            else {
                throw UsageMistake(
                    "--at-least '\(escaped(gate))' is not of the form OVERLAP=MAP with 0.5, 0.7, 0.75 or 0.5:0.95"
                )
            }
            parsed.append((String(parts[0]), least))
        }
        return parsed
    }

    private func report(_ evaluation: Evaluation, count: Int, _ gates: [(name: String, least: Double)]) throws
        -> Bool
    {
        var results: [(String, Double?)] = Self.lines.map { name, thresholds in
            (name == "0.5:0.95" ? "mAP@[0.5:0.95]" : "mAP@\(name)", evaluation.meanPrecision(at: thresholds))
        }
        for (name, size) in [("small", Evaluation.Size.small), ("medium", .medium), ("large", .large)] {
            results.append(("mAP@[0.5:0.95] \(name)", evaluation.meanPrecision(size)))
        }
        if json {
            let members = results.map { ($0, $1.map(Json.number) ?? .null) }
            try Console.print(Json.object([("pictures", .int(count))] + members).text)
        } else {
            for line in table(
                [["pictures", "\(count)"]] + results.map { [$0, $1.map { fixed($0, 6) } ?? "none"] },
                right: [1])
            {
                try Console.print(line)
            }
        }
        var passes = true
        for gate in gates {
            let got = Self.lines.first { $0.name == gate.name }.flatMap {
                evaluation.meanPrecision(at: $0.thresholds)
            }
            guard (got ?? -1) < gate.least else { continue }
            passes = false
            Console.note(
                "mAP@\(gate.name) is \(got.map { fixed($0, 6) } ?? "none"), expected at least \(gate.least)")
        }
        return passes
    }
}
