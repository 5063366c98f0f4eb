package import DCNGraph

/// Runs its body for each slice of its scanned inputs: inputs states, scanned, then what the body captures. The body
/// takes (states…, slices…, captured…) and gives (states…, slices…); the node gives the last states, and the slices
/// stacked. Of no slices the states come out as they went in, and nothing is stacked.
package struct Scan: Operator {
    package static let name = "Scan"
    /// How many states there are.
    package var stateCount: Int
    /// How many inputs are scanned.
    package var scannedCount: Int
    /// The axis of each scanned input; empty for zeros.
    package var inputAxes: [Int]
    /// Whether each scanned input is read backwards; empty for no.
    package var inputsReversed: [Bool]
    /// The axis of each stacked output; empty for zeros.
    package var outputAxes: [Int]
    /// Whether each stacked output is written backwards; empty for no.
    package var outputsReversed: [Bool]

    package init(
        stateCount: Int, scannedCount: Int, inputAxes: [Int] = [], inputsReversed: [Bool] = [],
        outputAxes: [Int] = [], outputsReversed: [Bool] = []
    ) {
        self.stateCount = stateCount
        self.scannedCount = scannedCount
        self.inputAxes = inputAxes
        self.inputsReversed = inputsReversed
        self.outputAxes = outputAxes
        self.outputsReversed = outputsReversed
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let body = try inputs.body(0, "body")
        try checkCounts(inputs, body)
        var length = Dimension.unknown
        for index in 0..<scannedCount {
            let operand = try inputs.required(stateCount + index, "scan input \(index)")
            guard let rank = operand.rank else { continue }
            let axis = try resolvedAxis(axis(index, of: inputAxes), rank: rank, name: "scan_input_axes")
            try operand.expect(length, along: axis, because: "as the scan inputs before it")
            length = length.refined(by: operand.dimension(axis))
        }
        var types: [ValueType] = []
        for (index, given) in body.outputValueTypes.enumerated() {
            if index < stateCount {
                let initial = try inputs.requiredValue(index, "state \(index)")
                types.append(try initial.unified(with: given, name: "state \(index)"))
            } else {
                let along = axis(index - stateCount, of: outputAxes)
                types.append(
                    try given.withoutSymbols.stacked(along: along, count: length, name: "scan output"))
            }
        }
        return types
    }

    private func checkCounts(_ inputs: Inputs, _ body: Graph) throws(Misfit) {
        try body.expectCounts(inputs: inputs.count, outputs: inputs.outputCount)
        guard scannedCount > 0, stateCount >= 0, stateCount + scannedCount <= inputs.count,
            stateCount <= inputs.outputCount
        else {
            throw .attribute("num_scan_inputs", because: "is \(scannedCount), which the operands do not fit")
        }
        let stacked = inputs.outputCount - stateCount
        for (name, count, expected) in [
            ("scan_input_axes", inputAxes.count, scannedCount),
            ("scan_input_directions", inputsReversed.count, scannedCount),
            ("scan_output_axes", outputAxes.count, stacked),
            ("scan_output_directions", outputsReversed.count, stacked),
        ] where count != 0 && count != expected {
            throw .attribute(name, because: "has \(count) numbers, expected \(expected)")
        }
    }

    private func axis(_ index: Int, of axes: [Int]) -> Int { index < axes.count ? axes[index] : 0 }
    private func isReversed(_ index: Int, of flags: [Bool]) -> Bool { index < flags.count && flags[index] }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let body = call.bodies.first else { throw .missing("attribute body") }
        let types = body.outputValueTypes.dropFirst(stateCount).map(\.withoutSymbols)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let sources = try sources(values, in: scope)
                let length = sources.first?.count ?? 0
                guard sources.allSatisfy({ $0.count == length }) else {
                    throw .value(of: "scan inputs", because: "have different lengths")
                }
                return try run(values, sources, length: length, types, in: scope)
            })
    }

    /// The scanned inputs, to be read slice by slice.
    private func sources(_ values: [Datum?], in scope: any Scope) throws(Misfit) -> [SliceSource] {
        var sources: [SliceSource] = []
        for index in 0..<scannedCount {
            guard let tensor = values[stateCount + index]?.tensor else {
                throw .missing("scan input \(index)")
            }
            sources.append(try SliceSource(tensor, axis: axis(index, of: inputAxes), in: scope))
        }
        return sources
    }

    func run(
        _ values: [Datum?], _ sources: [SliceSource], length: Int, _ types: [ValueType], in scope: any Scope
    ) throws(Misfit) -> [Datum?] {
        var states = Array(values[..<stateCount])
        let captured = values[(stateCount + scannedCount)...]
        var stacks = types.indices.map { Stack(name: "scan output \($0)") }
        for trip in 0..<length {
            try scope.checkpoint()
            var slices: [Datum?] = []
            for (index, source) in sources.enumerated() {
                let place = isReversed(index, of: inputsReversed) ? length - 1 - trip : trip
                slices.append(try source.slice(place, in: scope))
            }
            let given = try scope.run(body: 0, states + slices + captured)
            guard given.count == stateCount + stacks.count else { throw .missing("values of the body") }
            states = given[..<stateCount].map { $0 }
            for index in stacks.indices { try stacks[index].append(given[stateCount + index], in: scope) }
        }
        for (index, stack) in stacks.enumerated() {
            let along = axis(index, of: outputAxes)
            let empty = try types[index].stacked(along: along, count: 0, name: "scan output")
            states.append(
                try stack.joined(
                    along: along, isReversed: isReversed(index, of: outputsReversed), empty: empty, in: scope)
            )
        }
        return states
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [("num_scan_inputs", .int(scannedCount))]
        if !inputAxes.isEmpty { attributes.append(("scan_input_axes", .ints(inputAxes))) }
        if !inputsReversed.isEmpty {
            attributes.append(("scan_input_directions", .ints(inputsReversed.map { $0 ? 1 : 0 })))
        }
        if !outputAxes.isEmpty { attributes.append(("scan_output_axes", .ints(outputAxes))) }
        if !outputsReversed.isEmpty {
            attributes.append(("scan_output_directions", .ints(outputsReversed.map { $0 ? 1 : 0 })))
        }
        return WrittenNode(
            "Scan", attributes, order: Array(0..<(stateCount + scannedCount)), bodies: ["body"],
            since: (inputAxes + outputAxes).contains { $0 < 0 } ? 11 : 9)
    }
}

/// A tensor read slice by slice along one axis; views where elements are whole bytes.
struct SliceSource {
    private let tensor: Tensor
    private let inner: [Int]
    /// How many slices there are.
    let count: Int

    /// Slices along `axis`, which is brought to the front once.
    init(_ tensor: Tensor, axis: Int, in scope: any Scope) throws(Misfit) {
        let rank = tensor.extents.count
        let along = try resolvedAxis(axis, rank: rank, name: "scan_input_axes")
        var front = tensor
        if along != 0 {
            let order = [along] + (0..<rank).filter { $0 != along }
            guard
                let turned = try performOne(Transpose(permutation: order), [.tensor(tensor)], in: scope)
                    .tensor
            else {
                throw .missing("a scan input")
            }
            front = turned
        }
        self.tensor = front
        count = front.extents[0]
        inner = Array(front.extents.dropFirst())
    }

    /// Slice `index`.
    func slice(_ index: Int, in scope: any Scope) throws(Misfit) -> Datum {
        let element = tensor.type.element
        let size = inner.product
        if element == .string {
            let part = Array(tensor.strings[(index * size)..<((index + 1) * size)])
            guard let slice = Tensor(extents: inner, strings: part) else { throw .missing("a slice") }
            return .tensor(slice)
        }
        if element.isPacked {
            return try performOne(
                Gather(), [.tensor(tensor), .tensor(Tensor(scalar: Int64(index)))], in: scope)
        }
        let type = TensorType(element, extents: inner)
        let offset = tensor.byteOffset + index * size * element.byteWidth
        guard let slice = Tensor(type, storage: tensor.storage, byteOffset: offset) else {
            throw .missing("a slice")
        }
        return .tensor(slice)
    }
}
