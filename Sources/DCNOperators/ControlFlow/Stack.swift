internal import DCNGraph

/// Values of successive trips, laid one after another in memory that doubles as it fills.
struct Stack {
    private let name: String
    private var slice: TensorType?
    private var count = 0
    private var buffer: MutableTensor?
    private var used = 0
    /// Slices whose elements are no whole bytes.
    private var others: [Tensor] = []

    /// An empty stack of what a message calls `name`.
    init(name: String) { self.name = name }

    /// Adds the value of one trip, which must be a tensor of the shape before it.
    mutating func append(_ value: Datum, in scope: any Scope) throws(Misfit) {
        guard let tensor = value.tensor else {
            throw .kind(of: name, expected: "a tensor", got: "\(value.type)")
        }
        if let slice, slice != tensor.type {
            throw .value(of: name, because: "is \(tensor.type), after \(slice)")
        }
        slice = tensor.type
        count += 1
        guard tensor.type.element != .string, !tensor.type.element.isPacked else {
            others.append(tensor)
            return
        }
        try reserve(used + tensor.byteCount, in: scope)
        guard tensor.byteCount > 0, let base = buffer?.elements(as: UInt8.self).baseAddress else { return }
        tensor.withBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            UnsafeMutableRawPointer(base + used).copyMemory(from: source, byteCount: bytes.count)
        }
        used += tensor.byteCount
    }

    private mutating func reserve(_ wanted: Int, in scope: any Scope) throws(Misfit) {
        let held = buffer?.storage.byteCount ?? 0
        guard wanted > held else { return }
        let larger = try scope.allocate(TensorType(.uint8, extents: [max(wanted, 2 * held)]))
        if let buffer, used > 0 { larger.storage.base.copyMemory(from: buffer.storage.base, byteCount: used) }
        buffer = larger
    }

    /// One tensor of all slices along a new axis, the last one first where `isReversed`; `empty` is its type when there
    /// are none.
    func joined(
        along axis: Int = 0, isReversed: Bool = false, empty: ValueType, in scope: any Scope
    ) throws(Misfit) -> Datum {
        guard let slice, let inner = slice.extents else { return try nothing(empty, in: scope) }
        let along = try resolvedAxis(axis, rank: inner.count + 1, name: "scan_output_axes")
        guard others.isEmpty else { return try concatenated(along, isReversed, inner, in: scope) }
        let stacked = TensorType(slice.element, extents: [count] + inner)
        guard let whole = Tensor(stacked, storage: buffer?.storage ?? Storage(uninitialised: 0)) else {
            throw .missing(name)
        }
        if along == 0, !isReversed { return .tensor(whole) }
        var extents = inner
        extents.insert(count, at: along)
        let output = try scope.allocate(TensorType(slice.element, extents: extents))
        var strides = Array(rowMajorStrides(stacked.extents ?? []).dropFirst())
        let step = inner.product
        strides.insert(isReversed ? -step : step, at: along)
        let move = Move(
            input: 0, source: isReversed ? (count - 1) * step : 0, extents: extents, sourceStrides: strides,
            targetStrides: rowMajorStrides(extents))
        let kernel = MoveKernel(width: slice.element.byteWidth, [move], on: scope.instructionSet)
        try scope.run(kernel, inputs: [whole], outputs: [output])
        return .tensor(output.finished)
    }

    private func concatenated(
        _ along: Int, _ isReversed: Bool, _ inner: [Int], in scope: any Scope
    ) throws(Misfit) -> Datum {
        var extents = inner
        extents.insert(1, at: along)
        let ordered = isReversed ? others.reversed() : others
        let wide: [Datum?] = ordered.map { $0.reshaped(to: extents).map(Datum.tensor) }
        return try performOne(Concat(axis: along), wide, in: scope)
    }

    /// No trip was made: extents that are not declared count as 0.
    private func nothing(_ type: ValueType, in scope: any Scope) throws(Misfit) -> Datum {
        guard case .tensor(let tensor) = type else {
            throw .kind(of: name, expected: "a tensor", got: "\(type)")
        }
        let extents = tensor.shape?.dimensions.map { $0.fixed ?? 0 } ?? [0]
        if tensor.element == .string, let empty = Tensor(extents: extents, strings: []) {
            return .tensor(empty)
        }
        let output = try scope.allocate(TensorType(tensor.element, extents: extents))
        output.storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: output.storage.byteCount)
        return .tensor(output.finished)
    }
}
