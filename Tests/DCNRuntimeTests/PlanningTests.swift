import DCNGraph
import DCNOperators
import DCNRuntime
import TestSupport
import Testing

@Suite("Planning")
struct PlanningTests {
    @Test("blocks alive together never overlap", arguments: 1...40)
    func overlap(_ seed: Int) {
        var numbers = Seeded(UInt64(seed))
        let blocks = (0..<numbers.integer(1...40)).map { _ in
            let first = numbers.integer(0...30)
            return Block(
                byteCount: numbers.integer(0...5000), first: first, last: first + numbers.integer(0...8))
        }
        let (offsets, total) = arrange(blocks)
        for (i, a) in blocks.enumerated() where a.byteCount > 0 {
            #expect(offsets[i] % 64 == 0 && offsets[i] + a.byteCount <= total)
            for (j, b) in blocks.enumerated()
            where j < i && b.byteCount > 0 && a.first <= b.last && b.first <= a.last {
                #expect(offsets[i] + a.byteCount <= offsets[j] || offsets[j] + b.byteCount <= offsets[i])
            }
        }
    }

    @Test(
        "more blocks than are compared with each other never overlap either, and take little more than they must"
    )
    func manyBlocks() {
        var numbers = Seeded(7)
        let blocks = (0..<6000).map { index in
            Block(byteCount: numbers.integer(0...5000), first: index, last: index + numbers.integer(0...40))
        }
        let (offsets, total) = arrange(blocks)
        var most = 0
        for step in 0..<6000 {
            let alive = (max(0, step - 40)...step).filter {
                blocks[$0].last >= step && blocks[$0].byteCount > 0
            }
            var end = 0
            for index in alive.sorted(by: { offsets[$0] < offsets[$1] }) {
                #expect(offsets[index] >= end && offsets[index] % 64 == 0)
                end = offsets[index] + blocks[index].byteCount
            }
            #expect(end <= total)
            most = max(most, alive.reduce(0) { $0 + blocks[$1].byteCount })
        }
        #expect(total < 2 * most)
    }

    /// x → a chain of sums and rectifiers, with values that outlive others.
    private func chain() throws -> Graph {
        var graph = Graph()
        let x = graph.addInput("x", .tensor(TensorType(.float32, ["n", 4, "h", 6])))
        var values = [x]
        for step in 0..<12 {
            let other = values[(step * 7) % values.count]
            let sum = try graph.append(Add(), [values[values.count - 1], other], named: "sum\(step)")[0]
            values.append(try graph.append(Tanh(), [sum], named: "tanh\(step)")[0])
        }
        graph.addOutput(values[values.count - 1], named: "y")
        graph.addOutput(values[3], named: "early")
        return graph
    }

    @Test("threads change no bit, and shapes may change from run to run")
    func threads() throws {
        let model = Model(graph: try chain())
        var one = try Session(model)
        var three = try Session(model, options: Options(threads: 3))
        var numbers = Seeded(3)
        for extents in [[1, 4, 5, 6], [2, 4, 64, 6], [1, 4, 0, 6], [1, 4, 5, 6]] {
            let x = numbers.tensor(extents)
            let expected: [String: Tensor] = try one.run(["x": x])
            let got: [String: Tensor] = try three.run(["x": x])
            for (name, tensor) in expected {
                #expect(tensor.extents == extents)
                #expect(tensor.elements(as: UInt32.self) == got[name]?.elements(as: UInt32.self))
            }
        }
    }

    @Test("answers that the caller keeps are never written again")
    func kept() throws {
        var session = try Session(Model(graph: try chain()))
        var numbers = Seeded(5)
        var answers: [(got: Tensor, expected: [Float])] = []
        for _ in 0..<4 {
            let x = numbers.tensor([2, 4, 2000, 6])
            let answer: [String: Tensor] = try session.run(["x": x])
            let tensor = try #require(answer["y"])
            answers.append((tensor, tensor.elements(as: Float.self)))
            // Nobody keeps this one, so the next run may use its bytes.
            let _: [String: Tensor] = try session.run(["x": numbers.tensor([2, 4, 2000, 6])])
        }
        for (got, expected) in answers { #expect(got.elements(as: Float.self) == expected) }
    }

    @Test("inputs that do not fit are refused, and the session can run again")
    func refused() throws {
        var session = try Session(Model(graph: try chain()))
        var numbers = Seeded(3)
        let good = numbers.tensor([1, 4, 2, 6])
        for bad in [["x": numbers.tensor([1, 5, 2, 6])], [:], ["z": good], ["x": good, "z": good]] {
            let error = #expect(throws: DCNError.self) { let _: [String: Tensor] = try session.run(bad) }
            #expect(error?.kind == .input)
        }
        let answer: [String: Tensor] = try session.run(["x": good])
        #expect(answer["y"]?.extents == [1, 4, 2, 6])
    }

    @Test("memory beyond the limit is refused before it is asked for")
    func limit() throws {
        var session = try Session(Model(graph: try chain()), options: Options(memoryLimit: 10_000))
        var numbers = Seeded(3)
        let error = #expect(throws: DCNError.self) {
            let _: [String: Tensor] = try session.run(["x": numbers.tensor([1, 4, 512, 6])])
        }
        #expect("\(try #require(error))".contains("limit is 10000"))
    }
}
