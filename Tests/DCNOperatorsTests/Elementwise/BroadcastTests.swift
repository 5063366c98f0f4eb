import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Broadcasting")
struct BroadcastTests {
    static let shapes: [([Int], [Int])] = [
        ([], []), ([3], []), ([], [2, 3]), ([2, 3], [3]), ([2, 3], [2, 1]), ([2, 1], [1, 3]),
        ([4, 1, 3], [2, 1]),
        ([2, 3, 4, 5], [3, 1, 1]), ([2, 3, 4, 5], [1, 3, 1, 5]), ([2, 1, 4, 1], [1, 3, 1, 5]), ([0], [1]),
        ([2, 0, 3], [3]), ([1], [0, 1]), ([2, 17, 3, 3], [2, 17, 3, 3]), ([1, 40_000], [1]),
        ([3, 1], [1, 20_000]),
        ([2, 2, 2, 2, 2, 2], [2, 1, 2, 1, 2, 1]),
    ]

    @Test("agrees with indices counted one by one", arguments: shapes, InstructionSet.available)
    func values(shapes: ([Int], [Int]), instructionSet: InstructionSet) throws {
        let a = try #require(ramp(shapes.0, from: 1))
        let b = try #require(ramp(shapes.1, from: -7))
        let y = try #require(try run(Sub(), [a, b], on: instructionSet).first)
        let expected = broadcast(a, b) { $0 - $1 }
        #expect(y.extents == expected.extents)
        #expect(y.elements(as: Float.self) == expected.values)
    }

    @Test(
        "follows channels last, and clears the padding",
        arguments: [
            ([2, 3, 2, 2], [3, 1, 1]), ([1, 17, 3, 2], [1, 17, 1, 1]), ([2, 3, 2, 2], []),
            ([2, 16, 2, 3], [2, 1, 2, 3]),
            ([2, 3, 4], [3, 1]), ([1, 5, 2, 2], [1]), ([2, 1, 2, 2], [2]),
        ])
    func channelsLast(shapes: ([Int], [Int])) throws {
        let a = try #require(ramp(shapes.0, from: 1))
        let b = try #require(ramp(shapes.1, from: 2))
        let expected = broadcast(a, b) { $0 - $1 }
        let y = try #require(try run(Sub(), [toChannelsLast(a), b]).first)
        #expect(y.type.layout == .channelsLast)
        #expect(
            y.elements(as: Float.self)
                == toChannelsLast(
                    try #require(
                        Tensor(extents: expected.extents, expected.values))
                ).elements(as: Float.self))
    }

    @Test("two images channels last")
    func twoImages() throws {
        let a = toChannelsLast(try #require(ramp([2, 5, 2, 3], from: 1)))
        let y = try #require(try run(Mul(), [a, a]).first)
        #expect(y.elements(as: Float.self) == a.elements(as: Float.self).map { $0 * $0 })
    }

    @Test("says which operand does not fit")
    func misfit() {
        #expect(
            throws: Misfit.extent(
                of: "B", axis: 0, expected: "1 or 3", got: "2", because: "broadcast with the other operands")
        ) { try run(Add(), [ramp([3], from: 0), ramp([2], from: 0)]) }
    }

    @Test("keeps symbols")
    func symbols() throws {
        let types: [ValueType?] = [
            .tensor(TensorType(.float32, ["N", 3, "H", .unknown])),
            .tensor(TensorType(.float32, [3, "H", 5])),
        ]
        let type = try Add().outputTypes(for: Inputs(types)).first
        #expect(type?.tensor?.shape == ["N", 3, "H", 5])
    }
}

func ramp(_ extents: [Int], from start: Float) -> Tensor? {
    Tensor(extents: extents, (0..<extents.reduce(1, *)).map { start + Float($0) })
}

/// Every output index is split into coordinates and looked up in both operands.
func broadcast(_ a: Tensor, _ b: Tensor, _ f: (Float, Float) -> Float) -> (extents: [Int], values: [Float]) {
    let rank = max(a.extents.count, b.extents.count)
    func padded(_ extents: [Int]) -> [Int] { Array(repeating: 1, count: rank - extents.count) + extents }
    let (first, second) = (padded(a.extents), padded(b.extents))
    let extents = zip(first, second).map { $0 == 1 ? $1 : $0 }
    let (x, y) = (a.elements(as: Float.self), b.elements(as: Float.self))
    func lookUp(_ own: [Int], _ index: [Int]) -> Int {
        zip(own, index).reduce(0) { $0 * $1.0 + ($1.0 == 1 ? 0 : $1.1) }
    }
    let values = (0..<extents.reduce(1, *)).map { position -> Float in
        var rest = position
        var index = [Int](repeating: 0, count: rank)
        for axis in (0..<rank).reversed() {
            (rest, index[axis]) = (rest / extents[axis], rest % extents[axis])
        }
        return f(x[lookUp(first, index)], y[lookUp(second, index)])
    }
    return (extents, values)
}

func toChannelsLast(_ tensor: Tensor) -> Tensor {
    let extents = tensor.extents
    let type = tensor.type.with(layout: .channelsLast)
    let spatial = extents.dropFirst(2).reduce(1, *)
    let stride = (extents[1] + 15) / 16 * 16
    var result = [Float](repeating: 0, count: extents[0] * spatial * stride)
    for (position, value) in tensor.elements(as: Float.self).enumerated() {
        let (image, rest) = position.quotientAndRemainder(dividingBy: extents[1] * spatial)
        result[(image * spatial + rest % spatial) * stride + rest / spatial] = value
    }
    return Tensor(type, bytesOf: result) ?? tensor
}
