package import DCNGraph
internal import DCNOperators

/// Writes a deformable aggregation as a depthwise deformable convolution with weights of one.
///
///     aggregate(x, offset, mask) → transpose(deformConv(transpose(x), 1, offset', mask')) {group = C, offset_group = G}
///
/// With a scale a, offset' = a·offset + (a − 1)·(tap − centre tap); taps go from columns first to rows first, pairs from
/// (x, y) to (y, x), and a centre that is left out comes back with mask 0.
package struct LowerAggregate: Rule {
    package static let name = "lower-aggregate"
    let x = Wire(), offset = Wire(), mask = Wire(), aggregate = Hole<DeformAggregate>()
    package init() {}

    package var pattern: Pattern { aggregate(x(), offset(), mask()) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let x = match[x], let offset = match[offset], let mask = match[mask],
            let (op, node) = match[aggregate],
            !op.isJoint, let type = graph[x].type.tensor, type.element == .float32,
            let channels = type.shape?[3].fixed
        else { return nil }
        var build = Build(graph: graph, node: node)
        var conv = DeformConv()
        conv.window = op.window
        conv.groups = channels
        conv.offsetGroups = op.groups
        let taps = op.window.taps
        guard
            let ones = Tensor(
                extents: [channels, 1] + op.window.kernel, [Float](repeating: 1, count: channels * taps))
        else { return nil }
        let result = try build.append(
            conv,
            [
                build.transpose(x, [0, 3, 1, 2]), build.constant(ones), offsets(op, offset, &build), nil,
                masks(op, mask, &build),
            ])
        let last = try build.append(
            Transpose(permutation: [0, 2, 3, 1]), [result], outputNames: names(of: node, graph))
        graph = build.graph
        return last
    }

    /// Positions of the kernel's taps, rows first, among the aggregation's; nil for a centre that is left out.
    private func order(_ op: DeformAggregate) -> [Int?] {
        let (height, width) = (op.window.kernel[0], op.window.kernel[1])
        let centre = width / 2 * height + height / 2
        return (0..<height * width).map { tap in
            let place = tap % width * height + tap / width
            guard op.skipsCentre, place >= centre else { return place }
            return place == centre ? nil : place - 1
        }
    }

    private func offsets(_ op: DeformAggregate, _ offset: ValueID, _ build: inout Build) throws(DCNError)
        -> ValueID
    {
        // A centre that is left out may read anybody's offsets: its mask is 0.
        let order = order(op).flatMap { [2 * ($0 ?? 0) + 1, 2 * ($0 ?? 0)] }
        var value = try arranged(offset, groups: op.groups, numbers: 2 * op.taps, order, &build)
        guard op.offsetScale != 1 else { return value }
        value = try build.append(Mul(), [value, build.constant(Tensor(scalar: op.offsetScale))])
        let shift = shifts(op)
        guard let tensor = Tensor(extents: [1, shift.count, 1, 1], shift) else { return value }
        return try build.append(Add(), [value, build.constant(tensor)])
    }

    private func shifts(_ op: DeformAggregate) -> [Float] {
        let window = op.window
        let ones = (0..<window.taps).flatMap { tap in
            [tap / window.kernel[1], tap % window.kernel[1]].enumerated().map { axis, place in
                let dilation = window.dilations[axis]
                return (op.offsetScale - 1)
                    * Float(place * dilation - dilation * (window.kernel[axis] - 1) / 2)
            }
        }
        return (0..<op.groups).flatMap { _ in ones }
    }

    private func masks(_ op: DeformAggregate, _ mask: ValueID, _ build: inout Build) throws(DCNError)
        -> ValueID
    {
        let order = order(op)
        let value = try arranged(mask, groups: op.groups, numbers: op.taps, order.map { $0 ?? 0 }, &build)
        guard op.skipsCentre else { return value }
        let kept = (0..<op.groups).flatMap { _ in order.map { Float($0 == nil ? 0 : 1) } }
        guard let tensor = Tensor(extents: [1, kept.count, 1, 1], kept) else { return value }
        return try build.append(Mul(), [value, build.constant(tensor)])
    }

    /// [N, OH, OW, G·K] to [N, G·order, OH, OW].
    private func arranged(
        _ field: ValueID, groups: Int, numbers: Int, _ order: [Int], _ build: inout Build
    ) throws(DCNError) -> ValueID {
        let all = (0..<groups).flatMap { group in order.map { group * numbers + $0 } }
        return try build.gather(build.transpose(field, [0, 3, 1, 2]), all, axis: 1)
    }
}
