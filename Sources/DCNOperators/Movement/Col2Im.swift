package import DCNGraph

/// Adds columns of blocks up to an image: inputs input [N, C × block, L], image_shape, block_shape; gives
/// [N, C, image…]. Block l, element k of it lands at l · strides + k · dilations - pads. A sum of booleans is true where
/// one of them is; one of strings is not defined. NaN and infinities follow IEEE 754.
package struct Col2Im: Operator {
    package static let name = "Col2Im"
    /// Distances of elements in a block; nil for ones.
    package var dilations: [Int]?
    /// All begins, then all ends; nil for none.
    package var pads: [Int]?
    /// Distances of blocks; nil for ones.
    package var strides: [Int]?

    package init(dilations: [Int]? = nil, pads: [Int]? = nil, strides: [Int]? = nil) {
        self.dilations = dilations
        self.pads = pads
        self.strides = strides
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input", rank: 3)
        try data.expect(.numbers + [.bool, .complex64, .complex128, .string])
        if data.element == .string {
            throw .unsupported("Col2Im on strings, whose sums the standard does not define")
        }
        let image = try inputs.required(1, "image_shape", rank: 1)
        let block = try inputs.required(2, "block_shape", rank: 1)
        for operand in [image, block] { try operand.expect([.int64]) }
        let counts = (try image.axisCount(), try block.axisCount())
        guard let count = counts.0 ?? counts.1 else {
            return [.tensor(TensorType(data.element, nil))]
        }
        let images = image.dimensions ?? Array(repeating: .unknown, count: count)
        guard let blocks = block.integers else {
            return [.tensor(TensorType(data.element, Shape([data.dimension(0), .unknown] + images)))]
        }
        let geometry = try Geometry(self, images, blocks)
        var channels = Dimension.unknown
        if let rows = data.dimension(1).fixed {
            let size = try geometry.blockCount()
            guard rows % size == 0 else {
                throw .extent(
                    of: "input", axis: 1, expected: "a multiple of \(size)", got: "\(rows)", because: "block")
            }
            channels = .fixed(rows / size)
        }
        if let columns = try geometry.columns() {
            try data.expect(columns.product, along: 2, because: "one for each place of the block")
        }
        return [.tensor(TensorType(data.element, Shape([data.dimension(0), channels] + images)))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled([1, 2]) else {
            return .routine(LateRoutine(op: self, outputs: call.outputs))
        }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        guard let blocks = call.constant(2)?.integers else { throw .missing("the value of block_shape") }
        let extents = try call.outputExtents(0)
        let geometry = try Geometry(self, extents[2...].map(Dimension.fixed), blocks)
        let planes = extents[0] * extents[1]
        switch try call.input(0).element {
        case .float32: return .kernel(try geometry.kernel(planes, as: Float.self))
        case .float64: return .kernel(try geometry.kernel(planes, as: Double.self))
        case .int8: return .kernel(try geometry.kernel(planes, as: Int8.self))
        case .int16: return .kernel(try geometry.kernel(planes, as: Int16.self))
        case .int32: return .kernel(try geometry.kernel(planes, as: Int32.self))
        case .int64: return .kernel(try geometry.kernel(planes, as: Int64.self))
        case .uint8: return .kernel(try geometry.kernel(planes, as: UInt8.self))
        case .uint16: return .kernel(try geometry.kernel(planes, as: UInt16.self))
        case .uint32: return .kernel(try geometry.kernel(planes, as: UInt32.self))
        case .uint64: return .kernel(try geometry.kernel(planes, as: UInt64.self))
        case .bool: return .kernel(try geometry.kernel(planes, as: UInt8.self, by: .max))
        case .complex64, .complex128: return .routine(ComplexParts(real: self, imaginary: self))
        case let element: throw .unsupported("Col2Im on \(element)")
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = []
        if let dilations { attributes.append(("dilations", .ints(dilations))) }
        if let pads { attributes.append(("pads", .ints(pads))) }
        if let strides { attributes.append(("strides", .ints(strides))) }
        return WrittenNode("Col2Im", attributes, since: 18)
    }
}

/// Where blocks lie in an image.
private struct Geometry: Sendable {
    let image: [Dimension]
    let block: [Int]
    let dilations: [Int]
    let strides: [Int]
    let pads: [Int]

    init(_ op: Col2Im, _ image: [Dimension], _ block: [Int]) throws(Misfit) {
        let rank = image.count
        self.image = image
        self.block = block
        dilations = op.dilations ?? Array(repeating: 1, count: rank)
        strides = op.strides ?? Array(repeating: 1, count: rank)
        pads = op.pads ?? Array(repeating: 0, count: 2 * rank)
        guard block.count == rank else {
            throw .value(of: "block_shape", because: "holds \(block.count) numbers, expected \(rank)")
        }
        for (name, values, least) in [
            ("dilations", dilations, 1), ("strides", strides, 1), ("pads", pads, 0),
        ] {
            let expected = name == "pads" ? 2 * rank : rank
            guard values.count == expected else {
                throw .attribute(name, because: "has \(values.count) numbers, expected \(expected)")
            }
            if let bad = values.first(where: { $0 < least || $0 > Int(Int32.max) }) {
                throw .attribute(name, because: "holds \(bad), expected \(least) … \(Int32.max)")
            }
        }
        if let bad = (block + image.compactMap(\.fixed)).first(where: { $0 < 1 || $0 > Int(Int32.max) }) {
            throw .value(of: "block_shape", because: "or image_shape holds \(bad), expected 1 … \(Int32.max)")
        }
    }

    func blockCount() throws(Misfit) -> Int {
        guard let count = elementCount(of: block) else {
            throw .value(of: "block_shape", because: "is too large")
        }
        return count
    }

    /// How many places a block has along each axis.
    func columns() throws(Misfit) -> [Int]? {
        guard let extents = Shape(image).fixed else { return nil }
        let rank = extents.count
        var counts: [Int] = []
        for axis in 0..<rank {
            let room =
                extents[axis] + pads[axis] + pads[axis + rank] - dilations[axis] * (block[axis] - 1) - 1
            guard room >= 0 else {
                throw .value(of: "block_shape", because: "does not fit the image along axis \(axis)")
            }
            counts.append(room / strides[axis] + 1)
        }
        return counts
    }

    /// Sums one plane after another; a tile is a range of planes.
    func kernel<T: Reducible>(
        _ planes: Int, as type: T.Type, by reduction: Reduction = .add
    ) throws(Misfit) -> TileKernel {
        guard let places = try columns(), let extents = Shape(image).fixed else {
            throw .missing("image_shape")
        }
        let size = extents.product
        let blockSize = try blockCount()
        let count = places.product
        let tiling = Tiling(planes, cost: blockSize * count)
        return TileKernel(tiles: tiling.tiles) { tile, frame in
            for plane in tiling[tile] {
                let x = frame.input(0, as: type) + plane * blockSize * count
                let y = frame.output(0, as: type) + plane * size
                y.update(repeating: .zero, count: size)
                for k in 0..<blockSize {
                    for l in 0..<count {
                        guard let cell = cell(k, l, places, extents) else { continue }
                        y[cell] = y[cell].joined(x[k * count + l], by: reduction)
                    }
                }
            }
        }
    }

    /// The pixel under element `k` of block `l`; nil in the padding.
    private func cell(_ k: Int, _ l: Int, _ places: [Int], _ extents: [Int]) -> Int? {
        var (k, l) = (k, l)
        var cell = 0
        var stride = 1
        for axis in extents.indices.reversed() {
            let position = l % places[axis] * strides[axis] + k % block[axis] * dilations[axis] - pads[axis]
            guard position >= 0, position < extents[axis] else { return nil }
            cell += position * stride
            stride *= extents[axis]
            l /= places[axis]
            k /= block[axis]
        }
        return cell
    }
}
