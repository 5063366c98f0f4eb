package import DCNGraph

/// A convolution whose shapes hold the channels last.
///
/// Inputs: x [N, …, C], weight [O, …, C/G], bias [O]?. Output: [N, …, O]. NaN and infinities do as in Conv.
package struct NhwcConv: Operator {
    package static let name = "NhwcConv"
    /// The convolution, channels second.
    package var convolution: Conv

    package init(_ convolution: Conv = Conv()) { self.convolution = convolution }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        var turned = Inputs(inputs.types, outputCount: inputs.outputCount)
        for (index, name) in [(0, "X"), (1, "W")] {
            let type = try inputs.required(index, name).type
            guard let shape = type.shape else { return [.tensor(TensorType(type.element, nil))] }
            guard (3...5).contains(shape.rank) else {
                throw .rank(of: name, expected: "3 to 5", got: shape.rank)
            }
            let dimensions = NhwcConv.channelsSecond(shape.rank).map { shape[$0] }
            turned.types[index] = .tensor(TensorType(type.element, Shape(dimensions)))
        }
        let types = try convolution.outputTypes(for: turned)
        guard let type = types.first?.tensor, let shape = type.shape else { return types }
        let dimensions = NhwcConv.channelsLast(shape.rank).map { shape[$0] }
        return [.tensor(TensorType(type.element, Shape(dimensions)))]
    }

    private static func channelsSecond(_ rank: Int) -> [Int] { [0, rank - 1] + (1..<rank - 1) }
    private static func channelsLast(_ rank: Int) -> [Int] { [0] + (2..<rank) + [1] }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let element = try call.input(0).element
        guard element == .float32 || element == .float64 else { throw noKernel(Self.name, for: element) }
        let rank = try call.extents(0).count
        let convolution = convolution
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                var turned = values
                for index in 0..<2 {
                    let move = Transpose(permutation: NhwcConv.channelsSecond(rank))
                    turned[index] = try performOne(move, [values[index]], in: scope)
                }
                let y = try performOne(convolution, turned, in: scope)
                return [try performOne(Transpose(permutation: NhwcConv.channelsLast(rank)), [y], in: scope)]
            })
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        guard inputs.count > 1, let weights = inputs[1]?.tensor?.extents, !weights.isEmpty,
            let count = outputs.first??.tensor?.elementCount
        else { return 0 }
        return count.multipliedReportingOverflow(by: weights[1...].reduce(1, &*)).partialValue
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var node = try convolution.written(for: inputs, opset: opset)
        (node.opType, node.domain) = (Self.name, "com.microsoft")
        return node
    }
}
