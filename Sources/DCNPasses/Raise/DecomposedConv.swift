internal import DCNGraph
internal import DCNOperators

/// Why something that samples by hand is no operator that could take its place.
struct NotRaised: Error {
    /// How far the search has come, to tell the nearest miss from others.
    enum Step: Int { case fields, sampling, flow, grid, levels, poolings, answers, extents }
    let step: Step

    var reason: String {
        switch step {
        case .fields: "no operand holds two numbers for each tap and place of the output"
        case .sampling: "its samples are not bilinear ones that fade to zero at the border"
        case .flow: "its samples follow from more than an image, its offsets and a mask"
        case .grid: "with offsets of zero its taps do not stand on a regular grid"
        case .levels: "its regions are not spread over levels by the logarithm of their size"
        case .poolings: "its levels are not all pooled in one way"
        case .extents: "what it is depends on its symbolic extents"
        case .answers: "its answers are not those of the operator that looks at the same places"
        }
    }
}

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
        let image = flow.images.first { value in
            guard let extents = graph.floatExtents(value), extents.count == 4, extents[0] == output[0],
                extents[1] % product.groups == 0, extents[1] > 0
            else { return false }
            let each = extents[1] / product.groups
            guard let kernel = product.kernel else { return product.depth % each == 0 }
            return product.depth == each * kernel.reduce(1, *)
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

    /// Whether samples are taken as exporters take them: by grids, or from four corners.
    var isLikely: Bool { flow.gathers.count >= 4 || flow.gathers.contains { graph[$0].op is GridSample } }

    /// The operator, if one is found and proved; else how near the search came.
    func raised() -> Result<RaisedOperator, NotRaised> {
        guard flow.isBilinear else { return .failure(NotRaised(step: .sampling)) }
        var nearest = NotRaised.Step.fields
        for offset in flow.positions {
            guard let extents = graph.floatExtents(offset), extents.count == 4, extents[0] == output[0],
                extents[1] % 2 == 0, extents[2...] == output[2...]
            else { continue }
            for mask in masks(besides: offset, extents) {
                switch search(offset, extents, mask) {
                case .success(let raised): return .success(raised)
                case .failure(let miss): if miss.step.rawValue > nearest.rawValue { nearest = miss.step }
                }
            }
        }
        return .failure(NotRaised(step: nearest))
    }

    /// What the samples may be multiplied by; one nil where by nothing.
    private func masks(besides offset: ValueID, _ extents: [Int]) -> [ValueID?] {
        guard let found = flow.masks(besides: offset) else { return [nil] }
        let wanted = [extents[0], extents[1] / 2] + extents[2...]
        return found.filter { graph.floatExtents($0) == wanted }
    }

    private func search(
        _ offset: ValueID, _ extents: [Int], _ mask: ValueID?
    ) -> Result<RaisedOperator, NotRaised> {
        let inputs = [image, offset] + (mask.map { [$0] } ?? [])
        guard let columns = Subgraph(from: inputs, to: product.columns, in: graph),
            let whole = Subgraph(from: inputs, to: [product.root], in: graph),
            let view = view(columns, offset, extents, mask)
        else { return .failure(NotRaised(step: .flow)) }
        var nearest = NotRaised.Step.grid
        let channels = imageExtents[1] / product.groups
        for kernel in kernels where extents[1] % (2 * kernel[0] * kernel[1]) == 0 {
            for layout in product.form.layouts(
                channels: channels, kernel: kernel, output: Array(output[2...]))
            {
                let shape = [product.outputs, channels] + kernel
                guard let window = window(view, layout, kernel),
                    let weights = layout.weights(product.form.tensors, shape)
                else { continue }
                var op = DeformConv()
                op.window = window
                op.groups = product.groups
                op.offsetGroups = extents[1] / (2 * kernel[0] * kernel[1])
                if let proved = proved(op, weights, whole, offset, extents, mask) { return .success(proved) }
                nearest = .answers
            }
        }
        return .failure(NotRaised(step: nearest))
    }

    /// The kernels there could be, squares before others.
    private var kernels: [[Int]] {
        if let kernel = product.kernel { return [kernel] }
        let taps = product.depth / imageExtents[1]
        guard taps > 1, taps < 1 << 12 else { return [] }
        let all = (1...taps).filter { taps % $0 == 0 }.map { [$0, taps / $0] }
        return all.filter { $0[0] == $0[1] } + all.filter { $0[0] != $0[1] }
    }

    /// What the columns show when nothing is deformed: of an image of ones, and of ramps along rows and columns.
    private struct View { let inside, rows, across: [[Float]] }

    private func view(
        _ columns: Subgraph, _ offset: ValueID, _ extents: [Int], _ mask: ValueID?
    ) -> View? {
        var given: [ValueID: Tensor] = [:]
        given[offset] = Trial.filled(extents, 0)
        if let mask { given[mask] = Trial.filled([extents[0], extents[1] / 2] + extents[2...], 1) }
        func seen(_ picture: Tensor?) -> [[Float]]? {
            given[image] = picture
            return columns.evaluate(given)?.map { $0.elements(as: Float.self) }
        }
        guard let inside = seen(Trial.filled(imageExtents, 1)),
            let rows = seen(Trial.ramp(imageExtents, along: 2)),
            let across = seen(Trial.ramp(imageExtents, along: 3))
        else { return nil }
        return View(inside: inside, rows: rows, across: across)
    }

    /// The window that looks where the taps were seen to look.
    private func window(_ view: View, _ layout: ColumnLayout, _ kernel: [Int]) -> Window? {
        var sightings: [Sighting] = []
        for oy in 0..<output[2] {
            for ox in 0..<output[3] {
                for tap in 0..<kernel[0] * kernel[1] {
                    let (value, index) = layout.place(oy, ox, tap, kernel)
                    guard value < view.inside.count, index < view.inside[value].count else { return nil }
                    guard abs(view.inside[value][index] - 1) < 1e-4 else { continue }
                    let position = [Double(view.rows[value][index]), Double(view.across[value][index])]
                    sightings.append(
                        Sighting(
                            output: [oy, ox], tap: [tap / kernel[1], tap % kernel[1]], position: position))
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

    // MARK: proof

    private func proved(
        _ op: DeformConv, _ weights: Tensor, _ whole: Subgraph, _ offset: ValueID, _ extents: [Int],
        _ mask: ValueID?
    ) -> RaisedOperator? {
        guard let trials = trials(whole, offset, extents, mask) else { return nil }
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
