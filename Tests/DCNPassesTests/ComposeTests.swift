import DCNGraph
import DCNOperators
import DCNPasses
import TestSupport
import Testing

@Suite struct ComposeTests {
    @Test func aCompositeBecomesWhatItIsMadeOf() throws {
        var build = Builder()
        let x = build.input("x", [1, 2, 5, 7])
        build.graph.addOutput(try build.node(AdaptiveAveragePool(height: 2, width: 3), [x], "y"))
        let (composed, log) = try after(Compose(), build.graph)
        #expect(log.map(\.rule) == ["compose"] && log.map(\.node) == ["y"])
        #expect(!operators(composed).contains(AdaptiveAveragePool.name))
        #expect(composed.outputNames == build.graph.outputNames)
        let answer = try answers(composed)[0]
        var numbers = Seeded(7)
        let values = numbers.tensor([1, 2, 5, 7], scale: 2).elements(as: Float.self)
        // The first of 2 × 3 parts holds rows 0 … 2 and columns 0 … 2.
        let part = (0..<9).map { values[$0 / 3 * 7 + $0 % 3] }
        #expect(abs(answer[0] - part.reduce(0, +) / 9) < 1e-5)
    }

    @Test func othersStay() throws {
        var build = Builder()
        let x = build.input("x", [2, 3])
        build.graph.addOutput(try build.node(Relu(), [x], "y"))
        let (same, log) = try after(Compose(), build.graph)
        #expect("\(same)" == "\(build.graph)" && log.isEmpty)
    }

    @Test func extentsMayBeSymbols() throws {
        var build = Builder()
        let type = TensorType(.float32, ["batch", 2, "rows", "columns"])
        let x = build.graph.addInput("x", .tensor(type))
        build.graph.addOutput(try build.node(AdaptiveAveragePool(height: 2, width: 3), [x], "y"))
        let (composed, _) = try after(Compose(), build.graph)
        #expect(!operators(composed).contains(AdaptiveAveragePool.name))
    }

    @Test func aloneItSaysWhatItNeeds() throws {
        let x = try #require(Tensor(extents: [1, 1, 2, 2], [Float](repeating: 1, count: 4)))
        do {
            _ = try run(AdaptiveAveragePool(height: 1, width: 2), [x])
            Issue.record("it ran")
        } catch let error as Misfit {
            #expect("\(error)".contains("canonical graph"))
        }
    }
}
