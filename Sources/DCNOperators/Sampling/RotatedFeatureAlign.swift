package import DCNGraph

/// A feature map with samples from the middle and corners of a turned box added at each cell (mmcv's RotatedFeatureAlign).
///
/// Inputs: X `[N, C, H, W]`, boxes `[N, H, W, 5]` of (y, x, w, h, radians). Output as X. Samples more than a cell
/// outside, or at places that are not finite, add nothing.
package struct RotatedFeatureAlign: Operator {
    package static let name = "RotatedFeatureAlign"
    /// Cells per unit of the boxes.
    package var scale: Float
    /// 1: the middle; 5: the corners too.
    package var points: Int

    package init(scale: Float, points: Int) {
        self.scale = scale
        self.points = points
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "features", rank: 4)
        let boxes = try inputs.required(1, "best_rbboxes", rank: 4)
        try x.expect(ElementType.reals)
        try boxes.expectSameElement(as: x)
        guard points == 1 || points == 5 else {
            throw .attribute("points", because: "is \(points), expected 1 or 5")
        }
        for (axis, other) in [(0, 0), (1, 2), (2, 3)] {
            try boxes.expect(x.dimension(other), along: axis, because: "one box for each cell")
        }
        try boxes.expect(5, along: 3, because: "the numbers of a box")
        return [.tensor(TensorType(x.element, x.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.input(0).element == .float32 else {
            throw .unsupported("RotatedFeatureAlign on \(try call.input(0).element)")
        }
        let extents = try call.extents(0)
        let (channels, height, width) = (extents[1], extents[2], extents[3])
        let tiling = Tiling(extents[0] * height * width, cost: channels * points * 8)
        let op = self
        return .kernel(
            TileKernel(tiles: tiling.tiles) { (tile, frame) in
                for cell in tiling[tile] {
                    let samples = op.places(frame.input(1, as: Float.self) + cell * 5)
                    let start = cell / (height * width) * channels * height * width
                    for channel in 0..<channels {
                        let plane = frame.input(0, as: Float.self) + start + channel * height * width
                        let place = cell % (height * width)
                        var sum = plane[place]
                        for index in 0..<op.points {
                            sum += alignSample(plane, height, width, samples.y[index], samples.x[index])
                        }
                        frame.output(0, as: Float.self)[start + channel * height * width + place] = sum
                    }
                }
            })
    }

    private func places(_ box: UnsafePointer<Float>) -> (y: SIMD8<Float>, x: SIMD8<Float>) {
        let (y, x, w, h) = (box[0] * scale, box[1] * scale, box[2] * scale / 2, box[3] * scale / 2)
        let (cosine, sine) = (Float(Elementary.cos(Double(box[4]))), Float(Elementary.sin(Double(box[4]))))
        let (wx, wy, hx, hy) = (cosine * w, sine * w, -sine * h, cosine * h)
        let horizontal = SIMD8<Float>(x, x + wx + hx, x - wx + hx, x - wx - hx, x + wx - hx, 0, 0, 0)
        let vertical = SIMD8<Float>(y, y + wy + hy, y - wy + hy, y - wy - hy, y + wy - hy, 0, 0, 0)
        return (vertical, horizontal)
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        (outputs.first??.tensor?.elementCount ?? 0) &* points &* 4
    }
}
