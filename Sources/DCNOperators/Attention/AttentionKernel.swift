internal import DCNGraph

/// Attention in plain Swift: a tile is some queries of one head.
struct AttentionKernel<T: BinaryFloatingPoint & BitwiseCopyable & Sendable>: Kernel {
    private let op: Attention
    private let sizes: AttentionSizes
    private let mask: AttentionMask?
    private let scale: Double
    private let tiling: Tiling
    private let presentTiles: Int

    init(_ op: Attention, _ sizes: AttentionSizes, _ mask: AttentionMask?) {
        self.op = op
        self.sizes = sizes
        self.mask = mask
        scale = op.scale.map(Double.init) ?? 1 / Double(sizes.size).squareRoot()
        tiling = Tiling(
            sizes.batch * sizes.heads * sizes.queries,
            cost: sizes.keys * (sizes.size + sizes.valueSize) / 4 + 1,
            limit: 1 << 14)
        presentTiles = sizes.batch * sizes.keyHeads
    }

    var tileCount: Int { tiling.tiles + presentTiles }
    /// Scores of one query, and its answer.
    var scratchByteCount: Int { (sizes.keys + sizes.valueSize) * MemoryLayout<T>.stride }

    func check(_ frame: Frame) throws(Misfit) {
        guard let lengths = frame.optionalInput(6, as: Int64.self) else { return }
        for index in 0..<sizes.batch where lengths[index] < 0 || lengths[index] > Int64(sizes.keys) {
            throw .value(
                of: "nonpad_kv_seqlen", because: "holds \(lengths[index]), expected 0 … \(sizes.keys)")
        }
    }

    func run(tile: Int, in frame: Frame) {
        guard tile < tiling.tiles else { return present(tile - tiling.tiles, frame) }
        for unit in tiling[tile] { answer(unit, frame) }
    }

    /// Copies keys and values of one head to where the next call finds them.
    private func present(_ head: Int, _ frame: Frame) {
        for (output, isKey) in [(1, true), (2, false)] {
            guard let target = frame.optionalOutput(output, as: T.self) else { continue }
            let width = isKey ? sizes.size : sizes.valueSize
            for j in 0..<sizes.keys {
                let source = row(j, head / sizes.keyHeads, head % sizes.keyHeads, isKey: isKey, frame)
                (target + (head * sizes.keys + j) * width).update(from: source, count: width)
            }
        }
    }

    /// Key or value number j of a head.
    @inline(__always)
    private func row(_ j: Int, _ batch: Int, _ head: Int, isKey: Bool, _ frame: Frame) -> UnsafePointer<T> {
        let width = isKey ? sizes.size : sizes.valueSize
        if j < sizes.past {
            let past = frame.input(isKey ? 4 : 5, as: T.self)
            return past + ((batch * sizes.keyHeads + head) * sizes.past + j) * width
        }
        let fresh = frame.input(isKey ? 1 : 2, as: T.self)
        let place =
            sizes.isPacked
            ? (batch * sizes.fresh + j - sizes.past) * sizes.keyHeads + head
            : (batch * sizes.keyHeads + head) * sizes.fresh + j - sizes.past
        return fresh + place * width
    }

    private func answer(_ unit: Int, _ frame: Frame) {
        let i = unit % sizes.queries
        let head = unit / sizes.queries % sizes.heads
        let batch = unit / sizes.queries / sizes.heads
        let place =
            sizes.isPacked
            ? (batch * sizes.queries + i) * sizes.heads + head
            : (batch * sizes.heads + head) * sizes.queries + i
        let query = frame.input(0, as: T.self) + place * sizes.size
        let keyHead = head / (sizes.heads / sizes.keyHeads)
        let scores = frame.scratch(as: T.self)
        let given = frame.optionalOutput(3, as: T.self).map { $0 + unit * sizes.keys }
        for j in 0..<sizes.keys {
            scores[j] = T(scale) * dot(query, row(j, batch, keyHead, isKey: true, frame), sizes.size)
        }
        if op.scores == .products { given?.update(from: scores, count: sizes.keys) }
        if op.softcap > 0 {
            let cap = Double(op.softcap)
            for j in 0..<sizes.keys { scores[j] = T(cap * hyperbolicTangent(Double(scores[j]) / cap)) }
        }
        if op.scores == .capped { given?.update(from: scores, count: sizes.keys) }
        let isOpen = addBias(scores, batch, head, i, frame)
        if op.scores == .biased { given?.update(from: scores, count: sizes.keys) }
        weigh(scores, isOpen: isOpen)
        if op.scores == .weights { given?.update(from: scores, count: sizes.keys) }
        let y = frame.output(0, as: T.self) + place * sizes.valueSize
        y.update(repeating: 0, count: sizes.valueSize)
        for j in 0..<sizes.keys where scores[j] != 0 {
            let value = row(j, batch, keyHead, isKey: false, frame)
            let weight = scores[j]
            for d in 0..<sizes.valueSize { y[d] += weight * value[d] }
        }
    }

    /// Adds what masks say; returns whether any key is left.
    private func addBias(
        _ scores: UnsafeMutablePointer<T>, _ batch: Int, _ head: Int, _ i: Int, _ frame: Frame
    ) -> Bool {
        let length = frame.optionalInput(6, as: Int64.self).map { Int($0[batch]) }
        let position = i + (length.map { $0 - sizes.queries } ?? sizes.past)
        var isOpen = false
        for j in 0..<sizes.keys {
            var bias = mask?.bias(batch, head, i, j, frame) ?? 0
            if op.isCausal && j > position { bias += -.infinity }
            if let left = op.leftWindow, position - j > left { bias += -.infinity }
            if let right = op.rightWindow, j - position > right { bias += -.infinity }
            if let length, j >= length { bias += -.infinity }
            if bias != -.infinity { isOpen = true }
            scores[j] = bias == -.infinity ? -.infinity : scores[j] + T(bias)
        }
        return isOpen
    }

    /// Softmax; zeros where no key is left.
    private func weigh(_ scores: UnsafeMutablePointer<T>, isOpen: Bool) {
        var greatest = -Double.infinity
        for j in 0..<sizes.keys { greatest = Double(scores[j]) > greatest ? Double(scores[j]) : greatest }
        guard isOpen, greatest != -.infinity else {
            let isLost = isOpen && (0..<sizes.keys).contains { scores[$0].isNaN }
            scores.update(repeating: isLost ? .nan : 0, count: sizes.keys)
            return
        }
        var sum = 0.0
        for j in 0..<sizes.keys {
            let power = Elementary.exp(Double(scores[j]) - greatest)
            scores[j] = T(power)
            sum += power
        }
        for j in 0..<sizes.keys { scores[j] = T(Double(scores[j]) / sum) }
    }
}

extension AttentionMask {
    /// What the mask adds to one score.
    func bias(_ batch: Int, _ head: Int, _ query: Int, _ key: Int, _ frame: Frame) -> Double {
        guard key < keys else { return -.infinity }
        let place = batch * steps[0] + head * steps[1] + query * steps[2] + key * steps[3]
        switch element {
        case .bool: return frame.input(3, as: UInt8.self)[place] != 0 ? 0 : -.infinity
        case .float32: return Double(frame.input(3, as: Float.self)[place])
        case .float64: return frame.input(3, as: Double.self)[place]
        case .int8: return Double(frame.input(3, as: Int8.self)[place])
        case .int16: return Double(frame.input(3, as: Int16.self)[place])
        case .int32: return Double(frame.input(3, as: Int32.self)[place])
        case .int64: return Double(frame.input(3, as: Int64.self)[place])
        case .uint8: return Double(frame.input(3, as: UInt8.self)[place])
        case .uint16: return Double(frame.input(3, as: UInt16.self)[place])
        case .uint32: return Double(frame.input(3, as: UInt32.self)[place])
        default: return Double(frame.input(3, as: UInt64.self)[place])
        }
    }
}
