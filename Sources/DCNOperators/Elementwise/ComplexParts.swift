internal import DCNGraph

/// Runs an operator that is linear in its first input on the real and the imaginary parts of that input apart.
struct ComplexParts: Routine {
    /// The operator on real parts.
    let real: any Operator
    /// The operator on imaginary parts: the same, but for constants that are added.
    let imaginary: any Operator

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        guard let x = inputs.first??.tensor else { throw .missing("X") }
        var results: [Tensor] = []
        for (part, op) in [real, imaginary].enumerated() {
            let parts = [.tensor(try Self.part(part, of: x, in: scope))] + inputs.dropFirst()
            guard let result = try performOne(op, parts, in: scope).tensor else { throw .missing("a tensor") }
            results.append(result)
        }
        return [.tensor(try Self.joined(results, x.type.element, in: scope))]
    }

    /// The real (0) or imaginary (1) parts.
    private static func part(_ part: Int, of x: Tensor, in scope: any Scope) throws(Misfit) -> Tensor {
        let element: ElementType = x.type.element == .complex64 ? .float32 : .float64
        let made = try scope.allocate(TensorType(element, extents: x.extents))
        copy(x.count, element.byteWidth, from: x.base, part, 2, to: made.storage.base, 0, 1)
        withExtendedLifetime(x) {}
        return made.finished
    }

    private static func joined(
        _ parts: [Tensor], _ element: ElementType, in scope: any Scope
    ) throws(Misfit) -> Tensor {
        let made = try scope.allocate(TensorType(element, extents: parts[0].extents))
        for (index, part) in parts.enumerated() {
            copy(
                part.count, part.type.element.byteWidth, from: part.base, 0, 1, to: made.storage.base, index,
                2)
            withExtendedLifetime(part) {}
        }
        return made.finished
    }

    /// Copies numbers of `width` bytes from every `step`-th place to every other's, from a first place each.
    private static func copy(
        _ count: Int, _ width: Int, from source: UnsafeRawPointer, _ first: Int, _ step: Int,
        to target: UnsafeMutableRawPointer, _ targetFirst: Int, _ targetStep: Int
    ) {
        // Safe: both hold `count` groups of `step` numbers.
        for index in 0..<count {
            (target + (index * targetStep + targetFirst) * width)
                .copyMemory(from: source + (index * step + first) * width, byteCount: width)
        }
    }
}
