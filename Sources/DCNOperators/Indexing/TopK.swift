package import DCNGraph

/// The greatest (or least) k along `axis` and their indices (int64), best first: inputs X, K. Of equals the one with
/// the lower index comes first; NaN counts as greatest.
package struct TopK: Operator {
    package static let name = "TopK"
    /// -rank … rank - 1.
    package var axis: Int
    /// Greatest, else least.
    package var isLargest: Bool
    /// Whether the order matters to the reader; results are ordered either way.
    package var isSorted: Bool

    package init(axis: Int = -1, isLargest: Bool = true, isSorted: Bool = true) {
        self.axis = axis
        self.isLargest = isLargest
        self.isSorted = isSorted
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "X")
        let count = try inputs.required(1, "K")
        try count.expect([.int64])
        try count.expectListOrScalar()
        guard !data.element.isPacked, data.element != .string, data.element != .bool, !data.element.isComplex
        else {
            throw .element(of: "X", expected: "a number", got: data.element)
        }
        var shape = data.shape
        if let rank = data.rank {
            let along = try resolvedAxis(axis, rank: rank)
            let k = try count.scalar()
            if let k, let most = data.dimension(along).fixed, k > most {
                throw .value(of: "K", because: "is \(k), where only \(most) are")
            }
            if let k, k < 0 { throw .value(of: "K", because: "is \(k), expected 0 or more") }
            shape?[along] = count.dimensions?.first ?? .unknown
        }
        let types: [ValueType] = [
            .tensor(TensorType(data.element, shape)), .tensor(TensorType(.int64, shape)),
        ]
        return Array(types.prefix(max(1, inputs.outputCount)))
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled([1]) else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        switch try call.input(0).element {
        case .float32: return .kernel(try kernel(call, Float.self))
        case .float64: return .kernel(try kernel(call, Double.self))
        case .float16: return .kernel(try kernel(call, HalfBits.self))
        case .bfloat16: return .kernel(try kernel(call, BrainBits.self))
        case .int8: return .kernel(try kernel(call, Int8.self))
        case .int16: return .kernel(try kernel(call, Int16.self))
        case .int32: return .kernel(try kernel(call, Int32.self))
        case .int64: return .kernel(try kernel(call, Int64.self))
        case .uint8: return .kernel(try kernel(call, UInt8.self))
        case .uint16: return .kernel(try kernel(call, UInt16.self))
        case .uint32: return .kernel(try kernel(call, UInt32.self))
        case .uint64: return .kernel(try kernel(call, UInt64.self))
        case let element: throw .unsupported("TopK of \(element)")
        }
    }

    private func kernel<T: OrderKeyed>(_ call: Call, _ type: T.Type) throws(Misfit) -> TileKernel {
        let extents = try call.extents(0)
        let along = try resolvedAxis(axis, rank: extents.count)
        let count = extents[along]
        guard let k = call.constant(1)?.integers?.first, k >= 0, k <= count else {
            throw .value(of: "K", because: "does not fit the extent \(count)")
        }
        let inner = extents[(along + 1)...].product
        let lines = k == 0 ? 0 : inner * extents[..<along].product
        let flip: UInt64 = isLargest ? 0 : .max
        let tiling = Tiling(lines, cost: 2 * count)
        return TileKernel(tiles: tiling.tiles, scratch: k * MemoryLayout<Candidate>.stride) { tile, frame in
            let heap = CandidateHeap(frame.scratch(as: Candidate.self), capacity: k)
            let values = frame.optionalOutput(0, as: type)
            let places = frame.optionalOutput(1, as: Int64.self)
            for line in tiling[tile] {
                let x = frame.input(0, as: type) + line / inner * count * inner + line % inner
                heap.fill(count) { x[$0 * inner].orderKey ^ flip }
                let start = line / inner * k * inner + line % inner
                for rank in 0..<k {
                    let index = heap.entries[rank].index
                    values?[start + rank * inner] = x[index * inner]
                    places?[start + rank * inner] = Int64(index)
                }
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        if isLargest, isSorted { return WrittenNode("TopK", [("axis", .int(axis))], since: 10) }
        return WrittenNode(
            "TopK",
            [("axis", .int(axis)), ("largest", .int(isLargest ? 1 : 0)), ("sorted", .int(isSorted ? 1 : 0))],
            since: 11)
    }
}

/// An element by its key and place.
private struct Candidate: BitwiseCopyable {
    var key: UInt64
    var index: Int

    /// Whether it stands before another: greater, or equal and earlier.
    @inline(__always)
    func precedes(_ other: Candidate) -> Bool { key != other.key ? key > other.key : index < other.index }
}

/// The best `capacity` candidates of a line, in memory that is lent: a heap whose root is the worst of them.
private struct CandidateHeap {
    let entries: UnsafeMutablePointer<Candidate>
    let capacity: Int

    init(_ entries: UnsafeMutablePointer<Candidate>, capacity: Int) {
        self.entries = entries
        self.capacity = capacity
    }

    /// Takes the best of `count` keys (at least `capacity`) and puts them in order, best first.
    @inline(__always)
    func fill(_ count: Int, key: (Int) -> UInt64) {
        for index in 0..<capacity { entries[index] = Candidate(key: key(index), index: index) }
        for parent in (0..<(capacity / 2)).reversed() { sink(parent, capacity) }
        for index in capacity..<max(capacity, count) {
            let candidate = Candidate(key: key(index), index: index)
            guard candidate.key > entries[0].key else { continue }
            entries[0] = candidate
            sink(0, capacity)
        }
        for last in (1..<max(1, capacity)).reversed() {
            (entries[0], entries[last]) = (entries[last], entries[0])
            sink(0, last)
        }
    }

    private func sink(_ start: Int, _ count: Int) {
        var parent = start
        let moving = entries[start]
        while true {
            var child = 2 * parent + 1
            guard child < count else { break }
            if child + 1 < count, entries[child].precedes(entries[child + 1]) { child += 1 }
            guard moving.precedes(entries[child]) else { break }
            entries[parent] = entries[child]
            parent = child
        }
        entries[parent] = moving
    }
}
