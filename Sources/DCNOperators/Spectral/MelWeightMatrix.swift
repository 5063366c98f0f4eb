package import DCNGraph

/// Weights that make mel bands of the bins of a spectrum: triangles between neighbouring band edges.
///
/// Inputs (rank 0): number of bands, length of the transform, sample rate (int32 or int64), lower and upper edge in Hz (float).
/// Output `[length / 2 + 1, bands]`. Edges that are negative or not finite are errors of the run.
package struct MelWeightMatrix: Operator {
    package static let name = "MelWeightMatrix"
    /// The type of the output.
    package var element: ElementType

    package init(element: ElementType = .float32) { self.element = element }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        var counts: [Int?] = []
        for (index, name) in ["num_mel_bins", "dft_length", "sample_rate"].enumerated() {
            let operand = try inputs.required(index, name)
            try operand.expect([.int32, .int64])
            counts.append(operand.integers?.first)
        }
        for (index, name) in ["lower_edge_hertz", "upper_edge_hertz"].enumerated() {
            try inputs.required(index + 3, name).expect(ElementType.reals)
        }
        guard let bands = counts[0], let length = counts[1] else {
            return [.tensor(TensorType(element, [.unknown, .unknown]))]
        }
        guard (1...(1 << 20)).contains(bands), (1...(1 << 24)).contains(length) else {
            throw .value(
                of: "num_mel_bins",
                because: "and dft_length are \(bands) and \(length), which is out of range")
        }
        return [.tensor(TensorType(element, Shape([length / 2 + 1, bands])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.output(0).extents != nil, let edges = try edges(call) else {
            return .routine(lateRoutine(self))
        }
        let bands = edges.count - 2
        let count = try call.outputExtents(0).reduce(1, *)
        return .kernel(try numberKernel(count, element) { Self.weight($0 / bands, edges, $0 % bands) })
    }

    /// The bins at the edges of the bands; nil when values are not known.
    private func edges(_ call: Call) throws(Misfit) -> [Int]? {
        guard let bands = call.constant(0)?.integers?.first, let length = call.constant(1)?.integers?.first,
            let rate = call.constant(2)?.integers?.first, let low = call.constant(3).flatMap(firstNumber),
            let high = call.constant(4).flatMap(firstNumber)
        else { return nil }
        guard rate > 0, low >= 0, high >= 0, low.isFinite, high.isFinite else {
            throw .value(
                of: "sample_rate",
                because: "and edges are \(rate), \(low) and \(high), expected positive numbers")
        }
        let (from, to) = (mel(low), mel(high))
        let step = (to - from) / Double(bands + 2)
        return (0..<(bands + 2)).map { band in
            let hertz = 700 * Elementary.expm1((Double(band) * step + from) / 2595 * Elementary.log(10))
            return Int(saturating: (Double(length + 1) * hertz / Double(rate)).rounded(.down))
        }
    }

    private func mel(_ hertz: Double) -> Double { 2595 * Elementary.log1p(hertz / 700) / Elementary.log(10) }

    private static func weight(_ bin: Int, _ edges: [Int], _ band: Int) -> Double {
        let (low, centre, high) = (edges[band], edges[band + 1], edges[band + 2])
        if bin >= centre && bin < high { return Double(high - bin) / Double(high - centre) }
        if centre == low { return bin == centre ? 1 : 0 }
        return bin >= low && bin <= centre ? Double(bin - low) / Double(centre - low) : 0
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("MelWeightMatrix", [("output_datatype", .int(element.rawValue))], since: 17)
    }
}
