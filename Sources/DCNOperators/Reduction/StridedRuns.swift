/// The elements of a box in a strided array, as runs along its last axis.
struct StridedRuns: Sendable, Hashable {
    /// Extents of the box, slowest first; at least one.
    let extents: [Int]
    /// Distances in elements along each axis.
    let strides: [Int]

    /// A box; one of rank 0 counts as a single element.
    init(extents: [Int], strides: [Int]) {
        self.extents = extents.isEmpty ? [1] : extents
        self.strides = strides.isEmpty ? [1] : strides
    }

    /// How many elements the box holds.
    var count: Int { extents.reduce(1, *) }

    /// Where element `index`, counted row-major, lies.
    func offset(of index: Int) -> Int {
        var rest = index
        var offset = 0
        for axis in extents.indices.reversed() where extents[axis] > 1 {
            offset += rest % extents[axis] * strides[axis]
            rest /= extents[axis]
        }
        return offset
    }

    /// Combines all elements in row-major order.
    @inline(__always)
    func fold<T, State>(
        _ base: UnsafePointer<T>, _ start: State, _ step: (inout State, T) -> Void
    ) -> State {
        var state = start
        let last = extents.count - 1
        let runs = extents[..<last].reduce(1, *)
        let (length, distance) = (extents[last], strides[last])
        for run in 0..<runs {
            var rest = run
            var pointer = base
            for axis in stride(from: last - 1, through: 0, by: -1) {
                pointer += rest % extents[axis] * strides[axis]
                rest /= extents[axis]
            }
            for index in 0..<length { step(&state, pointer[index * distance]) }
        }
        return state
    }
}

/// A reduction over some axes of dense extents: which elements make each result.
struct ReductionPlan: Sendable, Hashable {
    /// What is kept, one element for each result.
    let kept: StridedRuns
    /// What is combined into one result.
    let reduced: StridedRuns
    /// The shape as rows × columns, where the reduced axes are neighbours.
    let block: Block?

    /// Neighbouring axes: `outer` blocks of `middle` reduced rows of `inner` columns.
    struct Block: Sendable, Hashable { let outer, middle, inner: Int }

    /// The plan for row-major extents, axes counted from the front.
    init(extents: [Int], axes: Set<Int>) {
        let strides = reductionStrides(extents)
        var keptExtents: [Int] = []
        var keptStrides: [Int] = []
        var reducedExtents: [Int] = []
        var reducedStrides: [Int] = []
        for axis in extents.indices where extents[axis] != 1 {
            if axes.contains(axis) {
                reducedExtents.append(extents[axis])
                reducedStrides.append(strides[axis])
            } else {
                keptExtents.append(extents[axis])
                keptStrides.append(strides[axis])
            }
        }
        kept = StridedRuns(extents: keptExtents, strides: keptStrides)
        reduced = StridedRuns(extents: reducedExtents, strides: reducedStrides)
        block = Self.block(extents: extents, axes: axes)
    }

    private static func block(extents: [Int], axes: Set<Int>) -> Block? {
        let real = axes.filter { extents[$0] != 1 }
        guard let first = real.min(), let last = real.max() else { return nil }
        guard (first...last).allSatisfy({ real.contains($0) || extents[$0] == 1 }) else { return nil }
        return Block(
            outer: extents[..<first].reduce(1, *), middle: extents[first...last].reduce(1, *),
            inner: extents[(last + 1)...].reduce(1, *))
    }
}

/// Row-major strides in which an empty axis does not hide the others.
private func reductionStrides(_ extents: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: extents.count)
    for axis in extents.indices.dropLast().reversed() {
        strides[axis] = strides[axis + 1] * max(extents[axis + 1], 1)
    }
    return strides
}
