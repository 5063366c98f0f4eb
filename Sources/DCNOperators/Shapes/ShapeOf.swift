package import DCNGraph

/// The extents from axis `start` up to `end`, int64; out-of-range axes are clamped.
package struct ShapeOf: Operator {
    package static let name = "Shape"
    /// First axis, negative ones from the back.
    package var start: Int
    /// One past the last axis; nil for all.
    package var end: Int?

    package init(start: Int = 0, end: Int? = nil) {
        self.start = start
        self.end = end
    }

    private func axes(rank: Int) -> Range<Int> {
        func clamped(_ axis: Int) -> Int { min(max(axis < 0 ? axis + rank : axis, 0), rank) }
        let first = clamped(start)
        return first..<max(first, clamped(end ?? rank))
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let count = data.rank.map { Dimension.fixed(axes(rank: $0).count) } ?? .unknown
        return [.tensor(TensorType(.int64, Shape([count])))]
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard let shape = inputs.types.first??.tensor?.shape else { return [nil] }
        return [Array(shape.dimensions[axes(rank: shape.rank)])]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        guard type.element != .string, let extents = type.extents else {
            return .routine(
                ValueRoutine { (values, _) throws(Misfit) in
                    guard let extents = values[0]?.tensor?.extents else { throw .missing("data") }
                    return [.tensor(vector(Array(extents[axes(rank: extents.count)])))]
                })
        }
        return .kernel(NumbersKernel(Array(extents[axes(rank: extents.count)])))
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: []) }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        if start == 0, end == nil { return WrittenNode("Shape") }
        return WrittenNode(
            "Shape", [("start", .int(start))] + (end.map { [("end", .int($0))] } ?? []), since: 15)
    }
}

/// How many elements there are, int64.
package struct Size: Operator {
    package static let name = "Size"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        _ = try inputs.required(0, "data")
        return [.tensor(TensorType(.int64, []))]
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard let shape = inputs.types.first??.tensor?.shape else { return [nil] }
        return [[.product(shape.dimensions)]]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        guard type.element != .string, let count = type.elementCount else {
            return .routine(
                ValueRoutine { (values, _) throws(Misfit) in
                    guard let tensor = values[0]?.tensor else { throw .missing("data") }
                    return [.tensor(Tensor(scalar: Int64(tensor.count)))]
                })
        }
        return .kernel(NumbersKernel([count]))
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: []) }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode { WrittenNode("Size") }
}

/// Writes numbers that were known before.
struct NumbersKernel: Kernel {
    private let numbers: [Int64]
    init(_ numbers: [Int]) { self.numbers = numbers.map(Int64.init) }
    var tileCount: Int { numbers.isEmpty ? 0 : 1 }
    func run(tile: Int, in frame: Frame) {
        let output = frame.output(0, as: Int64.self)
        for index in numbers.indices { output[index] = numbers[index] }
    }
}
