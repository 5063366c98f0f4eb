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

/// A bilinear sample that is 0 from one cell outside on, else the nearest within (the rule of RoiAlign).
func alignSample(_ plane: UnsafePointer<Float>, _ height: Int, _ width: Int, _ y: Float, _ x: Float) -> Float
{
    guard y >= -1, y <= Float(height), x >= -1, x <= Float(width), height > 0, width > 0 else { return 0 }
    let (v, h) = (max(y, 0), max(x, 0))
    var (top, left) = (Int(v), Int(h))
    var (below, right) = (v - Float(top), h - Float(left))
    var (bottom, far) = (top + 1, left + 1)
    if top >= height - 1 { (top, bottom, below) = (height - 1, height - 1, 0) }
    if left >= width - 1 { (left, far, right) = (width - 1, width - 1, 0) }
    let upper = (1 - right) * plane[top * width + left] + right * plane[top * width + far]
    let lower = (1 - right) * plane[bottom * width + left] + right * plane[bottom * width + far]
    return (1 - below) * upper + below * lower
}

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

/// Upsampling by weights of its own for each output cell (CARAFE).
///
///     y[n, c, i, j] = Σ over u, v of x[n, c, i/r + u − k/2, j/r + v − k/2] · mask[n, (g(c)·k + u)·k + v, i, j]
///
/// Inputs: X `[N, C, H, W]`, masks `[N, k·k·groups, r·H, r·W]`. Outside is zero. Within, NaN and infinities follow
/// IEEE 754: 0 · ∞ is NaN.
package struct Carafe: Operator {
    package static let name = "Carafe"
    /// The window's extent.
    package var kernel: Int
    /// How many groups of channels have masks of their own.
    package var groups: Int
    /// By how much height and width grow.
    package var factor: Int

    package init(kernel: Int, groups: Int, factor: Int) {
        self.kernel = kernel
        self.groups = groups
        self.factor = factor
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "features", rank: 4)
        let masks = try inputs.required(1, "masks", rank: 4)
        try x.expect(ElementType.reals)
        try masks.expectSameElement(as: x)
        guard (1...255).contains(kernel) else {
            throw .attribute("kernel_size", because: "is \(kernel), expected 1 … 255")
        }
        guard (1...(1 << 20)).contains(groups), x.dimension(1).fixed.map({ $0 % groups == 0 }) ?? true else {
            throw .attribute("group_size", because: "is \(groups), expected a divisor of the channels")
        }
        guard (1...64).contains(factor) else {
            throw .attribute("scale_factor", because: "is \(factor), expected 1 … 64")
        }
        try masks.expect(kernel * kernel * groups, along: 1, because: "kernel_size² × group_size")
        try masks.expect(x.dimension(0), along: 0, because: "as features")
        for axis in 2...3 {
            if let extent = x.dimension(axis).fixed {
                try masks.expect(extent &* factor, along: axis, because: "scale_factor")
            }
        }
        let shape = Shape([x.dimension(0), x.dimension(1), masks.dimension(2), masks.dimension(3)])
        return [.tensor(TensorType(x.element, shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.input(0).element == .float32 else {
            throw .unsupported("CARAFE on \(try call.input(0).element)")
        }
        let x = try call.extents(0)
        let (height, width) = (x[2] * factor, x[3] * factor)
        let tiling = Tiling(x[0] * x[1] * height, cost: width * kernel * kernel)
        let op = self
        return .kernel(
            TileKernel(tiles: tiling.tiles) { (tile, frame) in
                for line in tiling[tile] {
                    let (plane, i) = (line / height, line % height)
                    let group = plane % x[1] / (x[1] / op.groups)
                    let masks =
                        frame.input(1, as: Float.self)
                        + ((plane / x[1] * op.groups + group) * op.kernel * op.kernel * height + i) * width
                    let source = frame.input(0, as: Float.self) + plane * x[2] * x[3]
                    for j in 0..<width {
                        frame.output(0, as: Float.self)[line * width + j] = op.sum(
                            source, x[2], x[3], masks + j, height * width, i / op.factor, j / op.factor)
                    }
                }
            })
    }

    private func sum(
        _ plane: UnsafePointer<Float>, _ height: Int, _ width: Int, _ mask: UnsafePointer<Float>, _ step: Int,
        _ i: Int, _ j: Int
    ) -> Float {
        var sum: Float = 0
        for u in 0..<kernel {
            let row = i + u - kernel / 2
            guard row >= 0, row < height else { continue }
            for v in 0..<kernel {
                let column = j + v - kernel / 2
                guard column >= 0, column < width else { continue }
                sum += plane[row * width + column] * mask[(u * kernel + v) * step]
            }
        }
        return sum
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        (outputs.first??.tensor?.elementCount ?? 0) &* kernel &* kernel
    }
}
