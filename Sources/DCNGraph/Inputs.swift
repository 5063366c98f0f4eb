/// What is known of a node's operands when its types are inferred.
public struct Inputs: Sendable {
    /// One entry per input as written; nil where an optional input is left out.
    public var types: [ValueType?]
    /// Values that are known: constants, and at planning also what follows from shapes.
    public var constants: [Datum?]
    /// Integer values known element by element in row-major order, maybe symbolically.
    public var knownDimensions: [[Dimension]?]
    /// The graphs in the node, closed: what they capture comes as trailing inputs.
    public var bodies: [Graph]
    /// How many outputs the node has.
    public var outputCount: Int

    /// Operands of which only types are known.
    public init(
        _ types: [ValueType?], constants: [Datum?] = [], knownDimensions: [[Dimension]?] = [],
        bodies: [Graph] = [], outputCount: Int = 1
    ) {
        self.types = types
        self.constants = constants + Array(repeating: nil, count: max(0, types.count - constants.count))
        self.knownDimensions =
            knownDimensions + Array(repeating: nil, count: max(0, types.count - knownDimensions.count))
        self.bodies = bodies
        self.outputCount = outputCount
    }

    /// How many inputs are written, left-out ones in the middle included.
    public var count: Int { types.count }

    /// Whether input `index` is given.
    public func has(_ index: Int) -> Bool { index < types.count && types[index] != nil }

    /// The value of input `index`, when it is a tensor that is known.
    public func constant(_ index: Int) -> Tensor? { index < constants.count ? constants[index]?.tensor : nil }

    /// A tensor operand that must be there, of a rank if one is named.
    public func required(_ index: Int, _ name: String, rank: Int? = nil) throws(Misfit) -> Operand {
        guard let operand = try optional(index, name, rank: rank) else { throw .missing(name) }
        return operand
    }

    /// A tensor operand that may be left out.
    public func optional(_ index: Int, _ name: String, rank: Int? = nil) throws(Misfit) -> Operand? {
        guard index < types.count, let type = types[index] else { return nil }
        guard case .tensor(let tensor) = type else {
            throw .kind(of: name, expected: "a tensor", got: "\(type)")
        }
        let operand = Operand(
            name: name, type: tensor, constant: constants[index]?.tensor,
            knownDimensions: knownDimensions[index])
        if let rank { try operand.expectRank(rank) }
        return operand
    }

    /// The value type of any operand that must be there.
    public func requiredValue(_ index: Int, _ name: String) throws(Misfit) -> ValueType {
        guard index < types.count, let type = types[index] else { throw .missing(name) }
        return type
    }
}

/// One tensor operand: its type and what is known of its value.
public struct Operand: Sendable {
    /// What the operator calls it.
    public let name: String
    /// Its type.
    public let type: TensorType
    /// Its value, when known.
    public let constant: Tensor?
    /// Its integers, as far as they are known.
    public let knownDimensions: [Dimension]?

    /// Its element type.
    public var element: ElementType { type.element }
    /// Its shape, when the rank is known.
    public var shape: Shape? { type.shape }
    /// Its rank, when known.
    public var rank: Int? { type.shape?.rank }

    /// The extent along an axis; unknown where the rank is.
    public func dimension(_ axis: Int) -> Dimension {
        guard let shape = type.shape, axis < shape.rank else { return .unknown }
        return shape[axis]
    }

    /// The integers of a shape-like operand: from its value, else from what is known of it.
    public var dimensions: [Dimension]? {
        if let integers = constant?.integers { return integers.map(Dimension.fixed) }
        return knownDimensions
    }

    /// All integers, when all are known.
    public var integers: [Int]? { dimensions.flatMap { Shape($0).fixed } }

    /// Throws unless the rank is `rank` or unknown.
    public func expectRank(_ rank: Int) throws(Misfit) {
        guard let got = self.rank, got != rank else { return }
        throw .rank(of: name, expected: "\(rank)", got: got)
    }

    /// Throws unless the extent along `axis` is `extent` or unknown.
    public func expect(_ extent: Int, along axis: Int, because reason: String) throws(Misfit) {
        guard let got = dimension(axis).fixed, got != extent else { return }
        throw .extent(of: name, axis: axis, expected: "\(extent)", got: "\(got)", because: reason)
    }

    /// Throws unless the extent along `axis` is the same as `other` as far as both are known.
    public func expect(_ other: Dimension, along axis: Int, because reason: String) throws(Misfit) {
        if let extent = other.fixed { try expect(extent, along: axis, because: reason) }
    }

    /// Throws unless the element type is one of `allowed`.
    public func expect(_ allowed: [ElementType]) throws(Misfit) {
        guard !allowed.contains(element) else { return }
        throw .element(of: name, expected: allowed.map(\.description).joined(separator: " or "), got: element)
    }

    /// Throws unless the element type is that of another operand.
    public func expectSameElement(as other: Operand) throws(Misfit) {
        guard element != other.element else { return }
        throw .element(of: name, expected: "\(other.element) as \(other.name)", got: element)
    }
}

/// An axis counted from the front, negative ones from the back.
public func resolvedAxis(_ axis: Int, rank: Int, name: String = "axis") throws(Misfit) -> Int {
    guard axis >= -rank, axis < rank else {
        throw .attribute(name, because: "is \(axis), expected \(-rank) … \(rank - 1)")
    }
    return axis < 0 ? axis + rank : axis
}
