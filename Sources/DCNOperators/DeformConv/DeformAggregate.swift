package import DCNGraph

/// A deformable sum of neighbours without weights: what DCNv3 and DCNv4 do between their linear layers.
///
///     y[n, p, c] = Σ mask[n, p, g(c), t] · x(c, centre(p) + scale · (tap(t) − centre tap + offset[n, p, g(c), t]))
///
/// with centre(p) = p·stride − pad + dilation·(kernel − 1)/2. `x` between pixels is bilinear, and fades to zero over
/// one pixel outside the image; positions that are NaN, infinite or far outside sample zero, and
/// pixels that are not finite do as in DeformConv. Taps run down the columns of the kernel, and x stands before y in each offset.
///
/// Inputs: x [N, H, W, C], offset [N, OH, OW, G·T·2], mask [N, OH, OW, G·T] with T taps; with `isJoint` no mask, and
/// offset holds for each group 2·T offsets, then T masks; what follows the last group is padding. Gives [N, OH, OW, C].
package struct DeformAggregate: Operator {
    package static let name = "DeformAggregate"

    /// The kernel and its steps.
    package var window: Window
    /// Groups of channels that move together.
    package var groups: Int
    /// How far apart the taps stand, relative to the window's dilation; offsets are scaled alike.
    package var offsetScale: Float
    /// Whether the centre tap is left out.
    package var skipsCentre: Bool
    /// Whether offsets and masks stand in one tensor.
    package var isJoint: Bool

    /// An aggregation over the taps of a window.
    package init(
        window: Window, groups: Int = 1, offsetScale: Float = 1, skipsCentre: Bool = false,
        isJoint: Bool = false
    ) {
        self.window = window
        self.groups = groups
        self.offsetScale = offsetScale
        self.skipsCentre = skipsCentre
        self.isJoint = isJoint
    }

    /// How many taps there are, the centre left out where it is skipped.
    package var taps: Int { window.taps - (skipsCentre ? 1 : 0) }

    /// The window, its numbers checked.
    func resolvedWindow() throws(Misfit) -> Window {
        let window = try window.resolved(kernel: window.kernel)
        guard window.kernel.count == 2 else {
            throw .attribute("kernel", because: "has \(window.kernel.count) numbers, expected 2")
        }
        guard window.kernel.allSatisfy({ $0 < 1 << 12 }) else {
            throw .attribute("kernel", because: "is \(window.kernel), expected less than 4096")
        }
        guard !skipsCentre || window.kernel.allSatisfy({ $0 % 2 == 1 }) && window.taps > 1 else {
            throw .attribute(
                "remove_center",
                because: "is set for \(window.kernel), expected an odd kernel of more than one tap")
        }
        return window
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x", rank: 4)
        let offset = try inputs.required(1, "offset", rank: 4)
        try x.expect([.float32, .float64, .float16, .bfloat16])
        try offset.expectSameElement(as: x)
        guard groups >= 1, groups < 1 << 24 else {
            throw .attribute("group", because: "is \(groups), expected at least 1")
        }
        guard offsetScale.isFinite else { throw .attribute("offset_scale", because: "is \(offsetScale)") }
        let window = try resolvedWindow()
        if let channels = x.dimension(3).fixed, channels % groups != 0 {
            throw .attribute("group", because: "is \(groups), which does not divide \(channels) channels")
        }
        var output = Shape([x.dimension(0), .unknown, .unknown, x.dimension(3)])
        for axis in 0..<2 { output.dimensions[axis + 1] = try window.output(axis, of: x.dimension(axis + 1)) }
        if isJoint {
            try expectPlaces(offset, output)
            if let channels = offset.dimension(3).fixed, channels < 3 * groups * taps {
                throw .extent(
                    of: "offset", axis: 3, expected: "at least \(3 * groups * taps)", got: "\(channels)",
                    because: "3 × group × taps")
            }
        } else {
            let mask = try inputs.required(2, "mask", rank: 4)
            try mask.expectSameElement(as: x)
            for field in [offset, mask] { try expectPlaces(field, output) }
            try offset.expect(2 * groups * taps, along: 3, because: "2 × group × taps")
            try mask.expect(groups * taps, along: 3, because: "group × taps")
        }
        return [.tensor(TensorType(x.element, output))]
    }

    private func expectPlaces(_ field: Operand, _ output: Shape) throws(Misfit) {
        try field.expect(output[0], along: 0, because: "the batch of x")
        try field.expect(output[1], along: 1, because: "the height of the output")
        try field.expect(output[2], along: 2, because: "the width of the output")
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        if isJoint { return .routine(JointAggregate(op: self, output: try call.output(0))) }
        switch try call.output(0).element {
        case .float32: return .kernel(try DeformAggregateKernel(self, call))
        case .float64:
            return .routine(
                PlainDeformAggregate(op: self, window: try resolvedWindow(), output: try call.output(0)))
        case let element: throw .unsupported("DeformAggregate on \(element)")
        }
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        guard let count = outputs[0]?.tensor?.elementCount else { return 0 }
        return count * taps
    }
}

extension DeformAggregate: OffsetReading {
    package var offsetInputs: [Int] { [1] }
}
