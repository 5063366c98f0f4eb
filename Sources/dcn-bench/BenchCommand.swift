import ArgumentParser
import DCN
import DCNOperators
import DCNRuntime
import Foundation

@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dcn-bench",
        abstract:
            "Measure layers in the runtime's own layout, and whole models, against the FMA peak of the same run.",
        discussion: """
            EXAMPLES
              dcn-bench deform:c=256,h=38,w=64
              dcn-bench conv:c=64,h=150,w=250 --threads 2 --accuracy fast
              dcn-bench --file fixtures/bench/layers.txt --json
              dcn-bench --model detector.onnx --threads 2
            """)

    @Argument(help: "Layers as KIND:NAME=NUMBER,…; KIND is conv or deform.")
    var cases: [String] = []

    @Option(help: "A file of layers, one a line; # begins a comment.")
    var file: String?

    @Option(help: "A model file to measure as a whole; may be given several times.")
    var model: [String] = []

    @Option(help: "How many threads work.")
    var threads = 1

    @Option(help: "Which forms may be used: exact, default or fast.")
    var accuracy = "default"

    @Option(help: "Seconds to measure each layer.")
    var seconds = 1.0

    @Flag(help: "Instead of times, the rounding errors of each layer against float64, by accuracy.")
    var errors = false

    @Flag(help: "One JSON object a line.")
    var json = false

    func run() throws {
        guard let accuracy = Accuracy(rawValue: accuracy) else {
            throw ValidationError("accuracy is exact, default or fast")
        }
        let name = ProcessInfo.processInfo.environment["DCN_ISA"]
        guard let instructionSet = name.map({ InstructionSet(rawValue: $0) }) ?? .best else {
            throw ValidationError("DCN_ISA is baseline, avx2, avx512, amx or neon")
        }
        let team = Team(threads: threads)
        for text in try allCases() {
            guard let bench = Case(text) else {
                throw ValidationError("'\(text)' is no layer: KIND:NAME=NUMBER,…")
            }
            if errors {
                try reportErrors(bench, instructionSet)
                continue
            }
            let layer = try Layer(bench, accuracy: accuracy)
            let top = peak(of: team, instructionSet)
            let timing = try layer.time(on: team, instructionSet, seconds: seconds)
            report(bench.text, layer.multiplyAdds, timing, peak: max(top, peak(of: team, instructionSet)))
        }
        for path in model {
            let network = try Network(path, accuracy: accuracy)
            let top = peak(of: team, instructionSet)
            let timing = try network.time(on: team, instructionSet, seconds: seconds)
            let sums = try network.multiplyAdds()
            report(path, sums, timing, peak: max(top, peak(of: team, instructionSet)))
        }
    }

    private func allCases() throws -> [String] {
        guard let file else { return cases }
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        return cases
            + lines.map { $0.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces) }.filter {
                !$0.isEmpty
            }
    }

    private func report(_ name: String, _ multiplyAdds: Int, _ timing: Timing, peak: Double) {
        let operations = 2 * Double(multiplyAdds)
        let best = operations / timing.best
        if json {
            print(
                "{\"case\": \"\(escaped(name))\", \"threads\": \(threads), \"accuracy\": \"\(accuracy)\", "
                    + "\"min_ms\": \(timing.best / 1e6), \"median_ms\": \(timing.median / 1e6), "
                    + "\"gflops\": \(best), \"peak_gflops\": \(peak), \"share\": \(best / peak)}")
            return
        }
        func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
        print(
            "\(name.padding(toLength: max(48, name.count), withPad: " ", startingAt: 0)) "
                + "min \(text(timing.best / 1e6, 3)) ms  median \(text(timing.median / 1e6, 3)) ms  "
                + "\(text(best, 1)) GFLOP/s  \(text(100 * best / peak, 1)) % of \(text(peak, 0))")
    }
}
