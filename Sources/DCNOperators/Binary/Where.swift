internal import CKernels
package import DCNGraph

/// y = condition ? a : b, of any type; NaN in what is not chosen has no say.
package struct Where: Operator {
    package static let name = "Where"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let condition = try inputs.required(0, "condition")
        let a = try inputs.required(1, "X")
        let b = try inputs.required(2, "Y")
        try condition.expect([.bool])
        try b.expectSameElement(as: a)
        guard !a.element.isPacked else {
            throw .element(of: "X", expected: "a type of whole bytes", got: a.element)
        }
        return [.tensor(try broadcastType(a.element, [condition, a, b]))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { broadcastLayoutRule(inputs.types) }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard inputs.count == 3, let choices = inputs.constants[0]?.tensor, choices.extents.count <= 1,
            let flags = choices.integers, let a = shapeLike(inputs, 1), let b = shapeLike(inputs, 2)
        else { return [nil] }
        let count = [flags.count, a.count, b.count].max() ?? 0
        guard [flags.count, a.count, b.count].allSatisfy({ $0 == count || $0 == 1 }) else { return [nil] }
        func pick<T>(_ values: [T], _ index: Int) -> T { values[values.count == 1 ? 0 : index] }
        return [(0..<count).map { pick(flags, $0) != 0 ? pick(a, $0) : pick(b, $0) }]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let types = [try call.input(0), try call.input(1), try call.input(2)]
        if types[1].element == .string { return .routine(ValueRoutine(chooseStrings)) }
        let output = try call.output(0)
        let walk = try Broadcast(types, output: output).walk(a: 1, b: 2, c: 0)
        guard let run = try kernelTable(call.instructionSet).where else {
            throw noKernel(Self.name, for: types[1].element)
        }
        let width = output.element.byteWidth
        return .kernel(
            TileKernel(tiles: walk.tiles, inPlace: sharedBytes(types, output).filter { $0.input > 0 }) {
                tile, frame in
                walk.forEach(in: tile) { shape, offset in
                    var shape = shape
                    run(
                        width, &shape, frame.input(0, as: UInt8.self) + offset[2],
                        frame.input(1, as: UInt8.self) + offset[0] * width,
                        frame.input(2, as: UInt8.self) + offset[1] * width,
                        frame.output(0, as: UInt8.self) + offset[3] * width)
                }
            })
    }

    private func chooseStrings(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> [Datum?] {
        let types = try boundedOutputTypes(for: Inputs(values.map { $0?.type }))
        let tensors = values.compactMap { $0?.tensor }
        guard tensors.count == 3, let type = types.first?.tensor, let extents = type.extents else {
            throw .missing("an operand")
        }
        let flags = tensors[0].elements(as: UInt8.self)
        var result = [ByteString](repeating: ByteString([]), count: type.elementCount ?? 0)
        try forEachIndex(tensors.map(\.type), type) {
            result[$0[3]] = flags[$0[0]] != 0 ? tensors[1].strings[$0[1]] : tensors[2].strings[$0[2]]
        }
        return [Tensor(extents: extents, strings: result).map(Datum.tensor)]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: 9)
    }
}
