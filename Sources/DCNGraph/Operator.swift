/// What a node does: its attributes, its shape rule, and how it runs. A plain value.
public protocol Operator: Sendable, Hashable, Codable {
    /// The canonical name: ONNX's, where ONNX has the operator.
    static var name: String { get }

    /// The types of all outputs, with what is known of extents.
    ///
    /// Says everything there is to say about whether the inputs fit. With concrete input types (and known values
    /// where shapes follow from values) the output types are concrete, unless they depend on data.
    func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType]

    /// How the operator runs on concrete types; cheap, called once when a plan is made.
    func execution(for call: Call) throws(Misfit) -> Execution

    /// What layouts the operator takes and gives.
    func layoutRule(for inputs: Inputs) -> LayoutRule

    /// Integer outputs in row-major order, as far as they follow from shapes alone; one entry per output.
    func dimensions(for inputs: Inputs) -> [[Dimension]?]

    /// Whether equal inputs give equal outputs and nothing else happens.
    var isPure: Bool { get }

    /// How a standard ONNX file of an operator set version spells the operator; throws where it has no such spelling.
    func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode

    /// Multiply-adds of one execution on concrete types.
    func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int
}

extension Operator {
    /// Row-major in and out.
    public func layoutRule(for inputs: Inputs) -> LayoutRule { .rowMajor }
    /// Nothing is known.
    public func dimensions(for inputs: Inputs) -> [[Dimension]?] { [] }
    /// Most operators are.
    public var isPure: Bool { true }
    /// None worth counting.
    public func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int { 0 }

    /// Has no standard spelling.
    public func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        throw .unsupported("\(Self.name) has no standard ONNX spelling")
    }

    /// The name of the operator's type.
    public var name: String { Self.name }

    /// The dimensions of each output of these types: nil where their number is not that of the elements.
    package func dimensions(for inputs: Inputs, fitting types: [ValueType?]) -> [[Dimension]?] {
        zip(dimensions(for: inputs), types).map { dimensions, type in
            guard let extents = type?.tensor?.extents else { return dimensions }
            return elementCount(of: extents) == dimensions?.count ? dimensions : nil
        }
    }

    /// Whether another operator is the same with the same attributes.
    package func isEqual(to other: any Operator) -> Bool {
        func compare<O: Operator>(_ other: O) -> Bool { (self as? O) == other }
        return compare(other)
    }
}

/// What an operator wants of the layouts of its operands.
public enum LayoutRule: Sendable, Hashable {
    /// Everything row-major.
    case rowMajor
    /// These inputs and outputs channels last, by index; those in `either` as they come; all others row-major.
    case channelsLast(inputs: Set<Int>, outputs: Set<Int>, either: Set<Int> = [])
    /// Either: if one of these inputs is channels last, all of them are, and so are these outputs.
    case follow(inputs: Set<Int>, outputs: Set<Int>)
}

/// An operator that can write its result in either layout.
public protocol ResultLayoutChoosing: Operator {
    /// The operator that writes it so; nil where there is no choice.
    func giving(_ layout: Layout) -> (any Operator)?
}

/// An operator that can read constants in a form of its own, made once at conversion.
public protocol Packable: Operator {
    /// The operator that reads the packed form, and the constants that take the place of its inputs; nil where it stays.
    func packed(for inputs: Inputs, choices: PackingChoices) throws(Misfit) -> PackedForm?
}

/// What a conversion allows the forms of weights to do.
public struct PackingChoices: Sendable, Hashable {
    /// How much rounding the fast forms may add.
    public var accuracy: Accuracy
    /// Whether the result reaches sampling offsets, where rounding moves the samples.
    public var feedsOffsets: Bool
    /// Choices from their parts.
    public init(accuracy: Accuracy = .default, feedsOffsets: Bool = false) {
        self.accuracy = accuracy
        self.feedsOffsets = feedsOffsets
    }
}

/// How much rounding error fast algorithms may add.
public enum Accuracy: String, Sendable, Hashable, Codable, CaseIterable {
    /// No more than the direct sum.
    case exact
    /// About four times the direct sum's.
    case `default`
    /// About eight times the direct sum's.
    case fast
}

/// An operator after packing.
public struct PackedForm: Sendable {
    /// What runs.
    public var op: any Operator
    /// New constants by input position.
    public var constants: [Int: Tensor]
    /// A packed form from its parts.
    public init(_ op: any Operator, constants: [Int: Tensor]) {
        self.op = op
        self.constants = constants
    }
}

/// How an operator runs.
public enum Execution: Sendable {
    case kernel(any Kernel)
    case routine(any Routine)
}

/// An operator that samples where some of its inputs say.
public protocol OffsetReading: Operator {
    /// The positions of inputs that move samples.
    var offsetInputs: [Int] { get }
}
