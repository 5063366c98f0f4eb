package import DCNGraph

/// Prior boxes of each cell of a map, in shares of the image, and their variances (SSD's PriorBox, in OpenVINO's and ncnn's form).
///
///     centre ((offset + j)·step, (offset + i)·step) + shift           box centre ∓ size / 2, divided by the image's extents
///
/// Inputs: the map `[…, H, W]` and, where the image is not given, the image `[…, height, width]`; only their extents are read. Output, float32
/// `[1, 2, H·W·K·4]` (flat: `[2, H·W·K·4]`): boxes, then variances. A map without cells has none.
package struct PriorBox: Operator {
    package static let name = "PriorBox"
    /// How far cells of the map are apart in the image.
    package enum Step: Sendable, Hashable, Codable {
        /// The image's extent by the map's; rounded up or not.
        case spread(roundsUp: Bool)
        /// The image's height by the map's, whatever the axis.
        case spreadHeight
        /// A number.
        case given(Float)
        /// A share of the image's height.
        case share(Float)
    }
    /// How far cells are apart, across and down.
    package var stepX = Step.spread(roundsUp: false), stepY = Step.spread(roundsUp: false)
    /// Where in a cell its boxes lie, in steps.
    package var offset: Float = 0.5
    /// Boxes of a cell: shift x and y, width and height.
    package var boxes: [[Float]]
    /// Of each box, how much of its size is a share of the image's height: 0 none, ½ the geometric mean with cells, 1 all.
    package var shares: [Float]
    /// Variances of a box.
    package var variances: [Float]
    /// Whether boxes are cut to 0 … 1: all, or each on its far sides only.
    package var clips = false, clipsFarSides = false
    /// The image's extents, width first; nil: those of the second input.
    package var image: [Int]?
    /// Whether the output has no first axis.
    package var isFlat = false

    package init(_ boxes: [[Float]], variances: [Float] = [0.1, 0.1, 0.1, 0.1]) {
        self.boxes = boxes
        self.variances = variances
        shares = boxes.map { _ in 0 }
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let map = try inputs.required(0, "output_size")
        guard variances.count == 4 else {
            throw .attribute("variance", because: "has \(variances.count) numbers, expected 1 or 4")
        }
        guard boxes.count <= 1 << 12, boxes.allSatisfy({ $0.count == 4 }), shares.count == boxes.count else {
            throw .attribute("min_size", because: "gives \(boxes.count) boxes, expected at most \(1 << 12)")
        }
        if image == nil { try expectPlane(try inputs.required(1, "image_size")) }
        try expectPlane(map)
        var count = Dimension.unknown
        if let rank = map.rank, let height = map.dimension(rank - 2).fixed,
            let width = map.dimension(rank - 1).fixed
        {
            count = .fixed(height &* width &* boxes.count &* 4)
        }
        return [.tensor(TensorType(.float32, isFlat ? Shape([2, count]) : Shape([1, 2, count])))]
    }

    private func expectPlane(_ operand: Operand) throws(Misfit) {
        guard let rank = operand.rank, rank < 2 else { return }
        throw .rank(of: operand.name, expected: "2 or more", got: rank)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        let map = try call.extents(0)
        let (height, width) = (map[map.count - 2], map[map.count - 1])
        var extents = image ?? []
        if image == nil {
            let own = try call.extents(1)
            extents = [own[own.count - 1], own[own.count - 2]]
        }
        let room = SIMD2(Float(extents[0]), Float(extents[1]))
        let (op, count) = (self, boxes.count)
        let tiling = Tiling(height * width, cost: 4 * count)
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                let y = frame.output(0, as: Float.self)
                for place in tiling[tile].lowerBound * count..<tiling[tile].upperBound * count {
                    let box = op.box(place, height: height, width: width, room)
                    for side in 0..<4 {
                        y[place * 4 + side] = box[side]
                        y[(height * width * count + place) * 4 + side] = op.variances[side]
                    }
                }
            })
    }

    /// The output for a map and an image (width first).
    package func table(height: Int, width: Int, image: [Int]) -> [Float] {
        let room = SIMD2(Float(image[0]), Float(image[1]))
        let places = 0..<height * width * boxes.count
        return places.flatMap { place in
            let box = box(place, height: height, width: width, room)
            return (0..<4).map { box[$0] }
        } + places.flatMap { _ in variances }
    }

    private func length(_ step: Step, _ spread: SIMD2<Float>, _ axis: Int, _ room: SIMD2<Float>) -> Float {
        switch step {
        case .spread(let roundsUp): roundsUp ? spread[axis].rounded(.up) : spread[axis]
        case .spreadHeight: spread[1]
        case .given(let length): length
        case .share(let share): share * room[1]
        }
    }

    private func box(_ place: Int, height: Int, width: Int, _ room: SIMD2<Float>) -> SIMD4<Float> {
        let (cell, number) = (place / boxes.count, place % boxes.count)
        let spread = room / SIMD2(Float(width), Float(height))
        let step = SIMD2(length(stepX, spread, 0, room), length(stepY, spread, 1, room))
        let centre = (SIMD2(Float(cell % width), Float(cell / width)) + offset) * step
        let given = boxes[number]
        let scale = Float(Elementary.pow(Double(room[1]), Double(shares[number])))
        let (middle, half) = (centre + SIMD2(given[0], given[1]), SIMD2(given[2], given[3]) * scale / 2)
        let box = SIMD4(lowHalf: (middle - half) / room, highHalf: (middle + half) / room)
        if clips { return box.cut(SIMD2(repeating: 1)) }
        guard clipsFarSides else { return box }
        return SIMD4(
            lowHalf: pointwiseMax(box.lowHalf, .zero), highHalf: pointwiseMin(box.highHalf, SIMD2(1, 1)))
    }
}
