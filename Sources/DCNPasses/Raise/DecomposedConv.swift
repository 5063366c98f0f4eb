internal import DCNGraph
internal import DCNOperators

/// A deformable convolution that was written out, as far as it is understood before anything is computed.
struct DecomposedConv {
    private let product: ColumnProduct
    private let graph: Graph
    private let flow: SamplingFlow
    private let image: ValueID
    private let imageExtents: [Int]
    private let output: [Int]

    /// The flow of samples into a product; nil where it is none.
    init?(_ product: ColumnProduct, in graph: Graph) {
        guard let flow = SamplingFlow(into: product.columns, in: graph, places: graph.places),
            let output = graph.floatExtents(product.root), output.count == 4, output.allSatisfy({ $0 > 0 })
        else { return nil }
        let inner = product.weights.extents.last ?? 0
        let channels = product.kernel == nil ? nil : product.weights.extents[1] * product.groups
        let image = flow.images.first { value in
            guard let extents = graph.floatExtents(value), extents.count == 4, extents[0] == output[0] else {
                return false
            }
            return extents[1] > 0 && (channels == nil ? inner % extents[1] == 0 : extents[1] == channels)
        }
        guard let image, let extents = graph.floatExtents(image), extents.allSatisfy({ $0 > 0 }) else {
            return nil
        }
        self.product = product
        self.graph = graph
        self.flow = flow
        self.image = image
        imageExtents = extents
        self.output = output
    }

    /// The operator, if one is found and proved.
    func raised() -> RaisedOperator? {
        for offset in flow.positions {
            guard let extents = graph.floatExtents(offset), extents.count == 4, extents[0] == output[0],
                extents[1] % 2 == 0, extents[2...] == output[2...]
            else { continue }
            guard let masks = flow.masks(besides: offset) else {
                if let raised = raised(offset, extents, nil) { return raised }
                continue
            }
            for mask in masks where graph.floatExtents(mask) == [extents[0], extents[1] / 2] + extents[2...] {
                if let raised = raised(offset, extents, mask) { return raised }
            }
        }
        return nil
    }

    private func raised(_ offset: ValueID, _ extents: [Int], _ mask: ValueID?) -> RaisedOperator? {
        let inputs = [image, offset] + (mask.map { [$0] } ?? [])
        guard let columns = Subgraph(from: inputs, to: [product.columns], in: graph),
            let whole = Subgraph(from: inputs, to: [product.root], in: graph)
        else { return nil }
        for kernel in kernels {
            let taps = kernel[0] * kernel[1]
            guard extents[1] % (2 * taps) == 0, let window = window(columns, offset, extents, mask, kernel)
            else { continue }
            var op = DeformConv()
            op.window = window
            op.groups = product.groups
            op.offsetGroups = extents[1] / (2 * taps)
            if let proved = proved(op, whole, offset, extents, mask) { return proved }
        }
        return nil
    }

    /// The kernels there could be.
    private var kernels: [[Int]] {
        if let kernel = product.kernel { return [kernel] }
        let taps = (product.weights.extents.last ?? 0) / imageExtents[1]
        guard taps > 1, taps < 1 << 12 else { return [] }
        let side = (1...taps).first { $0 * $0 >= taps } ?? 1
        return (side * side == taps ? [[side, side]] : []) + [[1, taps], [taps, 1]]
    }

    /// Where the taps look when nothing is deformed, seen in ramps: the window that looks there.
    private func window(
        _ columns: Subgraph, _ offset: ValueID, _ extents: [Int], _ mask: ValueID?, _ kernel: [Int]
    ) -> Window? {
        var given: [ValueID: Tensor] = [:]
        given[offset] = Trial.filled(extents, 0)
        if let mask { given[mask] = Trial.filled([extents[0], extents[1] / 2] + extents[2...], 1) }
        func seen(_ picture: Tensor?) -> [Float]? {
            given[image] = picture
            return columns.evaluate(given)?.first?.elements(as: Float.self)
        }
        guard let inside = seen(Trial.filled(imageExtents, 1)),
            let rows = seen(Trial.ramp(imageExtents, along: 2)),
            let across = seen(Trial.ramp(imageExtents, along: 3))
        else { return nil }
        var sightings: [Sighting] = []
        for oy in 0..<output[2] {
            for ox in 0..<output[3] {
                for tap in 0..<kernel[0] * kernel[1] {
                    let place = self.place(oy, ox, tap, kernel)
                    guard place < inside.count else { return nil }
                    guard abs(inside[place] - 1) < 1e-4 else { continue }
                    sightings.append(
                        Sighting(
                            output: [oy, ox], tap: [tap / kernel[1], tap % kernel[1]],
                            position: [Double(rows[place]), Double(across[place])]))
                }
            }
        }
        guard let grid = TapGrid(sightings), let start = wholes(grid.start),
            let dilations = wholes(grid.spacing),
            dilations.allSatisfy({ $0 >= 1 })
        else { return nil }
        return grid.window(
            kernel: kernel, dilations: dilations, start: start, image: Array(imageExtents[2...]),
            output: Array(output[2...]))
    }

    /// Where the first channel's sample for a tap stands among the columns.
    private func place(_ oy: Int, _ ox: Int, _ tap: Int, _ kernel: [Int]) -> Int {
        if product.kernel == nil { return tap * output[2] * output[3] + oy * output[3] + ox }
        let width = output[3] * kernel[1]
        return (oy * kernel[0] + tap / kernel[1]) * width + ox * kernel[1] + tap % kernel[1]
    }

    // MARK: proof

    private func proved(
        _ op: DeformConv, _ whole: Subgraph, _ offset: ValueID, _ extents: [Int], _ mask: ValueID?
    ) -> RaisedOperator? {
        let channels = imageExtents[1] / op.groups
        guard
            let weights = product.weights.reshaped(to: [output[1], channels] + op.window.kernel),
            let trials = trials(whole, offset, extents, mask)
        else { return nil }
        for arrangement in OffsetArrangement.allCases {
            let order = arrangement.order(groups: op.offsetGroups, taps: op.window.taps)
            for border in [DeformConv.Border.zero, .clamp] {
                var op = op
                op.border = border
                guard trials.allSatisfy({ agrees(op, weights, $0, order, offset, mask) }) else { continue }
                return RaisedOperator(
                    op: op, root: product.root, node: product.node,
                    operands: [
                        .value(image), .constant(weights),
                        arrangement == .rowFirst ? .value(offset) : .channels(offset, order),
                        product.bias.map { .constant($0) } ?? .none, mask.map { .value($0) } ?? .none,
                    ])
            }
        }
        return nil
    }

    private struct Answered {
        let given: [ValueID: Tensor]
        let answer: Tensor
    }

    private func trials(_ whole: Subgraph, _ offset: ValueID, _ extents: [Int], _ mask: ValueID?)
        -> [Answered]?
    {
        var trials: [Answered] = []
        for seed in 1...2 {
            var trial = Trial(seed: UInt64(seed))
            var given: [ValueID: Tensor] = [:]
            given[image] = trial.tensor(imageExtents)
            given[offset] = trial.offsets(extents, image: Array(imageExtents[2...]))
            if let mask { given[mask] = trial.tensor([extents[0], extents[1] / 2] + extents[2...]) }
            guard let answer = whole.evaluate(given)?.first else { return nil }
            trials.append(Answered(given: given, answer: answer))
        }
        return trials
    }

    private func agrees(
        _ op: DeformConv, _ weights: Tensor, _ trial: Answered, _ order: [Int], _ offset: ValueID,
        _ mask: ValueID?
    ) -> Bool {
        let indices = Tensor(vector: order.map { Int64($0) })
        let operands = [trial.given[offset].map(Datum.tensor), .tensor(indices)]
        guard let arranged = evaluated(Gather(axis: 1), operands)?.first else { return false }
        let inputs: [Tensor?] = [
            trial.given[image], weights, arranged, product.bias, mask.flatMap { trial.given[$0] },
        ]
        guard let got = evaluated(op, inputs.map { $0.map(Datum.tensor) })?.first else { return false }
        return Trial.agree(got, trial.answer)
    }
}

/// How exporters arrange the two numbers of each tap's offset among channels.
enum OffsetArrangement: CaseIterable {
    case rowFirst, columnFirst, rowsThenColumns, columnsThenRows

    /// The channels in canonical order: group, tap, then row and column.
    func order(groups: Int, taps: Int) -> [Int] {
        (0..<groups * taps).flatMap { tap in
            switch self {
            case .rowFirst: [2 * tap, 2 * tap + 1]
            case .columnFirst: [2 * tap + 1, 2 * tap]
            case .rowsThenColumns: [tap, groups * taps + tap]
            case .columnsThenRows: [groups * taps + tap, tap]
            }
        }
    }
}

/// Numbers as integers, when all are near to one.
func wholes(_ values: [Double]) -> [Int]? {
    let integers = values.compactMap(whole)
    return integers.count == values.count ? integers : nil
}
