internal import DCNGraph
internal import DCNOperators

extension DeformableAttention: Lowerable {
    /// A GridSample for each level, weighted and summed.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard inputs.count > 4, let value = inputs[0], let places = inputs[3], let weights = inputs[4] else {
            return nil
        }
        guard let shapes = inputs[1]?.constant?.integers, let starts = inputs[2]?.constant?.integers else {
            throw sketch.refusal("whose level shapes are computed by the model has no standard spelling")
        }
        guard let heads = value.extent(2), let depth = value.extent(3), let points = places.extent(4) else {
            throw sketch.refusal("needs known heads, channels and points to be written in standard operators")
        }
        // [N, Q, M, L, P, 2] to [N·M, Q, P, 2] for each level.
        let grid = try (places * 2 - 1).transpose([0, 2, 3, 1, 4, 5])
        let shares = try weights.transpose([0, 2, 3, 1, 4])
        let maps = try value.transpose([0, 2, 3, 1])
        var sum: Term?
        for (level, start) in starts.enumerated() {
            let (height, width) = (shapes[2 * level], shapes[2 * level + 1])
            let image = try maps.slice(3, from: start, to: start + height * width)
                .reshape([-1, depth, height, width])
            let queries = try places.length(1)
            func rows(_ last: [Int]) throws(DCNError) -> Term {
                try Term.joined([sketch.integers([-1]), queries, sketch.integers(last)], axis: 0)
            }
            let points = try grid.slice(2, from: level, to: level + 1).reshape(rows([points, 2]))
            let samples = try sketch.node(
                GridSample(.linear, outside: .zeros, alignsCorners: false), image, points)
            let share = try shares.slice(2, from: level, to: level + 1).reshape(rows([places.extent(4) ?? 1]))
            let part = try (samples * share.unsqueezed(1)).reduced(.sum, [3])
            sum = try sum.map { (sum) throws(DCNError) in try sum + part } ?? part
        }
        guard let sum else { return nil }
        let extents = try Term.joined(
            [sketch.integers([-1, heads * depth]), places.length(1)], axis: 0)
        return [try sum.reshape(extents).transpose([0, 2, 1])]
    }
}

extension Carafe: Lowerable {
    /// Shifted images, each times its weights.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let masks = inputs[1] else { return nil }
        guard let channels = x.extent(1), let height = x.extent(2), let width = x.extent(3) else {
            throw sketch.refusal("needs known channels and extents to be written in standard operators")
        }
        let reach = kernel / 2
        let wide = try x.padded([0, 0, reach, reach], [0, 0, kernel - 1 - reach, kernel - 1 - reach])
        let weights = try masks.reshape([0, groups, kernel * kernel, height, factor, width, factor])
        var sum: Term?
        for tap in 0..<kernel * kernel {
            let (row, column) = (tap / kernel, tap % kernel)
            let image = try wide.slice(2, from: row, to: row + height).slice(
                3, from: column, to: column + width
            )
            .reshape([0, groups, channels / groups, height, 1, width, 1])
            let part = try image * weights.slice(2, from: tap, to: tap + 1)
            sum = try sum.map { (sum) throws(DCNError) in try sum + part } ?? part
        }
        return try sum.map { (sum) throws(DCNError) in
            [try sum.reshape([0, channels, height * factor, width * factor])]
        }
    }
}

extension MaskedConv: Lowerable {
    /// A convolution whose result is kept where the mask is positive.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let mask = inputs[1], let weight = inputs[2] else { return nil }
        var conv = Conv()
        conv.window.strides = strides
        conv.window.pads = padding + padding
        let y = try sketch.nodes(conv, [x, weight, inputs.count > 3 ? inputs[3] : nil], outputs: 1)[0]
        return [try (mask .> 0).unsqueezed(1).choosing(y, or: 0)]
    }
}

extension DeformConv: Lowerable {
    /// Samples that are clamped to the image look where fading ones look after being moved into it; those outside are
    /// masked.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard border == .clamp, !jointMask, !maskSigmoid, packed == nil else { return nil }
        guard let x = inputs[0], let weights = inputs[1], let offset = inputs[2],
            let kernel = [weights.extent(2), weights.extent(3)] as? [Int],
            let image = [x.extent(2), x.extent(3)] as? [Int],
            let output = [offset.extent(2), offset.extent(3)] as? [Int],
            let window = try? window.resolved(kernel: kernel)
        else {
            throw sketch.refusal(
                "that clamps at the border needs known extents to be written in standard operators")
        }
        let taps = window.taps
        func ramp(_ axis: Int) -> Term {
            let start = -window.padding(axis, extent: image[axis]).begin
            let numbers = (0..<taps).flatMap { tap in
                let place = (axis == 0 ? tap / kernel[1] : tap % kernel[1]) * window.dilations[axis] + start
                return (0..<output[axis]).map { Float($0 * window.strides[axis] + place) }
            }
            return sketch.floats(
                numbers, [1, 1, taps, 1] + (axis == 0 ? [output[0], 1] : [1, output[1]]))
        }
        let shape = try offset.shape()
        let fields = try offset.reshape([0, offsetGroups, taps, 2] + output)
        var (moved, inside): ([Term], Term?) = ([], nil)
        for axis in 0..<2 {
            let base = ramp(axis)
            let place = try fields.slice(3, from: axis, to: axis + 1) + base
            let isIn = try (place .>= 0) .& (place .< Double(image[axis]))
            moved.append(try isIn.choosing(place, or: 0).atMost(Double(image[axis] - 1)) - base)
            inside = try inside.map { (other) throws(DCNError) in try other .& isIn } ?? isIn
        }
        guard let inside else { return nil }
        let counted = try inside.cast(.float32).reshape([0, offsetGroups * taps] + output)
        let mask =
            try inputs.count > 4 ? inputs[4].map { (mask) throws(DCNError) in try mask * counted } : nil
        var fading = self
        fading.border = .zero
        let operands = [
            x, weights, try Term.joined(moved, axis: 3).reshape(shape), inputs.count > 3 ? inputs[3] : nil,
            mask ?? counted,
        ]
        return [try sketch.nodes(fading, operands, outputs: 1)[0]]
    }
}

extension DotProductAttention: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let q = inputs[0], let k = inputs[1], let v = inputs[2] else { return nil }
        var scores = try q.product(k.transpose([0, 2, 1]))
        if inputs.count > 3, let mask = inputs[3] { scores = try scores + mask }
        let weights = try scores.applying(Softmax(.softmax, axis: -1))
        return outputs > 1 ? [try weights.product(v), weights] : [try weights.product(v)]
    }
}
