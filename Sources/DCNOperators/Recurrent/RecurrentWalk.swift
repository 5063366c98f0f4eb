internal import DCNGraph

/// One recurrent network on known extents: a tile is one sequence read in one direction.
struct RecurrentWalk: Sendable {
    let recurrence: Recurrence
    let gates: Int
    let time: Int
    let batch: Int
    let features: Int
    let hidden: Int
    let isDouble: Bool

    init(_ recurrence: Recurrence, gates: Int, _ call: Call, name: String) throws(Misfit) {
        let x = try call.extents(0)
        let element = try call.input(0).element
        guard element == .float32 || element == .float64 else { throw noKernel(name, for: element) }
        self.recurrence = recurrence
        self.gates = gates
        (time, batch) = recurrence.isBatchFirst ? (x[1], x[0]) : (x[0], x[1])
        features = x[2]
        hidden = try call.extents(2)[2]
        isDouble = element == .float64
    }

    /// A kernel of `states` states of `hidden` numbers, which `cell` moves on by one step.
    func kernel<T: BinaryFloatingPoint & BitwiseCopyable & Sendable>(
        _ type: T.Type, states: Int, cell: @escaping @Sendable (RecurrentStep<T>) -> Void
    ) -> TileKernel {
        // Both sums of gates, the states, and one more row.
        let numbers = (2 * gates + states + 1) * hidden
        return TileKernel(
            tiles: recurrence.directions * batch, scratch: numbers * MemoryLayout<T>.stride + 64, check: check
        ) { tile, frame in
            walk(direction: tile / batch, sequence: tile % batch, states: states, frame, cell)
        }
    }

    @Sendable private func check(_ frame: Frame) -> Misfit? {
        guard let lengths = frame.optionalInput(4, as: Int32.self) else { return nil }
        for index in 0..<batch where lengths[index] < 0 || Int(lengths[index]) > time {
            return .value(of: "sequence_lens", because: "holds \(lengths[index]), expected 0 … \(time)")
        }
        return nil
    }

    private func walk<T: BinaryFloatingPoint & BitwiseCopyable & Sendable>(
        direction: Int, sequence: Int, states: Int, _ frame: Frame, _ cell: (RecurrentStep<T>) -> Void
    ) {
        let step = RecurrentStep<T>(self, direction: direction, frame)
        let length = frame.optionalInput(4, as: Int32.self).map { Int($0[sequence]) } ?? time
        for state in 0..<states { begin(step.state(state), input: 5 + state, direction, sequence, frame) }
        let isReverse = recurrence.direction == .reverse || direction == 1
        for number in 0..<length {
            let t = isReverse ? length - 1 - number : number
            let row = recurrence.isBatchFirst ? sequence * time + t : t * batch + sequence
            step.sum(frame.input(0, as: T.self) + row * features)
            cell(step)
            if let y = output(t, direction, sequence, frame, T.self) {
                y.update(from: step.state(0), count: hidden)
            }
        }
        for t in length..<max(length, time) {
            output(t, direction, sequence, frame, T.self)?.update(repeating: 0, count: hidden)
        }
        for state in 0..<states {
            let place = statePlace(direction, sequence)
            frame.optionalOutput(1 + state, as: T.self).map {
                ($0 + place).update(from: step.state(state), count: hidden)
            }
        }
    }

    private func begin<T: BinaryFloatingPoint>(
        _ state: UnsafeMutablePointer<T>, input: Int, _ direction: Int, _ sequence: Int, _ frame: Frame
    ) {
        let given = inputs(input) ? frame.optionalInput(input, as: T.self) : nil
        for index in 0..<hidden {
            state[index] = given.map { $0[statePlace(direction, sequence) + index] } ?? 0
        }
    }

    /// Only LSTM has a second state.
    private func inputs(_ index: Int) -> Bool { index == 5 || gates == 4 }

    private func statePlace(_ direction: Int, _ sequence: Int) -> Int {
        hidden
            * (recurrence.isBatchFirst
                ? sequence * recurrence.directions + direction : direction * batch + sequence)
    }

    private func output<T>(
        _ t: Int, _ direction: Int, _ sequence: Int, _ frame: Frame, _ type: T.Type
    ) -> UnsafeMutablePointer<T>? {
        let d = recurrence.directions
        let row =
            recurrence.isBatchFirst
            ? (sequence * time + t) * d + direction : (t * d + direction) * batch + sequence
        return frame.optionalOutput(0, as: type).map { $0 + row * hidden }
    }
}

/// One step of one sequence: where its numbers lie.
struct RecurrentStep<T: BinaryFloatingPoint & BitwiseCopyable> {
    let hidden: Int
    private let gates: Int
    private let features: Int
    private let weights: UnsafePointer<T>
    private let recurrent: UnsafePointer<T>
    private let bias: UnsafePointer<T>?
    /// The peephole weights of the direction, where the network has any.
    let peepholes: UnsafePointer<T>?
    private let base: UnsafeMutablePointer<T>
    private let functions: ArraySlice<CellFunction>
    private let clip: Double

    init(_ walk: RecurrentWalk, direction: Int, _ frame: Frame) {
        hidden = walk.hidden
        gates = walk.gates
        features = walk.features
        let rows = walk.gates * walk.hidden
        weights = frame.input(1, as: T.self) + direction * rows * walk.features
        recurrent = frame.input(2, as: T.self) + direction * rows * walk.hidden
        bias = frame.optionalInput(3, as: T.self).map { $0 + direction * 2 * rows }
        peepholes =
            gates == 4 ? frame.optionalInput(7, as: T.self).map { $0 + direction * 3 * walk.hidden } : nil
        base = frame.scratch(as: T.self)
        let count = walk.recurrence.functions.count / walk.recurrence.directions
        functions = walk.recurrence.functions[direction * count..<(direction + 1) * count]
        clip = walk.recurrence.clip.map(Double.init) ?? .infinity
    }

    /// State number `index`; 0 is the one that is given out.
    func state(_ index: Int) -> UnsafeMutablePointer<T> { base + (2 * gates + index) * hidden }
    /// A row for what a cell wants to keep.
    var spare: UnsafeMutablePointer<T> { base + (2 * gates + (gates == 4 ? 2 : 1)) * hidden }
    /// Weights times input, bias added, of one gate.
    func input(_ gate: Int) -> UnsafeMutablePointer<T> { base + gate * hidden }
    /// Recurrent weights times state, bias added, of one gate.
    func feedback(_ gate: Int) -> UnsafeMutablePointer<T> { base + (gates + gate) * hidden }

    /// A function of the cell after its argument is clipped.
    func apply(_ index: Int, _ x: Double) -> Double {
        functions[functions.startIndex + index](x < -clip ? -clip : x > clip ? clip : x)
    }

    /// Computes both sums of all gates.
    func sum(_ x: UnsafePointer<T>) {
        for row in 0..<gates * hidden {
            base[row] = dot(weights + row * features, x, features) + (bias?[row] ?? 0)
        }
        for gate in 0..<gates { sumFeedback(gate, of: state(0)) }
    }

    /// Computes the recurrent sum of one gate for another vector than the state.
    func sumFeedback(_ gate: Int, of vector: UnsafePointer<T>) {
        for row in gate * hidden..<(gate + 1) * hidden {
            base[gates * hidden + row] =
                dot(recurrent + row * hidden, vector, hidden) + (bias?[gates * hidden + row] ?? 0)
        }
    }
}

/// Σ a[i] · b[i], in eight sums.
@inline(__always)
func dot<T: BinaryFloatingPoint>(_ a: UnsafePointer<T>, _ b: UnsafePointer<T>, _ count: Int) -> T {
    var (s0, s1, s2, s3): (T, T, T, T) = (0, 0, 0, 0)
    var (s4, s5, s6, s7): (T, T, T, T) = (0, 0, 0, 0)
    var i = 0
    while i + 8 <= count {
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
        s4 += a[i + 4] * b[i + 4]
        s5 += a[i + 5] * b[i + 5]
        s6 += a[i + 6] * b[i + 6]
        s7 += a[i + 7] * b[i + 7]
        i += 8
    }
    while i < count {
        s0 += a[i] * b[i]
        i += 1
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
}
