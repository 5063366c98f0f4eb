internal import DCNGraph
internal import DCNOperators

extension RotatedFeatureAlign: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let boxes = inputs[1] else { return nil }
        func number(_ index: Int, _ factor: Float) throws(DCNError) -> Term {
            try boxes.slice(3, from: index, to: index + 1) * Double(factor)
        }
        let (y, across) = (try number(0, scale), try number(1, scale))
        let (w, h, angle) = (try number(2, scale / 2), try number(3, scale / 2), try number(4, 1))
        let (sine, cosine) = (try angle.applying(Sin()), try angle.applying(Cos()))
        let corners = sketch.floats(points == 1 ? [0] : [0, 1, -1, -1, 1], [1, 1, 1, points])
        let sides = sketch.floats(points == 1 ? [0] : [0, 1, 1, -1, -1], [1, 1, 1, points])
        let table = try PixelTable(x)
        let image = try table.image(
            sketch.range(x.size(0)).cast(.float32).reshape([-1, 1, 1, 1]))
        let samples = try table.samples(
            y + corners * (sine * w) + sides * (cosine * h),
            across + corners * (cosine * w) - sides * (sine * h), image: image)
        let sum = try samples.values.reduced(.sum, [3]).transpose([0, 3, 1, 2])
        return [try x + sum]
    }
}

extension BorderAlign: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let boxes = inputs[1] else { return nil }
        let steps = sketch.floats((0...poolSize).map { Float($0) }, [1, 1, 1, poolSize + 1])
        func edge(_ index: Int) throws(DCNError) -> Term {
            try boxes.slice(2, from: index, to: index + 1).unsqueezed(3)
        }
        let (left, top, right, bottom) = (try edge(0), try edge(1), try edge(2), try edge(3))
        let across = try (right - left) / Double(poolSize) * steps
        let down = try (bottom - top) / Double(poolSize) * steps
        let still = try steps * 0
        // Sides: top, left, bottom, right.
        let columns = try Term.joined([left + across, left + still, right - across, right + still], axis: 2)
        let rows = try Term.joined([top + still, top + down, bottom + still, bottom - down], axis: 2)
        let table = try PixelTable(x, groups: 4, groupsFirst: true)
        let image = try table.image(sketch.range(x.size(0)).cast(.float32).reshape([-1, 1, 1, 1]))
        guard let sides = Tensor(extents: [1, 1, 4, 1], [0, 1, 2, 3] as [Int64]) else { return nil }
        let samples = try table.samples(rows, columns, image: image, group: sketch.constant(sides))
        return [try samples.values.reduced(.maximum, [3]).transpose([0, 3, 1, 2])]
    }
}
