package import DCNGraph

/// Running maxima or minima along `axis`, and the (later) index of each, int64. NaN stays once met.
package struct CumulativeExtreme: Operator {
    package static let name = "CumulativeExtreme"
    /// -rank … rank - 1.
    package var axis: Int
    /// Minima, else maxima.
    package var isMinimum: Bool

    package init(axis: Int, isMinimum: Bool) {
        self.axis = axis
        self.isMinimum = isMinimum
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        if let rank = data.rank { _ = try resolvedAxis(axis, rank: rank, name: "dim") }
        let types: [ValueType] = [
            .tensor(TensorType(data.element, data.shape)), .tensor(TensorType(.int64, data.shape)),
        ]
        return Array(types.prefix(max(1, inputs.outputCount)))
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        switch try call.input(0).element {
        case .float32: return .kernel(try kernel(call, Float.self))
        case .float64: return .kernel(try kernel(call, Double.self))
        case .int32: return .kernel(try kernel(call, Int32.self))
        case .int64: return .kernel(try kernel(call, Int64.self))
        case let element: throw .unsupported("cummax and cummin of \(element)")
        }
    }

    private func kernel<T: OrderKeyed>(_ call: Call, _ type: T.Type) throws(Misfit) -> TileKernel {
        let extents = try call.extents(0)
        let along = try resolvedAxis(axis, rank: extents.count)
        let count = extents[along]
        let inner = extents[(along + 1)...].product
        let isMinimum = self.isMinimum
        let notANumber = Float.nan.orderKey
        let doubleNaN = Double.nan.orderKey
        let tiling = Tiling(count == 0 ? 0 : inner * extents[..<along].product, cost: 2 * count)
        return TileKernel(tiles: tiling.tiles) { tile, frame in
            let values = frame.optionalOutput(0, as: type)
            let places = frame.optionalOutput(1, as: Int64.self)
            for line in tiling[tile] {
                let start = line / inner * count * inner + line % inner
                let x = frame.input(0, as: type) + start
                var best = 0
                for index in 0..<count {
                    let key = x[index * inner].orderKey
                    let held = x[best * inner].orderKey
                    let isNaN =
                        type == Float.self && key == notANumber || type == Double.self && key == doubleNaN
                    let holdsNaN =
                        type == Float.self && held == notANumber || type == Double.self && held == doubleNaN
                    if isNaN || !holdsNaN && (isMinimum ? key <= held : key >= held) { best = index }
                    values?[start + index * inner] = x[best * inner]
                    places?[start + index * inner] = Int64(best)
                }
            }
        }
    }
}
