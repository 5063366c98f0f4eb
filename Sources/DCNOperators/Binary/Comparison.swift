internal import CKernels
package import DCNGraph

/// An operator that compares two operands; nothing is less than, greater than or equal to NaN.
package protocol ComparisonMap: Operator {
    /// The element types that the standard allows.
    static var elements: [ElementType] { get }
    /// The least operator set version with this form.
    static var since: Int { get }
    /// The number of the comparison in C.
    static var code: UInt32 { get }
    /// The formula.
    static func compare<T: Comparable>(_ a: T, _ b: T) -> Bool
}

extension ComparisonMap {
    package static var elements: [ElementType] { .numbers }
    package static var since: Int { 9 }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let a = try inputs.required(0, "A")
        let b = try inputs.required(1, "B")
        try a.expect(Self.elements)
        try b.expectSameElement(as: a)
        return [.tensor(try broadcastType(.bool, [a, b]))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { broadcastLayoutRule(inputs.types) }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: Self.since)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try numberExecution(for: call)
    }

    /// How numbers are compared.
    func numberExecution(for call: Call) throws(Misfit) -> Execution {
        let element = try call.input(0).element
        let walk = try Broadcast([try call.input(0), try call.input(1)], output: try call.output(0)).walk(
            a: 0, b: 1)
        let kernels = try KernelTable(call.instructionSet)
        let kernel: TileKernel? =
            switch element {
            case .float32: compareKernel(Float.self, kernels, Self.code, walk)
            case .float64: compareKernel(Double.self, kernels, Self.code, walk)
            case .int32: compareKernel(Int32.self, kernels, Self.code, walk)
            case .int64: compareKernel(Int64.self, kernels, Self.code, walk)
            case .bool: ComparisonBody<Self>(walk: walk).run(UInt8.self)
            default: withInteger(element, ComparisonBody<Self>(walk: walk))
            }
        guard let kernel else { throw noKernel(Self.name, for: element) }
        return .kernel(kernel)
    }
}

private struct ComparisonBody<Op: ComparisonMap>: IntegerBody {
    let walk: BroadcastWalk
    func run<T: FixedWidthInteger & Element>(_ type: T.Type) -> TileKernel {
        pairKernel(walk) { (a: T, b: T) in Op.compare(a, b) ? 1 : 0 as UInt8 }
    }
}

private func compareKernel<T: PairElement>(
    _ type: T.Type, _ kernels: KernelTable, _ code: UInt32, _ walk: BroadcastWalk
) -> TileKernel {
    TileKernel(tiles: walk.tiles) { tile, frame in
        walk.forEach(in: tile) { shape, offset in
            T.compare(
                kernels, dcn_compare(rawValue: code), shape, frame.input(0, as: T.self) + offset[0],
                frame.input(1, as: T.self) + offset[1], frame.output(0, as: UInt8.self) + offset[3])
        }
    }
}

/// y = whether a equals b, of strings too. NaN equals nothing, and 0 equals −0.
package struct Equal: ComparisonMap {
    package static let name = "Equal"
    package static let elements = [ElementType].numbers + [.bool, .string]
    package static let since = 19
    package static let code = DCN_COMPARE_EQUAL.rawValue
    package init() {}
    package static func compare<T: Comparable>(_ a: T, _ b: T) -> Bool { a == b }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.input(0).element == .string else { return try numberExecution(for: call) }
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let (a, b, type) = try stringPair(values, giving: self)
                let output = try scope.allocate(type)
                let target = output.elements(as: UInt8.self)
                try forEachIndex([a.type, b.type], type) {
                    target[$0[3]] = a.strings[$0[0]] == b.strings[$0[1]] ? 1 : 0
                }
                return [.tensor(output.finished)]
            })
    }
}

/// y = a < b; false where either is NaN.
package struct Less: ComparisonMap {
    package static let name = "Less"
    package static let code = DCN_COMPARE_LESS.rawValue
    package init() {}
    package static func compare<T: Comparable>(_ a: T, _ b: T) -> Bool { a < b }
}

/// y = a ≤ b; false where either is NaN.
package struct LessOrEqual: ComparisonMap {
    package static let name = "LessOrEqual"
    package static let since = 12
    package static let code = DCN_COMPARE_LESS_OR_EQUAL.rawValue
    package init() {}
    package static func compare<T: Comparable>(_ a: T, _ b: T) -> Bool { a <= b }
}

/// y = a > b; false where either is NaN.
package struct Greater: ComparisonMap {
    package static let name = "Greater"
    package static let code = DCN_COMPARE_GREATER.rawValue
    package init() {}
    package static func compare<T: Comparable>(_ a: T, _ b: T) -> Bool { a > b }
}

/// y = a ≥ b; false where either is NaN.
package struct GreaterOrEqual: ComparisonMap {
    package static let name = "GreaterOrEqual"
    package static let since = 12
    package static let code = DCN_COMPARE_GREATER_OR_EQUAL.rawValue
    package init() {}
    package static func compare<T: Comparable>(_ a: T, _ b: T) -> Bool { a >= b }
}
