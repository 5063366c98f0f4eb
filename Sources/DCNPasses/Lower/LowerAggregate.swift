internal import DCNGraph
internal import DCNOperators

/// Writes a deformable aggregation as a depthwise deformable convolution with weights of one.
///
///     aggregate(x, offset, mask) → transpose(deformConv(transpose(x), 1, offset', mask')) {group = C, offset_group = G}
///
/// With a scale a, offset' = a·offset + (a − 1)·(tap − centre tap); taps go from columns first to rows first, pairs from
/// (x, y) to (y, x), and a centre that is left out comes back with mask 0.
extension DeformAggregate: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard !isJoint, inputs.count > 2, let x = inputs[0], let offset = inputs[1], let mask = inputs[2]
        else {
            throw sketch.refusal("of joint fields has no standard spelling")
        }
        guard x.element == .float32, let channels = x.extent(3) else {
            throw sketch.refusal("needs known float32 channels to be written in standard operators")
        }
        var conv = DeformConv()
        conv.window = window
        conv.groups = channels
        conv.offsetGroups = groups
        let ones = sketch.floats(
            [Float](repeating: 1, count: channels * window.taps), [channels, 1] + window.kernel)
        let operands = [
            try x.transpose([0, 3, 1, 2]), ones, try offsets(offset), nil, try masks(mask),
        ]
        return [try sketch.nodes(conv, operands, outputs: 1)[0].transpose([0, 2, 3, 1])]
    }

    /// Positions of the kernel's taps, rows first, among the aggregation's; nil for a centre that is left out.
    private var order: [Int?] {
        let (height, width) = (window.kernel[0], window.kernel[1])
        let centre = width / 2 * height + height / 2
        return (0..<height * width).map { tap in
            let place = tap % width * height + tap / width
            guard skipsCentre, place >= centre else { return place }
            return place == centre ? nil : place - 1
        }
    }

    private func offsets(_ offset: Term) throws(DCNError) -> Term {
        // A centre that is left out may read anybody's offsets: its mask is 0.
        let order = order.flatMap { [2 * ($0 ?? 0) + 1, 2 * ($0 ?? 0)] }
        let value = try arranged(offset, numbers: 2 * taps, order)
        guard offsetScale != 1 else { return value }
        let shifts = self.shifts
        return try value * Double(offsetScale) + value.sketch.floats(shifts, [1, shifts.count, 1, 1])
    }

    private var shifts: [Float] {
        let ones = (0..<window.taps).flatMap { tap in
            [tap / window.kernel[1], tap % window.kernel[1]].enumerated().map { axis, place in
                let dilation = window.dilations[axis]
                return (offsetScale - 1) * Float(place * dilation - dilation * (window.kernel[axis] - 1) / 2)
            }
        }
        return (0..<groups).flatMap { _ in ones }
    }

    private func masks(_ mask: Term) throws(DCNError) -> Term {
        let order = order
        let value = try arranged(mask, numbers: taps, order.map { $0 ?? 0 })
        guard skipsCentre else { return value }
        let kept = (0..<groups).flatMap { _ in order.map { Float($0 == nil ? 0 : 1) } }
        return try value * value.sketch.floats(kept, [1, kept.count, 1, 1])
    }

    /// [N, OH, OW, G·K] to [N, G·order, OH, OW].
    private func arranged(_ field: Term, numbers: Int, _ order: [Int]) throws(DCNError) -> Term {
        let all = (0..<groups).flatMap { group in order.map { group * numbers + $0 } }
        return try field.transpose([0, 3, 1, 2]).gather(field.sketch.integers(all), axis: 1)
    }
}
