import DCN
import DCNGraph
import DCNOperators
import Foundation
import Synchronization
import Testing

@Suite("Models shared under load")
struct SharingTests {
    /// Runs in each thread; `DCN_SOAK` asks for more.
    private static let runs = ProcessInfo.processInfo.environment["DCN_SOAK"].flatMap { Int($0) } ?? 60

    private static func model() throws -> Model {
        var graph = Graph(name: "shared")
        let x = graph.addInput("x", .tensor(TensorType(.float32, ["N", 3])))
        let twice = try graph.append(Add(), [x, x], named: "twice")[0]
        let y = try graph.append(Add(), [twice, x], named: "y")[0]
        graph.addOutput(y, named: "y")
        return Model(graph: graph)
    }

    @Test(
        "eight threads with sessions that come and go, cancelled and malformed requests between, all get their own answers"
    )
    func sharing() throws {
        let model = try Self.model()
        let wrong = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for round in 0..<Self.runs where !Self.isRight(model, thread, round) {
                wrong.add(1, ordering: .relaxed)
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }

    /// One session: a malformed request, a cancelled one, and a good one, whose answer is three times its input.
    private static func isRight(_ model: Model, _ thread: Int, _ round: Int) -> Bool {
        let rows = 1 + (thread * 31 + round * 7) % 40
        let values = (0..<3 * rows).map { Float($0 + thread) }
        guard var session = try? Session(model, options: Options(threads: 1 + round % 2)),
            let good = Tensor(extents: [rows, 3], values), let bad = Tensor(extents: [rows * 3], values)
        else { return false }
        let cancelled = Cancellation()
        cancelled.cancel()
        let malformed: [String: Tensor]? = try? session.run(["x": bad])
        let stopped: [String: Tensor]? = try? session.run(["x": good], until: cancelled)
        let answer: [String: Tensor]? = try? session.run(["x": good])
        return malformed == nil && stopped == nil
            && answer?["y"]?.elements(as: Float.self) == values.map { 3 * $0 }
    }

    #if os(Linux)
        @Test("memory stays where it is over runs of varied shapes and models that come and go")
        func memory() throws {
            func round(_ index: Int) throws {
                var session = try Session(try Self.model())
                for rows in 1...20 {
                    let x = Tensor(
                        extents: [rows * 50 + index % 50, 3],
                        [Float](repeating: 1, count: (rows * 50 + index % 50) * 3))
                    let _: [String: Tensor] = try session.run(["x": try #require(x)])
                }
            }
            for index in 0..<20 { try round(index) }
            let before = Self.residentBytes()
            for index in 0..<Self.runs { try round(index) }
            #expect(Self.residentBytes() - before < 64 << 20)
        }

        private static func residentBytes() -> Int {
            let fields =
                (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
                ?? []
            return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
        }
    #endif
}
