internal import DCNGraph

/// Linear attention in plain Swift: a tile is one head of keys, all its steps in order.
struct LinearAttentionKernel: Kernel {
    let rule: LinearAttention.Rule
    let batch, steps, heads, keyHeads, size, valueSize: Int
    let scale: Float
    /// Numbers of a step in decay and in beta.
    let decays, betas: Int
    let hasPast: Bool

    /// Numbers in the state of a head, at most.
    static let mostCells = 1 << 28

    private var cells: Int { size * valueSize }
    var tileCount: Int { batch * keyHeads }
    /// The state, where nobody wants it, and the value of a step.
    var scratchByteCount: Int { (cells + valueSize) * MemoryLayout<Float>.stride }

    func run(tile: Int, in frame: Frame) {
        let (item, head) = tile.quotientAndRemainder(dividingBy: keyHeads)
        let value = frame.scratch(as: Float.self)
        let state = frame.optionalOutput(1, as: Float.self).map { $0 + tile * cells } ?? value + valueSize
        if hasPast {
            state.update(from: frame.input(3, as: Float.self) + tile * cells, count: cells)
        } else {
            state.update(repeating: 0, count: cells)
        }
        for step in 0..<steps {
            let place = item * steps + step
            if rule.decays { decay(state, place, head, frame) }
            write(state, value, place, head, frame)
            let group = heads / keyHeads
            for query in head * group..<(head + 1) * group { read(state, place, query, frame) }
        }
    }

    private func decay(_ state: UnsafeMutablePointer<Float>, _ place: Int, _ head: Int, _ frame: Frame) {
        let logs = frame.input(4, as: Float.self) + place * decays
        let isShared = decays == keyHeads
        for d in 0..<size {
            let factor = Float(Elementary.exp(Double(logs[isShared ? head : head * size + d])))
            let row = state + d * valueSize
            for m in 0..<valueSize { row[m] *= factor }
        }
    }

    private func write(
        _ state: UnsafeMutablePointer<Float>, _ value: UnsafeMutablePointer<Float>, _ place: Int, _ head: Int,
        _ frame: Frame
    ) {
        let key = frame.input(1, as: Float.self) + (place * keyHeads + head) * size
        let given = frame.input(2, as: Float.self) + (place * keyHeads + head) * valueSize
        value.update(from: given, count: valueSize)
        if rule.corrects {
            let beta = frame.input(5, as: Float.self)[place * betas + (betas == 1 ? 0 : head)]
            for d in 0..<size {
                let row = state + d * valueSize
                for m in 0..<valueSize { value[m] -= key[d] * row[m] }
            }
            for m in 0..<valueSize { value[m] *= beta }
        }
        for d in 0..<size {
            let row = state + d * valueSize
            for m in 0..<valueSize { row[m] += key[d] * value[m] }
        }
    }

    private func read(_ state: UnsafePointer<Float>, _ place: Int, _ head: Int, _ frame: Frame) {
        let query = frame.input(0, as: Float.self) + (place * heads + head) * size
        let y = frame.output(0, as: Float.self) + (place * heads + head) * valueSize
        y.update(repeating: 0, count: valueSize)
        for d in 0..<size {
            let row = state + d * valueSize
            for m in 0..<valueSize { y[m] += query[d] * row[m] }
        }
        for m in 0..<valueSize { y[m] *= scale }
    }
}
