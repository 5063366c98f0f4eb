package import DCNGraph

/// The greatest samples along the four borders of boxes (mmcv's BorderAlign).
///
/// Inputs: X `[N, 4C, H, W]` (channels for top, left, bottom, right), boxes `[N, K, 4]` (x1, y1, x2, y2). Output `[N, C, K, 4]`.
/// Samples more than a cell outside, or at places that are not finite, are 0; those that are NaN are passed by, and
/// of NaN alone the greatest is −∞.
package struct BorderAlign: Operator {
    package static let name = "BorderAlign"
    /// Steps along a border; samples are one more.
    package var poolSize: Int

    package init(poolSize: Int) { self.poolSize = poolSize }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input", rank: 4)
        let boxes = try inputs.required(1, "boxes", rank: 3)
        try x.expect(ElementType.reals)
        try boxes.expectSameElement(as: x)
        guard (1...4096).contains(poolSize) else {
            throw .attribute("pool_size", because: "is \(poolSize), expected 1 … 4096")
        }
        try boxes.expect(x.dimension(0), along: 0, because: "as input")
        try boxes.expect(4, along: 2, because: "the numbers of a box")
        if let channels = x.dimension(1).fixed, channels % 4 != 0 {
            throw .extent(
                of: "input", axis: 1, expected: "a multiple of 4", got: "\(channels)", because: "the borders")
        }
        let channels = x.dimension(1).fixed.map { Dimension.fixed($0 / 4) } ?? .unknown
        return [.tensor(TensorType(x.element, Shape([x.dimension(0), channels, boxes.dimension(1), 4])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.input(0).element == .float32 else {
            throw .unsupported("BorderAlign on \(try call.input(0).element)")
        }
        let (x, boxes) = (try call.extents(0), try call.extents(1)[1])
        let channels = x[1] / 4
        let tiling = Tiling(x[0] * channels * boxes * 4, cost: poolSize * 12)
        let pool = poolSize
        return .kernel(
            TileKernel(tiles: tiling.tiles) { (tile, frame) in
                for index in tiling[tile] {
                    let (side, box) = (index % 4, index / 4 % boxes)
                    let (channel, item) = (index / 4 / boxes % channels, index / 4 / boxes / channels)
                    let plane =
                        frame.input(0, as: Float.self) + (item * x[1] + side * channels + channel) * x[2]
                        * x[3]
                    let edge = frame.input(1, as: Float.self) + (item * boxes + box) * 4
                    let (stepX, stepY) = (
                        (edge[2] - edge[0]) / Float(pool), (edge[3] - edge[1]) / Float(pool)
                    )
                    var (h, v) = side < 2 ? (edge[0], edge[1]) : (edge[2], edge[3])
                    var best = -Float.infinity
                    for _ in 0...pool {
                        let sample = alignSample(plane, x[2], x[3], v, h)
                        if sample > best { best = sample }
                        switch side {
                        case 0: h += stepX
                        case 1: v += stepY
                        case 2: h -= stepX
                        default: v -= stepY
                        }
                    }
                    frame.output(0, as: Float.self)[index] = best
                }
            })
    }
}
