package import DCNGraph

/// Weighted sums of samples from the levels of a pyramid (multi-scale deformable attention).
///
///     y[n, q, m] = Σ over l, p of weight[n, q, m, l, p] · value of level l at (x · Wₗ − ½, y · Hₗ − ½)
///
/// Inputs: value `[N, S, M, D]`, spatial shapes `[L, 2]` (h, w), level starts `[L]`, both int64 or int32, locations `[N, Q, M, L, P, 2]` (x, y in
/// 0 … 1), weights `[N, Q, M, L, P]`. Output `[N, Q, M · D]`. Samples are bilinear; outside is zero, also where not finite.
package struct DeformableAttention: Operator {
    package static let name = "DeformableAttention"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let value = try inputs.required(0, "value", rank: 4)
        try value.expect(ElementType.reals)
        let shapes = try inputs.required(1, "spatial_shapes", rank: 2)
        let starts = try inputs.required(2, "level_start_index", rank: 1)
        let places = try inputs.required(3, "sampling_locations", rank: 6)
        let weights = try inputs.required(4, "attention_weights", rank: 5)
        for operand in [shapes, starts] { try operand.expect([.int64, .int32]) }
        try starts.expectSameElement(as: shapes)
        for operand in [places, weights] { try operand.expectSameElement(as: value) }
        try shapes.expect(2, along: 1, because: "height and width")
        try starts.expect(shapes.dimension(0), along: 0, because: "one for each level")
        try places.expect(2, along: 5, because: "x and y")
        try places.expect(value.dimension(0), along: 0, because: "as value")
        try places.expect(value.dimension(2), along: 2, because: "as value has heads")
        try places.expect(shapes.dimension(0), along: 3, because: "one for each level")
        for axis in 0..<5 { try weights.expect(places.dimension(axis), along: axis, because: "as locations") }
        var channels = Dimension.unknown
        if let heads = value.dimension(2).fixed, let depth = value.dimension(3).fixed {
            channels = .fixed(heads &* depth)
        }
        return [
            .tensor(TensorType(value.element, Shape([value.dimension(0), places.dimension(1), channels])))
        ]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let plan = AttentionPlan(
            value: try call.extents(0), places: try call.extents(3),
            isNarrow: try call.input(1).element == .int32)
        switch try call.input(0).element {
        case .float32: return .kernel(plan.kernel(Float.self))
        case .float64: return .kernel(plan.kernel(Double.self))
        case let element: throw .unsupported("DeformableAttention on \(element)")
        }
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        guard inputs.count > 4, let weights = inputs[4]?.tensor?.elementCount,
            let depth = inputs[0]?.tensor?.extents?.last
        else { return 0 }
        return weights &* depth &* 4
    }
}

private struct AttentionPlan: Sendable {
    let value, places: [Int]
    /// Whether shapes and starts are int32.
    let isNarrow: Bool

    private func number(_ frame: Frame, _ operand: Int, _ index: Int) -> Int64 {
        isNarrow
            ? Int64(frame.input(operand, as: Int32.self)[index]) : frame.input(operand, as: Int64.self)[index]
    }

    var heads: Int { value[2] }
    var depth: Int { value[3] }

    func kernel<T: BinaryFloatingPoint & SIMDScalar & Sendable>(_ type: T.Type) -> TileKernel {
        let rows = places[0] * places[1] * heads
        let tiling = Tiling(rows, cost: places[3] * places[4] * (depth * 4 + 16))
        let plan = self
        return TileKernel(tiles: tiling.tiles, check: { plan.misfit($0) }) { (tile, frame) in
            for row in tiling[tile] { plan.run(row, frame, type) }
        }
    }

    /// Levels have to lie within the rows of value.
    private func misfit(_ frame: Frame) -> Misfit? {
        for level in 0..<places[3] {
            let (height, start) = (number(frame, 1, 2 * level), number(frame, 2, level))
            let (count, overflow) = height.multipliedReportingOverflow(by: number(frame, 1, 2 * level + 1))
            let isInside =
                !overflow && height >= 0 && count >= 0 && start >= 0
                && start <= Int64(value[1]) && count <= Int64(value[1]) - start
            if !isInside {
                return .value(
                    of: "spatial_shapes",
                    because: "has a level that is not within the \(value[1]) rows of value")
            }
        }
        return nil
    }

    private func run<T: BinaryFloatingPoint>(_ row: Int, _ frame: Frame, _ type: T.Type) {
        let y = frame.output(0, as: T.self) + row * depth
        y.update(repeating: 0, count: depth)
        let item = row / (places[1] * heads)
        let head = row % heads
        for level in 0..<places[3] {
            let (height, width) = (Int(number(frame, 1, 2 * level)), Int(number(frame, 1, 2 * level + 1)))
            let map =
                frame.input(0, as: T.self) + ((item * value[1] + Int(number(frame, 2, level))) * heads + head)
                * depth
            for point in 0..<places[4] {
                let index = (row * places[3] + level) * places[4] + point
                let place = frame.input(3, as: T.self) + 2 * index
                let weight = frame.input(4, as: T.self)[index]
                let (h, v) = (place[0] * T(width) - 0.5, place[1] * T(height) - 0.5)
                add(map, height, width, v, h, weight, y)
            }
        }
    }

    private func add<T: BinaryFloatingPoint>(
        _ map: UnsafePointer<T>, _ height: Int, _ width: Int, _ v: T, _ h: T, _ weight: T,
        _ y: UnsafeMutablePointer<T>
    ) {
        guard v > -1, v < T(height), h > -1, h < T(width) else { return }
        let (top, left) = (v.rounded(.down), h.rounded(.down))
        let (below, right) = (v - top, h - left)
        let (row, column) = (Int(top), Int(left))
        for corner in 0..<4 {
            let (i, j) = (row + corner / 2, column + corner % 2)
            guard i >= 0, i < height, j >= 0, j < width else { continue }
            let share = (corner / 2 == 0 ? 1 - below : below) * (corner % 2 == 0 ? 1 - right : right) * weight
            let source = map + (i * width + j) * heads * depth
            for channel in 0..<depth { y[channel] += share * source[channel] }
        }
    }
}
