import DCNGraph
import DCNOperators
import DCNRuntime
import TestSupport
import Testing

/// Sequences are changed where they lie only when nobody can see it.
@Suite("Sequences in a run")
struct SequenceTests {
    private let type = ValueType.tensor(TensorType(.float32, extents: [1]))

    private func numbers(_ datum: Datum?) -> [Float] {
        guard case .sequence(let items, _)? = datum else { return [] }
        return items.flatMap { $0.tensor?.elements(as: Float.self) ?? [] }
    }

    private func tensor(_ value: Float) -> Datum { .tensor(Tensor(vector: [value])) }

    @Test("a chain of insertions and removals, each state read again at the end")
    func states() throws {
        var graph = Graph()
        let start = graph.addInput("start", .sequence(type)), x = graph.addInput("x", type)
        let front = graph.addConstant("front", .tensor(Tensor(scalar: Int64(0))))
        let longer = try graph.append(SequenceInsert(), [start, x], named: "longer")[0]
        let longest = try graph.append(SequenceInsert(), [longer, x, front], named: "longest")[0]
        let unseen = try graph.append(SequenceErase(), [longest, front], named: "unseen")[0]
        let shorter = try graph.append(SequenceErase(), [unseen], named: "shorter")[0]
        for value in [longer, longest, shorter] { graph.addOutput(value) }
        var session = try Session(Model(graph: graph))
        let given = Datum.sequence([tensor(1), tensor(2)], of: type)
        for _ in 0..<2 {
            let answer: [String: Datum] = try session.run(["start": given, "x": tensor(3)])
            #expect(numbers(answer["longer"]) == [1, 2, 3])
            #expect(numbers(answer["longest"]) == [3, 1, 2, 3])
            #expect(numbers(answer["shorter"]) == [1, 2])
            #expect(numbers(given) == [1, 2])
        }
    }

    @Test("the bytes of a list are those of its elements, as they come and go")
    func bytes() throws {
        var list: DatumList = [tensor(1)]
        list.insert(tensor(2), at: 0)
        let two = DatumList([tensor(2), tensor(1)])
        #expect(list.heldByteCount == two.heldByteCount)
        list.remove(at: 1)
        #expect(list.count == 1 && list[0].tensor?.elements(as: Float.self) == [2])
        #expect(2 * list.heldByteCount == two.heldByteCount)
    }

    @Test("a sequence that does not hold what it says, or what the model wants, is refused")
    func elements() throws {
        var graph = Graph()
        let given = graph.addInput("given", .sequence(.tensor(TensorType(.float32, [.unknown]))))
        let first = graph.addConstant("first", .tensor(Tensor(scalar: Int64(0))))
        let item = try graph.append(SequenceAt(), [given, first], named: "item")[0]
        graph.addOutput(try graph.append(Relu(), [item], named: "y")[0])
        var session = try Session(Model(graph: graph))
        let large = ValueType.tensor(TensorType(.float32, extents: [1 << 20]))
        for wrong in [
            Datum.sequence([tensor(1)], of: large),
            .sequence([.tensor(Tensor(vector: [Int64(1)]))], of: .tensor(TensorType(.int64, nil))),
        ] {
            let error = #expect(throws: DCNError.self) {
                let _: [String: Datum] = try session.run(["given": wrong])
            }
            #expect(error?.kind == .input)
            #expect(error.map { "\($0)".contains("'given.0'") } == true)
        }
        let right = Datum.sequence([tensor(1)], of: type)
        let answer: [String: Datum] = try session.run(["given": right])
        #expect(answer["y"]?.tensor?.elements(as: Float.self) == [1])
    }
}
