import DCNGraph
import DCNOperators
import DCNRuntime
import TestSupport
import Testing

/// What a model may ask for is bounded when nobody said how much it is.
@Suite("Limits of runs")
struct LimitTests {
    /// A loop without an end, whose carried value becomes what `step` makes of it.
    private func endless(
        _ type: TensorType, _ step: (inout Graph, ValueID) throws -> ValueID
    ) throws -> Model {
        var body = Graph(name: "body")
        _ = body.addInput("trip", .tensor(TensorType(.int64, extents: [])))
        let holds = body.addInput("holds", .tensor(TensorType(.bool, extents: [])))
        let carried = body.addInput("carried", .tensor(TensorType(type.element, [.unknown])))
        body.addOutput(holds, named: "holds")
        body.addOutput(try step(&body, carried), named: "next")
        var graph = Graph(name: "endless")
        let x = graph.addInput("x", .tensor(type))
        let yes = graph.addConstant("yes", .tensor(Tensor(scalar: true)))
        let last = try graph.appendNode(
            Loop(carriedCount: 1), [nil, yes, x], bodies: [body], named: "loop", outputs: ["y"], origin: nil)
        graph.addOutput(try #require(last[0]), named: "y")
        return Model(graph: graph)
    }

    private func error(_ model: Model, _ x: Tensor, _ options: Options) throws -> DCNError {
        var session = try Session(model, options: options)
        return try #require(
            #expect(throws: DCNError.self) { let _: [String: Tensor] = try session.run(["x": x]) })
    }

    @Test("an endless loop ends at the limit of trips, which the error names")
    func trips() throws {
        let model = try endless(TensorType(.float32, extents: [2])) { graph, value in
            try graph.append(Add(), [value, value], named: "twice")[0]
        }
        var options = Options()
        #expect(options.tripLimit == Options.defaultTripLimit)
        options.tripLimit = 1000
        let error = try error(model, counting([2]), options)
        #expect(error.kind == .model)
        #expect("\(error)".contains("the number of trips through loops is 1001, the limit is 1000"))
    }

    @Test("the limit holds for each run anew")
    func manyRuns() throws {
        var body = Graph(name: "body")
        _ = body.addInput("trip", .tensor(TensorType(.int64, extents: [])))
        let holds = body.addInput("holds", .tensor(TensorType(.bool, extents: [])))
        body.addOutput(holds, named: "holds")
        body.addOutput(holds, named: "seen")
        var graph = Graph(name: "counted")
        let trips = graph.addInput("x", .tensor(TensorType(.int64, extents: [])))
        let seen = try graph.appendNode(
            Loop(carriedCount: 0), [trips, nil], bodies: [body], named: "loop", outputs: ["y"],
            origin: Origin(file: "counted", path: "graph.node[0]"))
        graph.addOutput(try #require(seen[0]), named: "y")
        var options = Options()
        options.tripLimit = 10
        var session = try Session(Model(graph: graph), options: options)
        for _ in 0..<5 {
            let answer: [String: Tensor] = try session.run(["x": Tensor(scalar: Int64(10))])
            #expect(answer["y"]?.extents == [10])
        }
        let error = #expect(throws: DCNError.self) {
            let _: [String: Tensor] = try session.run(["x": Tensor(scalar: Int64.max)])
        }
        #expect(error?.kind == .input)
    }

    @Test("a doubling loop ends at the limit of memory, long before trips are many")
    func doubling() throws {
        let model = try endless(TensorType(.float32, extents: [2])) { graph, value in
            try graph.append(Concat(axis: 0), [value, value], named: "twice")[0]
        }
        let error = try error(model, counting([2]), Options(memoryLimit: 1 << 20))
        #expect(error.kind == .model)
        #expect("\(error)".contains("limit is 1048576"))
    }

    @Test("strings that double count as memory")
    func strings() throws {
        let model = try endless(TensorType(.string, extents: [1])) { graph, value in
            try graph.append(StringConcat(), [value, value], named: "twice")[0]
        }
        let x = try #require(Tensor(extents: [1], strings: [ByteString("ab")]))
        let error = try error(model, x, Options(memoryLimit: 1 << 20))
        #expect("\(error)".contains("limit is 1048576"))
    }

    @Test("sequences that grow count as memory")
    func sequences() throws {
        let model = try endless(TensorType(.float32, extents: [64])) { graph, value in
            let list = try graph.append(SequenceConstruct(), [value, value], named: "list")[0]
            return try graph.append(
                ConcatFromSequence(axis: 0, addsAxis: false), [list], named: "joined")[0]
        }
        let error = try error(model, counting([64]), Options(memoryLimit: 1 << 20))
        #expect("\(error)".contains("limit is 1048576"))
    }
}
