internal import DCNGraph

/// What files' spellings of prior boxes mean.
enum PriorSpellings {
    /// OpenVINO's: from the map's and the image's extents.
    static func openvino(_ node: SourceNode) throws(Misfit) -> Meaning {
        var shapes = try CellShapes(node)
        shapes.ratios = try ratios(node)
        let scalesAll = try node.bool("scale_all_sizes", default: true)
        let maximumFirst = try node.bool("min_max_aspect_ratios_order", default: true)
        let fixed = try shapes.fixedBoxes(node)
        shapes.appendSizes(scalesAll: scalesAll, maximumFirst: maximumFirst)
        var op = PriorBox(fixed + shapes.boxes, variances: try variances(node))
        op.shares = fixed.map { _ in 0 } + (scalesAll ? shapes.boxes.map { _ in 0 } : shapes.shares)
        op.clips = try node.bool("clip", default: false)
        op.clipsFarSides = !fixed.isEmpty
        if !fixed.isEmpty, !shapes.boxes.isEmpty {
            throw .unsupported("PriorBox with both fixed_size and min_size")
        }
        let (step, offset) = (try node.float("step", default: 0), try node.float("offset", default: 0))
        if step != 0 {
            op.offset = offset
            op.stepX = scalesAll ? .given(step) : step == -1 ? .spreadHeight : .share(step)
            op.stepY = op.stepX
        } else if !scalesAll {
            op.offset = 0.5
        }
        return Meaning(op)
    }

    static func clustered(_ node: SourceNode) throws(Misfit) -> Meaning {
        guard let widths = try node.optionalFloats("width") else { throw .missing("attribute width") }
        guard let heights = try node.optionalFloats("height") else { throw .missing("attribute height") }
        guard widths.count == heights.count else {
            throw .attribute("height", because: "has \(heights.count) numbers, expected \(widths.count)")
        }
        var op = PriorBox(zip(widths, heights).map { [0, 0, $0, $1] }, variances: try variances(node))
        op.offset = try node.float("offset", default: 0)
        op.clips = try node.bool("clip", default: false)
        let across = try node.float("step_w", default: 0)
        let down = try node.float("step_h", default: 0)
        if across != 0 || down != 0 { (op.stepX, op.stepY) = (.given(across), .given(down)) }
        return Meaning(op)
    }

    /// mmdeploy's: what ncnn's layer does with these attributes and its own defaults.
    static func ncnn(_ node: SourceNode) throws(Misfit) -> Meaning {
        var shapes = try CellShapes(node)
        let given = try node.optionalFloats("aspect_ratios") ?? []
        shapes.ratios = given.flatMap { [$0, 1 / $0] }
        shapes.minimums = try node.optionalFloats("min_sizes") ?? []
        shapes.maximums = try node.optionalFloats("max_sizes") ?? []
        guard shapes.maximums.isEmpty || shapes.maximums.count == shapes.minimums.count else {
            throw .attribute(
                "max_sizes", because: "has \(shapes.maximums.count) numbers, expected as min_sizes")
        }
        shapes.appendSizes(scalesAll: true, maximumFirst: true)
        var op = PriorBox(shapes.boxes, variances: [0.1, 0.1, 0.2, 0.2])
        op.image = [try node.int("image_width"), try node.int("image_height")]
        guard op.image?.allSatisfy({ $0 > 0 }) == true else {
            throw .attribute("image_width", because: "and image_height have to be positive")
        }
        let roundsUp = try node.bool("step_mmdetection", default: false)
        func step(_ name: String) throws(Misfit) -> PriorBox.Step {
            let length = try node.float(name, default: -233)
            return length == -233 ? .spread(roundsUp: roundsUp) : .given(length)
        }
        (op.stepX, op.stepY) = (try step("step_width"), try step("step_height"))
        op.offset = try node.float("offset", default: 0)
        op.isFlat = true
        return Meaning(op, order: [0])
    }

    private static func variances(_ node: SourceNode) throws(Misfit) -> [Float] {
        let given = try node.optionalFloats("variance") ?? []
        return given.count > 1 ? given : [Float](repeating: given.first ?? 0.1, count: 4)
    }

    /// Ratios but 1, each once, flipped ones behind theirs.
    private static func ratios(_ node: SourceNode) throws(Misfit) -> [Float] {
        let flips = try node.bool("flip", default: false)
        var all: [Float] = [1]
        for ratio in try node.optionalFloats("aspect_ratio") ?? []
        where !all.contains(where: { abs($0 - ratio) < 1e-6 }) {
            all += flips ? [ratio, 1 / ratio] : [ratio]
        }
        return all.filter { abs($0 - 1) >= 1e-6 }
    }
}

/// The boxes of one cell, as sizes and ratios of widths to heights say them.
private struct CellShapes {
    var minimums, maximums: [Float]
    var ratios: [Float] = []
    var boxes: [[Float]] = []
    /// What part of each box's size is a share of the image's height, where sizes are shares.
    var shares: [Float] = []

    init(_ node: SourceNode) throws(Misfit) {
        minimums = try node.optionalFloats("min_size") ?? []
        maximums = try node.optionalFloats("max_size") ?? []
    }

    private mutating func append(_ width: Float, _ height: Float, share: Float) {
        boxes.append([0, 0, width, height])
        shares.append(share)
    }

    /// Of each least size a square, one between it and the greatest, and one of each ratio.
    mutating func appendSizes(scalesAll: Bool, maximumFirst: Bool) {
        for (index, size) in minimums.enumerated() {
            append(size, size, share: 1)
            if maximumFirst { appendMaximum(index) }
            if scalesAll || index == minimums.count - 1 {
                for ratio in ratios {
                    let (own, root) = (scalesAll ? size : minimums[0], ratio.squareRoot())
                    append(own * root, own / root, share: 1)
                }
            }
            if !maximumFirst { appendMaximum(index) }
        }
    }

    private mutating func appendMaximum(_ index: Int) {
        guard index < maximums.count else { return }
        let side = (minimums[index] * maximums[index]).squareRoot()
        append(side, side, share: 0.5)
    }

    /// Boxes of sizes that are spread over a cell `density` times each way.
    func fixedBoxes(_ node: SourceNode) throws(Misfit) -> [[Float]] {
        let sizes = try node.optionalFloats("fixed_size") ?? []
        let (fixed, density) = (
            try node.optionalFloats("fixed_ratio") ?? [], try node.optionalFloats("density") ?? []
        )
        guard sizes.isEmpty || density.count >= sizes.count,
            density.allSatisfy({ $0 >= 1 && $0 <= 64 })
        else { throw .attribute("density", because: "has to be 1 … 64 for each fixed_size") }
        return zip(sizes, density).flatMap { size, density in
            let (count, whole) = (Int(density), size.rounded(.down))
            let shift = (size / density.rounded(.down)).rounded(.down)
            let first = -(whole / 2).rounded(.down) + shift / 2
            return (fixed.isEmpty ? [1] + ratios : fixed).flatMap { ratio in
                (0..<count * count).map { place in
                    let root = ratio.squareRoot()
                    return [
                        first + Float(place % count) * shift, first + Float(place / count) * shift,
                        size * root,
                        size / root,
                    ]
                }
            }
        }
    }
}
