import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Following shape arithmetic")
struct PropagationTests {
    /// Operators with operands whose first one shape arithmetic knows.
    static let cases: [(any Operator, [Tensor])] = [
        (Transpose(), [matrix]), (Transpose(permutation: [0, 1]), [matrix]),
        (Transpose(permutation: [2, 0, 1]), [cube]),
        (Slice(), [matrix, [-1], [Int.min + 1], [0], [-1]].map(tensor)),
        (Slice(), [cube, [1, 0], [2, 3], [0, 2], [1, 2]].map(tensor)),
        (Slice(), [vector, [1], [6], [0], [2]].map(tensor)),
        (Reshape(), [matrix, [-1]].map(tensor)), (Reshape(), [vector, [2, -1]].map(tensor)),
        (Unsqueeze(), [vector, [0]].map(tensor)), (Squeeze(), [cube, []].map(tensor)),
        (Concat(axis: 0), [vector, vector]), (Concat(axis: 1), [matrix, matrix]),
        (Gather(axis: 0), [vector, [3]].map(tensor)), (Gather(axis: 1), [matrix, [1, 0]].map(tensor)),
        (Add(), [matrix, pair]), (Mul(), [matrix, column]), (Sub(), [vector, vector]),
        (Expand(), [pair, [4, 2]].map(tensor)), (Tile(), [matrix, [2, 1]].map(tensor)),
        (Pad(), [matrix, [1, 0, 0, 2]].map(tensor)), (Split(axis: 0, parts: 2), [matrix]),
        (Cast(to: .int32), [matrix]), (Identity(), [cube]), (Max(), [matrix, pair]),
    ].map { op, operands in (op, operands.map(tensor)) }

    static let vector = numbers([8]), matrix = numbers([4, 2]), cube = numbers([2, 1, 4])
    static let pair = numbers([2]), column = numbers([4, 1])

    static func numbers(_ extents: [Int]) -> Tensor {
        let count = extents.reduce(1, *)
        return Tensor(extents: extents, (0..<count).map { Int64($0 * 7 % 11 + 1) })
            ?? Tensor(vector: [Int64](repeating: 0, count: count))
    }

    static func tensor(_ value: Any) -> Tensor {
        (value as? Tensor) ?? Tensor(vector: (value as? [Int] ?? []).map { Int64($0) })
    }

    @Test("says nothing, or what the operator answers", arguments: cases.indices)
    func agrees(_ index: Int) throws {
        let (op, operands) = Self.cases[index]
        let answers = try run(op, operands, outputs: op is Split ? 2 : 1)
        let constants = operands.map { $0.integers.map { $0.map(Dimension.fixed) } }
        let inputs = Inputs(
            operands.map { .tensor($0.type) }, constants: [nil] + operands.dropFirst().map(Datum.tensor),
            knownDimensions: [constants[0]] + operands.dropFirst().map { _ in nil },
            outputCount: answers.count)
        let known = op.dimensions(for: inputs, fitting: answers.map { .tensor($0.type) })
        for (said, answer) in zip(known, answers) {
            guard let said else { continue }
            #expect(said == answer.integers?.map(Dimension.fixed), "\(op) \(operands.map(\.extents))")
        }
    }

    @Test("goes through what paddings of exporters go through, symbols included")
    func padding() throws {
        let h = Dimension.symbol("h"), w = Dimension.symbol("w")
        func follow(_ op: any Operator, _ known: [Dimension], _ extents: [Int], _ more: [Tensor] = [])
            -> [Dimension]?
        {
            let type = ValueType.tensor(TensorType(.int64, Shape(extents)))
            return op.dimensions(
                for: Inputs(
                    [type] + more.map { .tensor($0.type) }, constants: [nil] + more.map(Datum.tensor),
                    knownDimensions: [known])
            ).first ?? nil
        }
        // The pairs of PyTorch, last axis first, become the befores and afters of ONNX, first axis first.
        let pairs: [Dimension] = [0, w, 0, h]
        let rows = follow(Reshape(), pairs, [4], [Self.tensor([-1, 2])])
        #expect(rows == pairs)
        let reversed = follow(
            Slice(), rows ?? [], [2, 2], [[-1], [Int.min + 1], [0], [-1]].map(Self.tensor))
        #expect(reversed == [0, h, 0, w])
        #expect(follow(Transpose(), reversed ?? [], [2, 2]) == [0, 0, h, w])
    }
}
