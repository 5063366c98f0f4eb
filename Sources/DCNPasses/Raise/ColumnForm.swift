internal import DCNGraph
internal import DCNOperators

/// How the samples of all taps, and the weights that they are multiplied by, may lie.
enum ColumnForm {
    /// Weights [O, C/G, KH, KW], samples in tiles of the kernel's extents.
    case tiles(Tensor)
    /// Weights [O, K], samples [N, K, OH·OW]; K counts channels and taps in either order.
    case rows(Tensor)
    /// Weights [K, O], samples [N, OH·OW, K].
    case lines(Tensor)
    /// Weights and samples whose axes have letters.
    case labelled(EinsumLabels)
    /// Weights [O, C, 1, 1] and samples [N, C, OH, OW] of each tap.
    case separate([Tensor])
}

/// One way in which columns and weights may lie: steps between elements.
struct ColumnLayout {
    /// Of the samples, from one output row, output column, kernel row and kernel column to the next.
    var row, column, tapRow, tapColumn: Int
    /// Of the weights, from one output, channel, kernel row and kernel column to the next.
    var output, channel, weightRow, weightColumn: Int
    /// Whether each tap has samples and weights of its own.
    var isSeparate = false

    /// Where the first channel's sample stands: which value, and which element.
    func place(_ oy: Int, _ ox: Int, _ tap: Int, _ kernel: [Int]) -> (value: Int, index: Int) {
        let start = oy * row + ox * column
        guard !isSeparate else { return (tap, start) }
        return (0, start + tap / kernel[1] * tapRow + tap % kernel[1] * tapColumn)
    }

    /// The weights as [O, C, KH, KW].
    func weights(_ tensors: [Tensor], _ extents: [Int]) -> Tensor? {
        let numbers = tensors.map { $0.aligned().elements(as: Float.self) }
        var values: [Float] = []
        values.reserveCapacity(extents.reduce(1, *))
        for o in 0..<extents[0] {
            for c in 0..<extents[1] {
                for tap in 0..<extents[2] * extents[3] {
                    let start = o * output + c * channel
                    let place = tap / extents[3] * weightRow + tap % extents[3] * weightColumn
                    let (value, index) = isSeparate ? (tap, start) : (0, start + place)
                    guard value < numbers.count, index < numbers[value].count else { return nil }
                    values.append(numbers[value][index])
                }
            }
        }
        return Tensor(extents: extents, values)
    }
}

extension ColumnForm {
    /// The weights as they are written.
    var tensors: [Tensor] {
        switch self {
        case .tiles(let weights), .rows(let weights), .lines(let weights): [weights]
        case .labelled(let labels): [labels.weights]
        case .separate(let weights): weights
        }
    }

    /// The ways in which they may lie for so many channels (of a group), a kernel and output extents.
    func layouts(channels: Int, kernel: [Int], output: [Int]) -> [ColumnLayout] {
        let (taps, places) = (kernel[0] * kernel[1], output[0] * output[1])
        let depth = channels * taps
        func steps(_ isChannelFirst: Bool) -> (channel: Int, tap: Int) {
            isChannelFirst ? (taps, 1) : (1, channels)
        }
        switch self {
        case .tiles:
            let width = output[1] * kernel[1]
            return [
                ColumnLayout(
                    row: kernel[0] * width, column: kernel[1], tapRow: width, tapColumn: 1, output: depth,
                    channel: taps, weightRow: kernel[1], weightColumn: 1)
            ]
        case .rows:
            return [true, false].map { order in
                let (channel, tap) = steps(order)
                return ColumnLayout(
                    row: output[1], column: 1, tapRow: kernel[1] * tap * places, tapColumn: tap * places,
                    output: depth, channel: channel, weightRow: kernel[1] * tap, weightColumn: tap)
            }
        case .lines(let weights):
            let outputs = weights.extents.last ?? 1
            return [true, false].map { order in
                let (channel, tap) = steps(order)
                return ColumnLayout(
                    row: output[1] * depth, column: depth, tapRow: kernel[1] * tap, tapColumn: tap, output: 1,
                    channel: channel * outputs, weightRow: kernel[1] * tap * outputs,
                    weightColumn: tap * outputs)
            }
        case .labelled(let labels): return labels.layouts(channels: channels, kernel: kernel, output: output)
        case .separate:
            return [
                ColumnLayout(
                    row: output[1], column: 1, tapRow: 0, tapColumn: 0, output: channels, channel: 1,
                    weightRow: 0, weightColumn: 0, isSeparate: true)
            ]
        }
    }
}
