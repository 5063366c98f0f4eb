package import DCNGraph

/// A convolution made only where a mask is positive; elsewhere 0, bias included (mmcv's MaskedConv2d).
///
/// Inputs: X `[N, C, H, W]`, mask `[1 or N, H', W']`, weight `[O, C, h, w]`, bias `[O]` or left out. Output `[N, O, H', W']`.
/// A mask that is NaN is not positive. What is not finite reaches the open cells whose window holds it.
package struct MaskedConv: Operator {
    package static let name = "MaskedConv"
    /// Zeros around X, along y and x.
    package var padding: [Int]
    /// Steps along y and x.
    package var strides: [Int]

    package init(padding: [Int], strides: [Int]) {
        self.padding = padding
        self.strides = strides
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "features", rank: 4)
        let mask = try inputs.required(1, "mask", rank: 3)
        let weight = try inputs.required(2, "weight", rank: 4)
        try x.expect(ElementType.reals)
        for operand in [mask, weight] { try operand.expectSameElement(as: x) }
        let bias = try inputs.optional(3, "bias", rank: 1)
        try bias?.expectSameElement(as: x)
        try bias?.expect(weight.dimension(0), along: 0, because: "one for each output")
        try weight.expect(x.dimension(1), along: 1, because: "the channels of features")
        guard padding.count == 2, strides.count == 2, padding.allSatisfy({ (0...(1 << 16)).contains($0) }),
            strides.allSatisfy({ (1...(1 << 16)).contains($0) })
        else {
            throw .attribute(
                "stride", because: "and padding are \(strides) and \(padding), expected two small numbers")
        }
        if mask.dimension(0) != 1 {
            try mask.expect(x.dimension(0), along: 0, because: "one for each image, or one")
        }
        var spatial: [Dimension] = []
        for axis in 0..<2 {
            guard let extent = x.dimension(axis + 2).fixed, let kernel = weight.dimension(axis + 2).fixed
            else {
                spatial.append(mask.dimension(axis + 1))
                continue
            }
            let room = extent &+ 2 * padding[axis] &- kernel
            guard room >= 0, kernel > 0 else {
                throw .extent(
                    of: "features", axis: axis + 2, expected: "at least \(kernel) with padding",
                    got: "\(extent)", because: "the kernel has to fit")
            }
            spatial.append(.fixed(room / strides[axis] + 1))
            try mask.expect(room / strides[axis] + 1, along: axis + 1, because: "one for each output cell")
        }
        return [.tensor(TensorType(x.element, Shape([x.dimension(0), weight.dimension(0)] + spatial)))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.input(0).element == .float32 else {
            throw .unsupported("MaskedConv on \(try call.input(0).element)")
        }
        let (x, mask, weight) = (try call.extents(0), try call.extents(1), try call.extents(2))
        let output = try call.outputExtents(0)
        let hasBias = call.has(3)
        let plane = output[2] * output[3]
        let tiling = Tiling(output[0] * plane, cost: weight.reduce(1, &*))
        let op = self
        return .kernel(
            TileKernel(tiles: tiling.tiles) { (tile, frame) in
                for cell in tiling[tile] {
                    let (item, place) = (cell / plane, cell % plane)
                    let isOpen = frame.input(1, as: Float.self)[(mask[0] == 1 ? 0 : item) * plane + place] > 0
                    for o in 0..<output[1] {
                        let y = frame.output(0, as: Float.self) + (item * output[1] + o) * plane + place
                        y.pointee = 0
                        guard isOpen else { continue }
                        let kernel = frame.input(2, as: Float.self) + o * weight[1] * weight[2] * weight[3]
                        let image = frame.input(0, as: Float.self) + item * x[1] * x[2] * x[3]
                        let sum = op.sum(image, x, kernel, weight, place / output[3], place % output[3])
                        y.pointee = sum + (hasBias ? frame.input(3, as: Float.self)[o] : 0)
                    }
                }
            })
    }

    private func sum(
        _ image: UnsafePointer<Float>, _ x: [Int], _ kernel: UnsafePointer<Float>, _ weight: [Int], _ i: Int,
        _ j: Int
    ) -> Float {
        var sum: Float = 0
        for c in 0..<x[1] {
            for u in 0..<weight[2] {
                let row = i * strides[0] + u - padding[0]
                guard row >= 0, row < x[2] else { continue }
                for v in 0..<weight[3] {
                    let column = j * strides[1] + v - padding[1]
                    guard column >= 0, column < x[3] else { continue }
                    sum +=
                        image[(c * x[2] + row) * x[3] + column] * kernel[(c * weight[2] + u) * weight[3] + v]
                }
            }
        }
        return sum
    }
}
