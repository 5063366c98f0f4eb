package import DCNGraph

/// The mean of each channel of a quantised image, quantised again; spatial axes become 1.
///
/// Operands: x, its scale and zero, scale and zero of y. The mean of nothing, and whatever else is NaN, is the zero
/// point; infinite quotients are the bounds.
package struct QLinearGlobalAveragePool: Operator {
    package static let name = "QLinearGlobalAveragePool"
    /// Whether channels are the last axis and not the second.
    package var isChannelsLast: Bool
    package init(isChannelsLast: Bool = false) { self.isChannelsLast = isChannelsLast }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try checkQuantised(inputs, x, scale: 1, zero: 2)
        try inputs.required(3, "y_scale").expect([.float32])
        try inputs.optional(4, "y_zero_point")?.expectSameElement(as: x)
        guard let shape = x.shape else { return [.tensor(TensorType(x.element, nil))] }
        guard shape.rank >= 3 else { throw .rank(of: "X", expected: "at least 3", got: shape.rank) }
        let ones = Array(repeating: Dimension.fixed(1), count: shape.rank - 2)
        let channels = shape[isChannelsLast ? shape.rank - 1 : 1]
        let dimensions = [shape[0]] + (isChannelsLast ? ones + [channels] : [channels] + ones)
        return [.tensor(TensorType(x.element, Shape(dimensions)))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        let extents = try call.extents(0)
        let x = try QuantisedOperand(call, scale: 1, zero: 2, element: type.element)
        let y = try QuantisedOperand(call, scale: 3, zero: 4, element: type.element)
        let channels = extents[isChannelsLast ? extents.count - 1 : 1]
        let plane = (isChannelsLast ? extents[1..<extents.count - 1] : extents[2...]).reduce(1, *)
        let step = isChannelsLast ? channels : 1
        let tiling = Tiling(extents[0] * channels, cost: max(1, plane))
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                let factor = x.scaleValue(frame) / y.scaleValue(frame)
                let (zero, resultZero) = (x.zeroValue(frame), y.zeroValue(frame))
                for unit in tiling[tile] {
                    let start =
                        step == 1 ? unit * plane : unit / channels * plane * channels + unit % channels
                    let source = UnsafeRawPointer(frame.input(0, as: UInt8.self) + start)
                    var sum = 0
                    for index in 0..<plane {
                        sum += Int(byte(source, index * step, isSigned: x.isSigned) - zero)
                    }
                    let mean = Float(Double(sum) / Double(plane)) * factor
                    frame.output(0, as: UInt8.self)[unit] = quantised(mean, resultZero, isSigned: y.isSigned)
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, [("channels_last", .int(isChannelsLast ? 1 : 0))], domain: "com.microsoft")
    }
}

/// Quantised operands one after the other along an axis, each brought to the scale and zero point of the result.
///
/// Operands: scale and zero of y, then each x with its scale and zero. A quotient that is NaN gives the zero point,
/// and infinite ones the bounds.
package struct QLinearConcat: Operator {
    package static let name = "QLinearConcat"
    /// Along which axis.
    package var axis: Int
    package init(axis: Int) { self.axis = axis }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        guard inputs.count >= 5, inputs.count % 3 == 2 else {
            throw .value(
                of: "the node", because: "has \(inputs.count) operands, expected 2 and three for each tensor")
        }
        try inputs.required(0, "Y_scale").expect([.float32])
        let first = try inputs.required(2, "input 2")
        try inputs.required(1, "Y_zero_point").expectSameElement(as: first)
        var dimensions = first.shape?.dimensions
        for index in stride(from: 2, to: inputs.count, by: 3) {
            let x = try inputs.required(index, "input \(index)")
            try checkQuantised(inputs, x, scale: index + 1, zero: index + 2)
            try x.expectSameElement(as: first)
            guard let rank = first.rank, let shape = x.shape else {
                dimensions = nil
                continue
            }
            try x.expectRank(rank)
            let axis = try resolvedAxis(axis, rank: rank)
            for other in 0..<rank where other != axis {
                try x.expect(first.dimension(other), along: other, because: "the extent of the first operand")
            }
            guard index > 2, let before = dimensions?[axis] else { continue }
            dimensions?[axis] = sum(before, shape[axis])
        }
        return [.tensor(TensorType(first.element, dimensions.map { Shape($0) }))]
    }

    private func sum(_ a: Dimension, _ b: Dimension) -> Dimension {
        guard let a = a.fixed, let b = b.fixed else { return .unknown }
        return .fixed(a &+ b)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.output(0)
        let extents = try call.outputExtents(0)
        let axis = try resolvedAxis(axis, rank: extents.count)
        let (outer, inner) = (extents[..<axis].reduce(1, *), extents[(axis + 1)...].reduce(1, *))
        let y = try QuantisedOperand(call, scale: 0, zero: 1, element: type.element)
        var parts: [(input: Int, run: Int, start: Int, operand: QuantisedOperand)] = []
        var start = 0
        for index in stride(from: 2, to: call.inputs.count, by: 3) {
            let run = try call.extents(index)[axis] * inner
            let operand = try QuantisedOperand(call, scale: index + 1, zero: index + 2, element: type.element)
            parts.append((index, run, start, operand))
            start += run
        }
        let (row, pieces) = (start, parts)
        return .kernel(
            TileKernel(tiles: pieces.count, scratch: 256) { tile, frame in
                let piece = pieces[tile]
                let table = frame.scratch(as: UInt8.self)
                let factor = piece.operand.scaleValue(frame) / y.scaleValue(frame)
                let (zero, resultZero) = (piece.operand.zeroValue(frame), y.zeroValue(frame))
                for code in 0..<256 {
                    let whole = y.isSigned ? Int32(Int8(truncatingIfNeeded: code)) : Int32(code)
                    table[code] = quantised(Float(whole - zero) * factor, resultZero, isSigned: y.isSigned)
                }
                let (x, target) = (frame.input(piece.input, as: UInt8.self), frame.output(0, as: UInt8.self))
                for line in 0..<outer {
                    for index in 0..<piece.run {
                        target[line * row + piece.start + index] = table[Int(x[line * piece.run + index])]
                    }
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, [("axis", .int(axis))], domain: "com.microsoft")
    }
}
