internal import DCNGraph
internal import DCNOperators

/// A value in a sketch, with arithmetic that appends nodes.
///
/// Numbers beside a term take its element type.
struct Term {
    let id: ValueID
    let sketch: Sketch

    init(_ id: ValueID, _ sketch: Sketch) {
        self.id = id
        self.sketch = sketch
    }

    /// Its type.
    var type: TensorType { sketch.graph[id].type.tensor ?? TensorType(.float32, nil) }
    /// Its element type.
    var element: ElementType { type.element }
    /// The extent along an axis, when it is known.
    func extent(_ axis: Int) -> Int? {
        guard let shape = type.shape, axis < shape.rank else { return nil }
        return shape[axis].fixed
    }
    /// Its value, when it is known.
    var constant: Tensor? { sketch.graph[id].constant?.tensor }

    private func with(_ op: any Operator, _ other: Term) throws(DCNError) -> Term {
        try sketch.node(op, self, other)
    }
    private func with(_ op: any Operator, _ number: Double) throws(DCNError) -> Term {
        try sketch.node(op, self, sketch.scalar(number, element))
    }

    static func + (a: Term, b: Term) throws(DCNError) -> Term { try a.with(Add(), b) }
    static func + (a: Term, b: Double) throws(DCNError) -> Term { b == 0 ? a : try a.with(Add(), b) }
    static func - (a: Term, b: Term) throws(DCNError) -> Term { try a.with(Sub(), b) }
    static func - (a: Term, b: Double) throws(DCNError) -> Term { b == 0 ? a : try a.with(Sub(), b) }
    static func - (a: Double, b: Term) throws(DCNError) -> Term {
        try b.sketch.node(Sub(), b.sketch.scalar(a, b.element), b)
    }
    static func * (a: Term, b: Term) throws(DCNError) -> Term { try a.with(Mul(), b) }
    static func * (a: Term, b: Double) throws(DCNError) -> Term { b == 1 ? a : try a.with(Mul(), b) }
    static func / (a: Term, b: Term) throws(DCNError) -> Term { try a.with(Div(), b) }
    static func / (a: Term, b: Double) throws(DCNError) -> Term { b == 1 ? a : try a.with(Div(), b) }

    static func .< (a: Term, b: Term) throws(DCNError) -> Term { try a.with(Less(), b) }
    static func .< (a: Term, b: Double) throws(DCNError) -> Term { try a.with(Less(), b) }
    static func .> (a: Term, b: Term) throws(DCNError) -> Term { try a.with(Greater(), b) }
    static func .> (a: Term, b: Double) throws(DCNError) -> Term { try a.with(Greater(), b) }
    static func .>= (a: Term, b: Term) throws(DCNError) -> Term { try a.with(GreaterOrEqual(), b) }
    static func .>= (a: Term, b: Double) throws(DCNError) -> Term { try a.with(GreaterOrEqual(), b) }
    static func .<= (a: Term, b: Term) throws(DCNError) -> Term { try a.with(LessOrEqual(), b) }
    static func .== (a: Term, b: Term) throws(DCNError) -> Term { try a.with(Equal(), b) }
    static func .== (a: Term, b: Double) throws(DCNError) -> Term { try a.with(Equal(), b) }
    static func .& (a: Term, b: Term) throws(DCNError) -> Term { try a.with(And(), b) }
    static func .| (a: Term, b: Term) throws(DCNError) -> Term { try a.with(Or(), b) }

    /// The greater of two.
    func atLeast(_ other: Term) throws(DCNError) -> Term { try with(Max(), other) }
    /// The greater of two.
    func atLeast(_ number: Double) throws(DCNError) -> Term { try with(Max(), number) }
    /// The lesser of two.
    func atMost(_ other: Term) throws(DCNError) -> Term { try with(Min(), other) }
    /// The lesser of two.
    func atMost(_ number: Double) throws(DCNError) -> Term { try with(Min(), number) }
    /// One operator of one operand.
    func applying(_ op: any Operator) throws(DCNError) -> Term { try sketch.node(op, self) }

    /// The integer below.
    var floored: Term { get throws(DCNError) { try applying(Floor()) } }
    /// The integer above.
    var ceiled: Term { get throws(DCNError) { try applying(Ceil()) } }
    /// The nearest integer, halves away from zero.
    var rounded: Term {
        get throws(DCNError) {
            let size = try applying(Abs())
            let whole = try size.floored
            let up = try (size - whole .>= 0.5).cast(element)
            return try applying(Sign()) * (whole + up)
        }
    }
    /// The opposite truth.
    var negated: Term { get throws(DCNError) { try applying(Not()) } }

    /// The same in another element type.
    func cast(_ element: ElementType) throws(DCNError) -> Term {
        element == self.element ? self : try applying(Cast(to: element))
    }

    /// One of two, by this truth.
    func choosing(_ yes: Term, _ no: Term) throws(DCNError) -> Term {
        try sketch.node(Where(), self, yes, no)
    }
    /// A value where this holds, a number elsewhere.
    func choosing(_ yes: Term, or number: Double) throws(DCNError) -> Term {
        try choosing(yes, sketch.scalar(number, yes.element))
    }

    /// A product of matrices.
    func product(_ other: Term) throws(DCNError) -> Term { try with(MatMul(), other) }
}
