import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// Numbers that look random and are the same everywhere.
func scattered(_ extents: [Int], seed: Int) -> Tensor {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    let values = (0..<extents.reduce(1, *)).map { _ -> Float in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int(state >> 40) - (1 << 23)) / Float(1 << 23)
    }
    return Tensor(extents: extents, values) ?? Tensor(scalar: Float(0))
}

/// One product to be checked: extents of the operands and what is done with them.
struct Product: CustomTestStringConvertible {
    var a: [Int]
    var b: [Int]
    var addend: [Int]? = nil
    var scale: Float = 1
    var addendScale: Float = 1
    var transposesLeft = false
    var transposesRight = false
    var testDescription: String {
        "\(a)\(transposesLeft ? "ᵀ" : "") × \(b)\(transposesRight ? "ᵀ" : "") + \(addend ?? [])"
    }

    var op: MatMul {
        var op = MatMul()
        op.scale = scale
        op.addendScale = addendScale
        op.transposesLeft = transposesLeft
        op.transposesRight = transposesRight
        return op
    }

    var tensors: [Tensor] {
        [scattered(a, seed: 1), scattered(b, seed: 2)] + (addend.map { [scattered($0, seed: 3)] } ?? [])
    }

    static let all: [Product] = [
        Product(a: [5, 7], b: [7, 9]), Product(a: [1, 70], b: [70, 200]),
        Product(a: [201, 33], b: [33, 65]),
        Product(a: [14, 700], b: [700, 150], addend: [150]), Product(a: [7], b: [7]),
        Product(a: [7], b: [3, 7, 5], addend: [3, 5]), Product(a: [3, 4, 7], b: [7], addend: [4]),
        Product(a: [2, 3, 4, 7], b: [3, 7, 5]),
        Product(a: [2, 1, 4, 7], b: [3, 7, 20], addend: [2, 3, 4, 20]),
        Product(a: [2, 20, 30], b: [30, 70], addend: [20, 1]),
        Product(a: [2, 20, 30], b: [30, 70], addend: [70]),
        Product(a: [4, 20, 30], b: [4, 70, 30], scale: 0.5, transposesRight: true),
        Product(a: [2, 30], b: [90, 30], addend: [2, 90], addendScale: 2, transposesRight: true),
        Product(
            a: [30, 40], b: [30, 17], addend: [40, 1], scale: 0.25, addendScale: -3, transposesLeft: true),
        Product(a: [600, 20], b: [600, 5], addend: [], transposesLeft: true),
        Product(a: [3, 600], b: [2, 600, 1]), Product(a: [90, 600], b: [600, 2]),
        Product(a: [90, 600], b: [3, 600], transposesRight: true),
        Product(a: [4, 0], b: [0, 3], addend: [3]), Product(a: [0, 4], b: [4, 3]),
        Product(a: [300, 3], b: [3, 130]),
        Product(a: [12, 130], b: [130, 100]), Product(a: [2, 9, 33], b: [2, 33, 47], addend: [1, 9, 47]),
    ]
}

/// The product by its formula, in float64, with the sum of magnitudes of each result.
private func reference(_ p: Product, _ tensors: [Tensor], _ y: [Int]) -> [(value: Double, magnitude: Double)]
{
    func padded(_ extents: [Int], isRight: Bool) -> [Int] {
        extents.count > 1 ? extents : isRight ? extents + [1] : [1] + extents
    }
    var a = padded(p.a, isRight: false)
    var b = padded(p.b, isRight: true)
    let rank = max(a.count, b.count)
    a = Array(repeating: 1, count: rank - a.count) + a
    b = Array(repeating: 1, count: rank - b.count) + b
    var whole = (0..<rank - 2).map { max(a[$0], b[$0]) }
    if a.contains(0) || b.contains(0) { whole = (0..<rank - 2).map { min(a[$0], b[$0]) } }
    whole += [p.transposesLeft ? a[rank - 1] : a[rank - 2], p.transposesRight ? b[rank - 2] : b[rank - 1]]
    let inner = p.transposesLeft ? a[rank - 2] : a[rank - 1]
    let values = tensors.map { $0.elements(as: Float.self).map(Double.init) }
    func place(_ index: [Int], _ extents: [Int]) -> Int {
        position(zip(index.suffix(extents.count), extents).map { $1 == 1 ? 0 : $0 }, in: extents)
    }
    let steps = (p.transposesLeft ? a[rank - 1] : 1, p.transposesRight ? 1 : b[rank - 1])
    let rows = indices(of: y)
    return indices(of: whole).enumerated().map { flat, index in
        let batch = Array(index.dropLast(2))
        let left = place(batch + (p.transposesLeft ? [0, index[rank - 2]] : [index[rank - 2], 0]), a)
        let right = place(batch + (p.transposesRight ? [index[rank - 1], 0] : [0, index[rank - 1]]), b)
        var (value, magnitude) = dot(values[0], left, steps.0, values[1], right, steps.1, inner)
        value *= Double(p.scale)
        magnitude *= Double(p.scale)
        if let addend = p.addend {
            let term = Double(p.addendScale) * values[2][place(rows[flat], addend)]
            value += term
            magnitude += abs(term)
        }
        return (value, magnitude)
    }
}

private func dot(
    _ a: [Double], _ left: Int, _ aStep: Int, _ b: [Double], _ right: Int, _ bStep: Int, _ count: Int
) -> (Double, Double) {
    var value = 0.0
    var magnitude = 0.0
    var (left, right, rest) = (left, right, count)
    while rest > 0 {
        let term = a[left] * b[right]
        value += term
        magnitude += abs(term)
        left += aStep
        right += bStep
        rest -= 1
    }
    return (value, magnitude)
}

private func expectClose(_ got: Tensor, _ expected: [(value: Double, magnitude: Double)]) {
    let values = got.elements(as: Float.self)
    #expect(values.count == expected.count)
    let worst = zip(values, expected).map { abs(Double($0) - $1.value) / ($1.magnitude + 1e-6) }.max() ?? 0
    #expect(worst < 1e-6, "error \(worst) of the magnitude")
}

@Suite struct MatMulTests {
    @Test(arguments: Product.all)
    func givesTheSumsOfTheFormulaOnEveryInstructionSet(_ product: Product) throws {
        let tensors = product.tensors
        for set in InstructionSet.available {
            let y = try run(product.op, tensors, on: set)[0]
            expectClose(y, reference(product, tensors, y.extents))
        }
    }

    @Test(arguments: Product.all)
    func givesTheSameSumsWithPackedWeights(_ product: Product) throws {
        let tensors = product.tensors
        let known = Inputs(
            tensors.map { .tensor($0.type) }, constants: [nil] + tensors.dropFirst().map { .tensor($0) })
        guard let packed = try product.op.packed(for: known, choices: PackingChoices()) else {
            #expect(product.b.count == 1 || product.b.last == 1 || product.b.contains(0))
            return
        }
        var given = tensors
        for (index, constant) in packed.constants { given[index] = constant }
        for set in InstructionSet.available {
            let y = try run(packed.op, given, on: set)[0]
            expectClose(y, reference(product, tensors, y.extents))
        }
    }

    @Test(arguments: Product.all)
    func addsResidualsThenActivates(_ product: Product) throws {
        let tensors = product.tensors
        let plain = try run(product.op, tensors)[0]
        let residual = scattered(plain.extents, seed: 4)
        var op = product.op
        op.activation = Activation(.leakyRelu, alpha: 0.5)
        let addend = tensors.count > 2 ? tensors[2] : nil
        for set in InstructionSet.available {
            let y = try run(op, [tensors[0], tensors[1], addend, residual], on: set)[0].elements(
                as: Float.self)
            let sums = zip(plain.elements(as: Float.self), residual.elements(as: Float.self)).map { $0 + $1 }
            for (got, sum) in zip(y, sums) {
                #expect(abs(got - (sum < 0 ? sum / 2 : sum)) < 2e-5 * max(1, abs(sum)))
            }
            #expect(y.count == sums.count)
        }
    }

    @Test(arguments: Product.all)
    func multipliesDoubles(_ product: Product) throws {
        let tensors = product.tensors
        let doubles = try tensors.map { tensor in
            try #require(Tensor(extents: tensor.extents, tensor.elements(as: Float.self).map(Double.init)))
        }
        let y = try run(product.op, doubles)[0]
        let expected = reference(product, tensors, y.extents)
        let errors = zip(y.elements(as: Double.self), expected).map {
            abs($0 - $1.value) / ($1.magnitude + 1)
        }
        #expect(errors.max() ?? 0 <= 1e-14)
    }

    @Test func integersWrap() throws {
        let a = try #require(Tensor(extents: [1, 2], [Int32.max, 3]))
        let b = try #require(Tensor(extents: [2, 1], [Int32(2), 5]))
        #expect(try run(MatMul(), [a, b])[0].elements(as: Int32.self) == [13])
    }

    @Test func refusesExtentsThatDoNotMeet() {
        #expect(throws: Misfit.self) {
            try run(MatMul(), [scattered([2, 3], seed: 1), scattered([4, 2], seed: 1)])
        }
        #expect(throws: Misfit.self) {
            try run(MatMul(), [scattered([2, 2, 3], seed: 1), scattered([3, 3, 2], seed: 1)])
        }
        #expect(throws: Misfit.self) {
            try run(MatMul(), [Tensor(scalar: Float(1)), scattered([1, 2], seed: 1)])
        }
        var op = MatMul()
        op.isSingle = true
        #expect(throws: Misfit.self) {
            try run(op, [scattered([1, 2, 3], seed: 1), scattered([3, 2], seed: 1)])
        }
        op.packed = PackedMatrix(form: .panels, extents: [3, 4000])
        #expect(throws: Misfit.self) { try run(op, [scattered([2, 3], seed: 1), scattered([64], seed: 1)]) }
    }
}
