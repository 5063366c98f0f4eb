internal import DCNGraph
internal import DCNOperators

/// What the letters of an Einsum of samples and constant weights stand for.
struct EinsumLabels {
    let columns: ValueID
    let weights: Tensor
    /// Steps of the samples and of the weights by letter.
    private let columnSteps, weightSteps: [Character: Int]
    /// Letters of both operands that are summed, with their extents, in the order of the weights.
    private let summed: [(letter: Character, extent: Int)]
    /// Letters of places in the order of the result, with their extents.
    private let places: [(letter: Character, extent: Int)]
    private let outputLetter: Character
    /// Output channels.
    let outputs: Int

    init?(_ op: Einsum, _ node: Node, _ graph: Graph) {
        let sides = op.equation.filter { $0 != " " }.split(separator: ">").map(String.init)
        guard sides.count == 2, sides[0].hasSuffix("-"), node.inputs.count == 2 else { return nil }
        let terms = sides[0].dropLast().split(separator: ",").map(Array.init)
        let result = Array(sides[1])
        guard terms.count == 2, (terms + [result]).allSatisfy({ Set($0).count == $0.count }),
            let constant = (0..<2).first(where: { index in
                node.inputs[index].map { graph[$0].constant != nil } ?? false
            }), let weights = node.inputs[constant].flatMap({ graph[$0].constant?.tensor }),
            let columns = node.inputs[1 - constant], let extents = graph.floatExtents(columns),
            terms[constant].count == weights.extents.count, terms[1 - constant].count == extents.count
        else { return nil }
        let (own, others) = (terms[constant], terms[1 - constant])
        func steps(_ letters: [Character], _ extents: [Int]) -> [Character: Int] {
            var (step, table): (Int, [Character: Int]) = (1, [:])
            for (letter, extent) in zip(letters, extents).reversed() {
                table[letter] = step
                step *= extent
            }
            return table
        }
        let sizes = Dictionary(uniqueKeysWithValues: zip(others, extents))
        let alone = own.filter { !others.contains($0) }
        guard alone.count == 1, result.contains(alone[0]), others.first == result.first,
            let place = own.firstIndex(of: alone[0])
        else { return nil }
        self.columns = columns
        self.weights = weights
        outputLetter = alone[0]
        outputs = weights.extents[place]
        (columnSteps, weightSteps) = (steps(others, extents), steps(own, weights.extents))
        summed = own.filter { $0 != alone[0] }.compactMap { letter in sizes[letter].map { (letter, $0) } }
        places = result.dropFirst().filter { $0 != alone[0] }.compactMap { letter in
            sizes[letter].map { (letter, $0) }
        }
        guard !summed.isEmpty, summed.allSatisfy({ !result.contains($0.letter) }),
            (1...2).contains(places.count)
        else { return nil }
    }

    /// How many numbers one output reads.
    var depth: Int { summed.reduce(1) { $0 * $1.extent } }

    /// The ways in which channels and taps may be counted by the letters.
    func layouts(channels: Int, kernel: [Int], output: [Int]) -> [ColumnLayout] {
        let taps = kernel[0] * kernel[1]
        let last = places[places.count - 1].letter
        var layout = ColumnLayout(
            row: (columnSteps[places[0].letter] ?? 0) * (places.count == 1 ? output[1] : 1),
            column: columnSteps[last] ?? 0, tapRow: 0, tapColumn: 0, output: weightSteps[outputLetter] ?? 0,
            channel: 0, weightRow: 0, weightColumn: 0)
        func step(_ letter: Character) -> (columns: Int, weights: Int) {
            (columnSteps[letter] ?? 0, weightSteps[letter] ?? 0)
        }
        func with(channel: Int, tap: (columns: Int, weights: Int)) -> ColumnLayout {
            layout.channel = channel
            (layout.tapRow, layout.tapColumn) = (kernel[1] * tap.columns, tap.columns)
            (layout.weightRow, layout.weightColumn) = (kernel[1] * tap.weights, tap.weights)
            return layout
        }
        switch summed.count {
        case 1:
            let own = step(summed[0].letter)
            return [
                with(channel: taps * own.weights, tap: own),
                with(channel: own.weights, tap: (channels * own.columns, channels * own.weights)),
            ]
        case 2:
            return [(0, 1), (1, 0)].compactMap { channel, tap in
                guard summed[channel].extent == channels, summed[tap].extent == taps else { return nil }
                return with(channel: step(summed[channel].letter).weights, tap: step(summed[tap].letter))
            }
        case 3:
            return (0..<3).compactMap { channel in
                let rest = (0..<3).filter { $0 != channel }.map { summed[$0] }
                guard summed[channel].extent == channels, rest.map(\.extent) == kernel else { return nil }
                var layout = with(channel: step(summed[channel].letter).weights, tap: step(rest[1].letter))
                (layout.tapRow, layout.weightRow) = step(rest[0].letter)
                return layout
            }
        default: return []
        }
    }
}
