package import DCNGraph

/// Data with elements replaced or joined: inputs data, indices, updates. The update at [i, …] goes to data's [i, …]
/// with the index along `axis` replaced by indices[i, …]; later ones come after earlier ones. Of maxima and minima
/// NaN wins.
package struct ScatterElements: MovementOperator {
    package static let name = "ScatterElements"
    /// -rank … rank - 1.
    package var axis: Int
    /// What an element and its update become.
    package var reduction: Reduction

    package init(axis: Int = 0, reduction: Reduction = .none) {
        self.axis = axis
        self.reduction = reduction
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let indices = try inputs.required(1, "indices")
        let updates = try inputs.required(2, "updates")
        try indices.expectIndices()
        try updates.expectSameElement(as: data)
        try expectWithin(indices, data, axis: axis)
        if let shape = indices.shape {
            try updates.expectRank(shape.rank)
            for axis in 0..<shape.rank { try updates.expect(shape[axis], along: axis, because: "as indices") }
        }
        return [.tensor(TensorType(data.element, data.shape))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let walk = try ElementWalk(call, axis: axis)
        let element = walk.element
        let count = try call.extents(1).product
        let type = try call.input(0)
        return try scatterKernel(
            type, reduction, call, updates: count, sliceCount: 1, check: walk.check
        ) { index, frame in walk.place(of: index, IndexReader(frame, 1, element)) }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        let axis = ("axis", SourceAttribute.int(axis))
        switch reduction {
        case .none: return WrittenNode("ScatterElements", [axis], since: 11)
        case .add, .mul:
            return WrittenNode("ScatterElements", [axis, ("reduction", reduction.attribute)], since: 16)
        case .max, .min:
            return WrittenNode("ScatterElements", [axis, ("reduction", reduction.attribute)], since: 18)
        }
    }
}

/// Data with slices replaced or joined: inputs data, indices […, n], updates; a tuple of n indices addresses a slice.
/// Of maxima and minima NaN wins.
package struct ScatterND: MovementOperator {
    package static let name = "ScatterND"
    /// What an element and its update become.
    package var reduction: Reduction

    package init(reduction: Reduction = .none) { self.reduction = reduction }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let indices = try inputs.required(1, "indices")
        let updates = try inputs.required(2, "updates")
        try indices.expect([.int64])
        try updates.expectSameElement(as: data)
        if let shape = data.shape, let own = indices.shape {
            guard own.rank > 0 else { throw .rank(of: "indices", expected: "1 or more", got: 0) }
            if let length = own[own.rank - 1].fixed {
                guard length <= shape.rank else {
                    throw .extent(
                        of: "indices", axis: own.rank - 1, expected: "at most \(shape.rank)",
                        got: "\(length)",
                        because: "axes of data")
                }
                let expected = own.dimensions.dropLast() + shape.dimensions[length...]
                try updates.expectRank(expected.count)
                for (axis, extent) in expected.enumerated() {
                    try updates.expect(extent, along: axis, because: "indices and data")
                }
            }
        }
        return [.tensor(TensorType(data.element, data.shape))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let tuples = try IndexTuples(call)
        return try scatterKernel(
            try call.input(0), reduction, call, updates: tuples.count, sliceCount: tuples.sliceCount,
            check: tuples.check
        ) { index, frame in tuples.slice(index, IndexReader(frame, 1, .int64)) }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        switch reduction {
        case .none: WrittenNode("ScatterND", since: 11)
        case .add, .mul: WrittenNode("ScatterND", [("reduction", reduction.attribute)], since: 16)
        case .max, .min: WrittenNode("ScatterND", [("reduction", reduction.attribute)], since: 18)
        }
    }
}

extension Reduction {
    fileprivate var attribute: SourceAttribute { .string(ByteString(rawValue)) }
}

/// Copies input 0 and then takes the updates one after another; `place` says which slice each goes to.
private func scatterKernel(
    _ type: TensorType, _ reduction: Reduction, _ call: Call, updates: Int, sliceCount: Int,
    check: @escaping @Sendable (Frame) -> Misfit?, place: @escaping @Sendable (Int, Frame) -> Int
) throws(Misfit) -> TileKernel {
    guard let byteCount = type.byteCount else { throw .missing("the shape of data") }
    let join = try slicer(type.element, reduction, sliceCount)
    return TileKernel(tiles: byteCount == 0 ? 0 : 1, inPlace: [InPlace(output: 0, input: 0)], check: check) {
        _, frame in
        let x = frame.input(0, as: UInt8.self)
        let y = frame.output(0, as: UInt8.self)
        if x != UnsafePointer(y) { UnsafeMutableRawPointer(y).copyMemory(from: x, byteCount: byteCount) }
        let source = UnsafeRawPointer(frame.input(2, as: UInt8.self))
        for index in 0..<updates { join(source, index, UnsafeMutableRawPointer(y), place(index, frame)) }
    }
}

/// Joins slice `source` of the updates to slice `target` of the output.
private typealias Slicer = @Sendable (UnsafeRawPointer, Int, UnsafeMutableRawPointer, Int) -> Void

private func slicer(_ element: ElementType, _ reduction: Reduction, _ count: Int) throws(Misfit) -> Slicer {
    if reduction == .none {
        let bytes = count * element.byteWidth
        return { source, from, target, to in
            (target + to * bytes).copyMemory(from: source + from * bytes, byteCount: bytes)
        }
    }
    switch element {
    case .float32: return joiner(Float.self, reduction, count)
    case .float64: return joiner(Double.self, reduction, count)
    case .int8: return joiner(Int8.self, reduction, count)
    case .int16: return joiner(Int16.self, reduction, count)
    case .int32: return joiner(Int32.self, reduction, count)
    case .int64: return joiner(Int64.self, reduction, count)
    case .uint8: return joiner(UInt8.self, reduction, count)
    case .uint16: return joiner(UInt16.self, reduction, count)
    case .uint32: return joiner(UInt32.self, reduction, count)
    case .uint64: return joiner(UInt64.self, reduction, count)
    case .bool: return joiner(UInt8.self, reduction.ofBooleans, count)
    default: throw .unsupported("scattering \(element) by \(reduction.rawValue)")
    }
}

extension Reduction {
    /// The reduction of bytes 0 and 1 that means this one of booleans.
    fileprivate var ofBooleans: Reduction {
        switch self {
        case .none: .none
        case .add, .max: .max
        case .mul, .min: .min
        }
    }
}

private func joiner<T: Reducible>(_ type: T.Type, _ reduction: Reduction, _ count: Int) -> Slicer {
    { source, from, target, to in
        let x = source.assumingMemoryBound(to: type) + from * count
        let y = target.assumingMemoryBound(to: type) + to * count
        for index in 0..<count { y[index] = y[index].joined(x[index], by: reduction) }
    }
}
