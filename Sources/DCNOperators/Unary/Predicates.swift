package import DCNGraph

/// y = not x.
package struct Not: Operator {
    package static let name = "Not"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect([.bool])
        return [.tensor(x.type)]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .kernel(try MapRows(try call.input(0), cost: 1).kernel { (x: UInt8) in x == 0 ? 1 : 0 as UInt8 })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name)
    }
}

/// y = whether x is NaN.
package struct IsNaN: Operator {
    package static let name = "IsNaN"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] { try testedTypes(inputs) }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .kernel(try testKernel(Self.name, try call.input(0)) { $0.isNaN })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: 9)
    }
}

/// y = whether x is infinite, of a sign that is asked for.
package struct IsInf: Operator {
    package static let name = "IsInf"
    /// Whether −∞ counts.
    package var detectsNegative: Bool
    /// Whether ∞ counts.
    package var detectsPositive: Bool
    package init(detectsNegative: Bool = true, detectsPositive: Bool = true) {
        self.detectsNegative = detectsNegative
        self.detectsPositive = detectsPositive
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] { try testedTypes(inputs) }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (negative, positive) = (detectsNegative, detectsPositive)
        return .kernel(
            try testKernel(Self.name, try call.input(0)) { x in
                x.isInfinite && (x < 0 ? negative : positive)
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            Self.name,
            [
                ("detect_negative", .int(detectsNegative ? 1 : 0)),
                ("detect_positive", .int(detectsPositive ? 1 : 0)),
            ],
            since: 10)
    }
}

private func testedTypes(_ inputs: Inputs) throws(Misfit) -> [ValueType] {
    let x = try inputs.required(0, "X")
    try x.expect(.floats + .eightBitFloats)
    return [.tensor(TensorType(.bool, x.type.shape, layout: x.type.layout))]
}

private func testKernel(
    _ name: String, _ type: TensorType, _ test: @escaping @Sendable (Double) -> Bool
) throws(Misfit) -> TileKernel {
    let rows = try MapRows(type, cost: 2)
    switch type.element {
    case .float32: return rows.kernel { (x: Float) in test(Double(x)) ? 1 : 0 as UInt8 }
    case .float64: return rows.kernel { (x: Double) in test(x) ? 1 : 0 as UInt8 }
    default:
        guard let format = NarrowFloat(type.element) else { throw noKernel(name, for: type.element) }
        if type.element.byteWidth == 1 {
            return rows.kernel { (x: UInt8) in test(format.decoded(UInt32(x))) ? 1 : 0 as UInt8 }
        }
        return rows.kernel { (x: UInt16) in test(format.decoded(UInt32(x))) ? 1 : 0 as UInt8 }
    }
}
