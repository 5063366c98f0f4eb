internal import DCNGraph
internal import DCNOperators

/// Recognises the deformable aggregation of DCNv3, written out with grid samples.
///
///     rearrange(reduceSum(gridSample(pad(x), position + scale · offset) · mask)) → aggregate(x, offset, mask)
///
/// Found and proved like a deformable convolution.
package struct RaiseAggregate: Raising {
    package static let name = "raise-aggregate"
    package init() {}

    func candidate(_ id: NodeID, in graph: Graph) -> Result<RaisedOperator, NotRaised>? {
        guard let sum = SampleSum(id, in: graph), let found = DecomposedAggregate(sum, in: graph) else {
            return nil
        }
        return found.raised().map { .success($0) } ?? .failure(NotRaised(step: .answers))
    }
}

/// A sum over the last axis, and the values that are its result rearranged.
struct SampleSum {
    /// What is summed, of rank 4: batch and groups, channels of a group, places, taps.
    let samples: ValueID
    /// Extents of the samples.
    let extents: [Int]
    /// The sum, and what follows from it by movement alone.
    let results: [ValueID]
    /// The sum.
    let node: Node

    /// The sum that a node makes; nil where it makes none.
    init?(_ id: NodeID, in graph: Graph) {
        node = graph[id]
        guard let op = node.op as? Reduce, op.reduction == .sum, let samples = node.inputs[0],
            let extents = graph.floatExtents(samples), extents.count == 4, extents.allSatisfy({ $0 > 0 }),
            node.inputs.count > 1,
            let axes = node.inputs[1].flatMap({ graph[$0].constant?.tensor?.integers }),
            axes == [3] || axes == [-1], var last = node.outputs[0]
        else { return nil }
        var results = [last]
        while graph[last].consumers.count == 1, !graph.isOutput(last),
            let reader = graph[last].consumers.first,
            graph[reader].op is Reshape || graph[reader].op is Transpose
                || graph[reader].op.name == "Squeeze",
            graph[reader].inputs[0] == last, let next = graph[reader].outputs[0]
        {
            results.append(next)
            last = next
        }
        self.samples = samples
        self.extents = extents
        self.results = results
    }
}

/// A deformable aggregation that was written out.
struct DecomposedAggregate {
    private let sum: SampleSum
    private let graph: Graph
    private let flow: SamplingFlow

    init?(_ sum: SampleSum, in graph: Graph) {
        guard let flow = SamplingFlow(into: [sum.samples], in: graph, places: graph.places),
            flow.gathers.count == 1
        else {
            return nil
        }
        self.sum = sum
        self.graph = graph
        self.flow = flow
    }

    /// The operator, if one is found and proved.
    func raised() -> RaisedOperator? {
        let taps = sum.extents[3]
        for offset in flow.positions {
            guard let fields = graph.floatExtents(offset), fields.count == 4,
                fields[1] * fields[2] == sum.extents[2],
                fields[3] % (2 * taps) == 0
            else { continue }
            let groups = fields[3] / (2 * taps)
            for mask in flow.masks(besides: offset) ?? []
            where graph.floatExtents(mask) == fields[0..<3] + [groups * taps] {
                let channels = groups * sum.extents[1]
                let image = flow.images.first {
                    graph.floatExtents($0)?.count == 4 && graph.floatExtents($0)?[3] == channels
                        && graph.floatExtents($0)?[0] == fields[0]
                }
                let root = sum.results.first { graph.floatExtents($0) == fields[0..<3] + [channels] }
                guard let image, let root, let extents = graph.floatExtents(image) else { continue }
                let parts = AggregateParts(
                    image: image, imageExtents: extents, offset: offset, fields: fields, mask: mask,
                    root: root, groups: groups)
                if let raised = raised(parts) { return raised }
            }
        }
        return nil
    }

    private func raised(_ parts: AggregateParts) -> RaisedOperator? {
        guard let samples = Subgraph(from: parts.inputs, to: [sum.samples], in: graph),
            let whole = Subgraph(from: parts.inputs, to: [parts.root], in: graph)
        else { return nil }
        let found = operators(parts, samples).first { op in
            (1...2).allSatisfy { agrees(op, parts, whole, seed: UInt64($0)) }
        }
        return found.map { op in
            RaisedOperator(
                op: op, root: parts.root, node: sum.node,
                operands: [.value(parts.image), .value(parts.offset), .value(parts.mask)])
        }
    }

    private func agrees(_ op: DeformAggregate, _ parts: AggregateParts, _ whole: Subgraph, seed: UInt64)
        -> Bool
    {
        var trial = Trial(seed: seed)
        guard let x = trial.tensor(parts.imageExtents),
            let offset = trial.offsets(parts.fields, image: Array(parts.imageExtents[1...2])),
            let mask = trial.tensor(parts.maskExtents),
            let expected = whole.evaluate([parts.image: x, parts.offset: offset, parts.mask: mask])?.first,
            let got = evaluated(op, [.tensor(x), .tensor(offset), .tensor(mask)])?.first
        else { return false }
        return Trial.agree(got, expected)
    }

    /// The kernels there could be, squares first, and whether their centre is left out.
    private var kernels: [(kernel: [Int], skipsCentre: Bool)] {
        let taps = sum.extents[3]
        func all(_ count: Int) -> [[Int]] {
            let pairs = (1...count).filter { count % $0 == 0 }.map { [$0, count / $0] }
            return pairs.filter { $0[0] == $0[1] } + pairs.filter { $0[0] != $0[1] }
        }
        guard (2..<4096).contains(taps) else { return [] }
        return all(taps).map { ($0, false) }
            + all(taps + 1).filter { $0.allSatisfy { $0 % 2 == 1 } }.map { ($0, true) }
    }

    /// The operators that would look where the samples were taken.
    private func operators(_ parts: AggregateParts, _ samples: Subgraph) -> [DeformAggregate] {
        guard let still = view(parts, samples, moved: 0), let moved = view(parts, samples, moved: 0.5) else {
            return []
        }
        return kernels.compactMap { op(parts, still, moved, $0.kernel, $0.skipsCentre) }
    }

    private func op(
        _ parts: AggregateParts, _ still: View, _ moved: View, _ kernel: [Int], _ skipsCentre: Bool
    ) -> DeformAggregate? {
        guard let grid = TapGrid(sightings(parts, still, kernel, skipsCentre)),
            let shifted = TapGrid(sightings(parts, moved, kernel, skipsCentre))
        else { return nil }
        let scale = 2 * (shifted.start[0] - grid.start[0])
        guard scale > 0.01, abs(scale - 2 * (shifted.start[1] - grid.start[1])) < 0.01 else { return nil }
        // Along an axis of one tap any spacing would do.
        let spacings = (0..<2).map { kernel[$0] == 1 ? 1 : grid.spacing[$0] / scale }
        guard let dilations = wholes(spacings), dilations.allSatisfy({ $0 >= 1 }) else { return nil }
        let centres = (0..<2).map { Double(dilations[$0] * (kernel[$0] - 1) / 2) }
        guard let start = wholes((0..<2).map { grid.start[$0] - (1 - scale) * centres[$0] }),
            let window = grid.window(
                kernel: kernel, dilations: dilations, start: start, image: Array(parts.imageExtents[1...2]),
                output: Array(parts.fields[1...2]))
        else { return nil }
        // Scales are written as short decimals: what was seen is rounded by the ramps.
        return DeformAggregate(
            window: window, groups: parts.groups, offsetScale: Float((scale * 256).rounded() / 256),
            skipsCentre: skipsCentre)
    }

    /// What the samples show of an image of ones, and of ramps along rows and columns.
    private struct View { let inside, rows, across: [Float] }

    private func view(_ parts: AggregateParts, _ samples: Subgraph, moved: Float) -> View? {
        var given: [ValueID: Tensor] = [:]
        given[parts.offset] = Trial.filled(parts.fields, moved)
        given[parts.mask] = Trial.filled(parts.maskExtents, 1)
        func seen(_ picture: Tensor?) -> [Float]? {
            given[parts.image] = picture
            return samples.evaluate(given)?.first?.elements(as: Float.self)
        }
        guard let inside = seen(Trial.filled(parts.imageExtents, 1)),
            let rows = seen(Trial.ramp(parts.imageExtents, along: 1)),
            let across = seen(Trial.ramp(parts.imageExtents, along: 2))
        else { return nil }
        return View(inside: inside, rows: rows, across: across)
    }

    /// Where each tap of the first channel looks: taps are counted by columns, then rows.
    private func sightings(
        _ parts: AggregateParts, _ view: View, _ kernel: [Int], _ skipsCentre: Bool
    ) -> [Sighting] {
        let (taps, width) = (sum.extents[3], parts.fields[2])
        let centre = kernel[1] / 2 * kernel[0] + kernel[0] / 2
        return (0..<sum.extents[2] * taps).compactMap { place in
            guard place < view.inside.count, abs(view.inside[place] - 1) < 1e-4 else { return nil }
            let (pixel, tap) = (place / taps, place % taps)
            let index = skipsCentre && tap >= centre ? tap + 1 : tap
            return Sighting(
                output: [pixel / width, pixel % width], tap: [index % kernel[0], index / kernel[0]],
                position: [Double(view.rows[place]), Double(view.across[place])])
        }
    }
}

/// What an aggregation that was written out works on.
struct AggregateParts {
    let image: ValueID
    let imageExtents: [Int]
    let offset: ValueID
    let fields: [Int]
    let mask: ValueID
    let root: ValueID
    let groups: Int

    var inputs: [ValueID] { [image, offset, mask] }
    var maskExtents: [Int] { fields[0..<3] + [fields[3] / 2] }
}
