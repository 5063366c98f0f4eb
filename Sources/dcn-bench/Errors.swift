import DCN
import DCNOperators
import Foundation

/// Rounding errors of a layer on sampled outputs, against float64 on the same operands, as shares of the root
/// mean square of the outputs.
struct Errors {
    /// Root mean square, and the largest.
    let rms: Double, largest: Double

    init(_ got: [Double], exact: [Double]) {
        let scale = Self.rootMeanSquare(exact)
        let differences = zip(got, exact).map { ($0 - $1) / scale }
        rms = Self.rootMeanSquare(differences)
        largest = differences.map(abs).max() ?? 0
    }

    private static func rootMeanSquare(_ values: [Double]) -> Double {
        (values.reduce(0) { $0 + $1 * $1 } / Double(max(1, values.count))).squareRoot()
    }
}

/// The sums of one layer at some outputs, by the formula.
struct SampledSums {
    /// Places in the row-major output.
    let places: [Int]
    let exact: [Double]
    /// One float32 sum, product after product: what the direct kernel does.
    let direct: [Double]

    /// Draws `count` outputs of the layer of a case; `operands` are x, weights and bias, then offset and mask, row-major.
    init(_ bench: Case, _ operands: [Tensor], count: Int) {
        let weights = operands[1].elements(as: Float.self), bias = operands[2].elements(as: Float.self)
        let image = BenchImage(bench, operands)
        let pixels = bench.output[2] * bench.output[3], outputs = bench.outputs
        let total = bench.output.reduce(1, *), step = max(1, total / count) | 1
        places = (0..<min(count, total)).map { $0 * step % total }
        var exact: [Double] = [], direct: [Double] = []
        for place in places {
            let output = place / pixels % outputs
            var sum = Double(bias[output]), float = bias[output]
            Self.visit(bench, output) { tap, channel, weight in
                let value = image.value(at: place, tap: tap, channel: channel)
                sum += value * Double(weights[weight])
                float.addProduct(Float(value), weights[weight])
            }
            exact.append(sum)
            direct.append(Double(float))
        }
        (self.exact, self.direct) = (exact, direct)
    }

    /// Calls `body` with the tap, the channel and the place of the weight of each product of an output, tap by tap.
    private static func visit(_ bench: Case, _ output: Int, _ body: (Int, Int, Int) -> Void) {
        let channels = bench.channels / bench.groups, taps = bench.kernel * bench.kernel
        let first = output / (bench.outputs / bench.groups) * channels
        for tap in 0..<taps {
            for c in 0..<channels { body(tap, first + c, (output * channels + c) * taps + tap) }
        }
    }
}

extension Layer {
    /// The layer's own answer at `places` of the row-major output.
    func answers(at places: [Int], _ instructionSet: InstructionSet) throws -> [Double] {
        let values = try evaluate(
            op, operands.map { $0.map(Datum.tensor) }, outputCount: 1, instructionSet: instructionSet,
            byteLimit: Int.max)
        guard let answer = values[0].tensor else { throw Misfit.missing("y") }
        let isRowMajor = answer.type.layout == .rowMajor
        let rows =
            isRowMajor
            ? values
            : try evaluate(
                Relayout(to: .rowMajor), values, outputCount: 1, instructionSet: instructionSet,
                byteLimit: Int.max)
        guard let tensor = rows[0].tensor else { throw Misfit.missing("y") }
        let numbers = tensor.elements(as: Float.self)
        return places.map { Double(numbers[$0]) }
    }
}

/// Prints what each accuracy costs in a layer.
func reportErrors(_ bench: Case, _ instructionSet: InstructionSet) throws {
    func text(_ value: Double) -> String { String(format: "%.1e", value) }
    let sums = SampledSums(bench, try Layer.operands(of: bench), count: 4096)
    let direct = Errors(sums.direct, exact: sums.exact)
    var line = bench.text.padding(toLength: max(34, bench.text.count), withPad: " ", startingAt: 0)
    line += "  direct \(text(direct.rms)) (largest \(text(direct.largest)))"
    for accuracy in Accuracy.allCases {
        let layer = try Layer(bench, accuracy: accuracy)
        let errors = Errors(try layer.answers(at: sums.places, instructionSet), exact: sums.exact)
        let times = String(format: "%.2f", errors.rms / direct.rms)
        line += "  \(accuracy) \(layer.form) \(times)x (\(text(errors.largest)))"
    }
    print(line)
}
