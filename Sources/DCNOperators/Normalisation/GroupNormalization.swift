internal import CKernels
package import DCNGraph

/// Groups of channels, each item for itself, moved to mean 0 and stretched to variance 1.
///
///     y = scale[c] · (x − mean(n, g)) / √(variance(n, g) + epsilon) + bias[c],  g = c / (C / groups)
///
/// Inputs: X `[N, C, …]`, scale, bias, `[C]`, or `[groups]` where `hasGroupScales` (GroupNormalization 18).
/// What is not finite makes its whole group NaN, and no other one; a batch of nothing gives nothing.
/// A variance beyond the greatest number is infinite, and y the bias then.
/// With no number of groups every channel is a group of its own (InstanceNormalization).
package struct GroupNormalization: Operator {
    package static let name = "GroupNormalization"
    /// How many groups there are; nil: as many as channels.
    package var groups: Int?
    /// Added to the variance.
    package var epsilon: Float
    /// Whether scale and bias are one for each group.
    package var hasGroupScales: Bool

    package init(groups: Int?, epsilon: Float = 1e-5, hasGroupScales: Bool = false) {
        self.groups = groups
        self.epsilon = epsilon
        self.hasGroupScales = hasGroupScales
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect(ElementType.reals)
        if let rank = x.rank, rank < 2 { throw .rank(of: "X", expected: "2 or more", got: rank) }
        if let groups, groups < 1 {
            throw .attribute("num_groups", because: "is \(groups), expected at least 1")
        }
        if let groups, let channels = x.dimension(1).fixed, channels % groups != 0 {
            throw .extent(
                of: "X", axis: 1, expected: "a multiple of \(groups)", got: "\(channels)",
                because: "num_groups")
        }
        for (index, name) in ["scale", "bias"].enumerated() {
            let operand = try inputs.required(index + 1, name, rank: 1)
            try operand.expectSameElement(as: x)
            if hasGroupScales, let groups {
                try operand.expect(groups, along: 0, because: "one for each group")
            } else {
                try operand.expect(x.dimension(1), along: 0, because: "one for each channel of X")
            }
        }
        return [.tensor(TensorType(x.element, x.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let shape = try ChannelShape(try call.input(0))
        let groups = groups ?? shape.channels
        let simd = try Simd(call.instructionSet)
        switch try call.input(0).element {
        case .float32:
            let hasKernel = simd.table.pointee.moments_rows_f32 != nil
            return .kernel(hasKernel ? vector(shape, groups, simd) : tiles(shape, groups, Float.self))
        case .float64: return .kernel(tiles(shape, groups, Double.self))
        case let element: throw .unsupported("normalisation of groups on \(element)")
        }
    }

    private func vector(_ shape: ChannelShape, _ groups: Int, _ simd: Simd) -> TileKernel {
        let members = groups == 0 ? 0 : shape.channels / groups
        let tiling = Tiling(shape.items * groups, cost: members * shape.plane * 3)
        let (epsilon, shares) = (epsilon, hasGroupScales)
        let scratch = 8 + members * 8
        return TileKernel(tiles: tiling.tiles, scratch: scratch, inPlace: [InPlace(output: 0, input: 0)]) {
            (tile, frame) in
            let moments = frame.scratch(as: Float.self)
            let (factors, summands) = (moments + 2, moments + 2 + members)
            for group in tiling[tile] {
                let start = group * members * shape.plane
                let (x, y) = (frame.input(0, as: Float.self) + start, frame.output(0, as: Float.self) + start)
                var rows = dcn_rows()
                (rows.rows, rows.columns, rows.x_row) = (1, members * shape.plane, members * shape.plane)
                simd.table.pointee.moments_rows_f32(&rows, x, moments, moments + 1)
                let deviation = 1 / (moments[1] + epsilon).squareRoot()
                for member in 0..<members {
                    let index = shares ? group % groups : group % groups * members + member
                    factors[member] = frame.input(1, as: Float.self)[index] * deviation
                    summands[member] = frame.input(2, as: Float.self)[index]
                }
                (rows.rows, rows.columns) = (members, shape.plane)
                (rows.x_row, rows.y_row) = (shape.plane, shape.plane)
                simd.table.pointee.centre_rows_f32(&rows, moments[0], x, factors, summands, y)
            }
        }
    }

    private func tiles<T: BinaryFloatingPoint & Sendable>(
        _ shape: ChannelShape, _ groups: Int, _ type: T.Type
    ) -> TileKernel {
        let members = groups == 0 ? 0 : shape.channels / groups
        let runs = StridedRuns(extents: [members * shape.plane], strides: [1])
        let tiling = Tiling(shape.items * groups, cost: runs.count * 3)
        let (epsilon, shares) = (Double(epsilon), hasGroupScales)
        return TileKernel(tiles: tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { (tile, frame) in
            for group in tiling[tile] {
                let start = group * runs.count
                let (x, y) = (frame.input(0, as: T.self) + start, frame.output(0, as: T.self) + start)
                let mean = runs.fold(x, 0.0) { $0 += Double($1) } / Double(runs.count)
                let variance =
                    runs.fold(x, 0.0) { $0 += (Double($1) - mean) * (Double($1) - mean) } / Double(runs.count)
                let deviation = 1 / (variance + epsilon).squareRoot()
                for index in 0..<runs.count {
                    let member = group % groups * members + index / shape.plane
                    let parameter = shares ? group % groups : member
                    let scale = Double(frame.input(1, as: T.self)[parameter])
                    let bias = Double(frame.input(2, as: T.self)[parameter])
                    y[index] = T((Double(x[index]) - mean) * deviation * scale + bias)
                }
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard let groups else { return WrittenNode("InstanceNormalization", [("epsilon", .float(epsilon))]) }
        if hasGroupScales && opset >= 21 {
            throw .unsupported(
                "GroupNormalization with a scale for each group has no spelling from operator set 21 on")
        }
        let attributes: [(name: String, value: SourceAttribute)] = [
            ("num_groups", .int(groups)), ("epsilon", .float(epsilon)),
        ]
        return WrittenNode("GroupNormalization", attributes, since: hasGroupScales ? 18 : 21)
    }
}
