import DCN
import DCNFiles
import DCNFormats
import DCNGraph
import DCNOperators
import Foundation
import Mutation
import Synchronization
import TestSupport
import Testing

/// What a server does all day. `DCN_SOAK=1 swift test --filter SharingTests` does it for long and prints figures.
@Suite("Models shared under load", .serialized)
struct SharingTests {
    private static let isLong = ProcessInfo.processInfo.environment["DCN_SOAK"] != nil
    private static let threads = 8

    /// A model with an input of its fixture and the answer that a session of its own gave.
    private struct Case: Sendable {
        let name: String
        let model: Model
        let inputs: [String: Datum]
        let answer: [String: Datum]
    }

    /// Models of many kinds, from ONNX files and compiled.
    private static func cases(in folder: TemporaryFolder) throws -> [Case] {
        var cases: [Case] = []
        for (group, step) in [("first", 1), ("spellings", 9), ("decompositions", 8)] {
            let fixtures = FixtureFolder(group)
            for name in stride(from: 0, to: fixtures.names.count, by: step).map({ fixtures.names[$0] }) {
                let onnx = fixtures.model(name)
                let compiled = "\(folder.path)/\(group)-\(name).dcn"
                try writeCompiled(LoadedModel(contentsOf: onnx).compiled, to: compiled)
                for path in [onnx, compiled] {
                    let model = try Model(contentsOf: path)
                    let set = try #require(TestData.sets(in: "\(fixtures.path)/\(name)").first)
                    var inputs: [String: Datum] = [:]
                    for (index, input) in model.inputs.enumerated() {
                        inputs[input.name] = try set.input(index, as: input.type)
                    }
                    var session = try Session(model)
                    let answer: [String: Datum] = try session.run(inputs)
                    cases.append(Case(name: path, model: model, inputs: inputs, answer: answer))
                }
            }
        }
        return cases
    }

    /// How the runs ended.
    private struct Tally: Sendable {
        var right = 0, cancelled = 0, refused = 0, wrong: [String] = []
        mutating func add(_ other: Tally) {
            right += other.right
            cancelled += other.cancelled
            refused += other.refused
            wrong += other.wrong
        }
    }

    @Test("eight threads, mixed models, sessions that come and go, cancelled and malformed requests between")
    func sharing() throws {
        let folder = try TemporaryFolder()
        let cases = try Self.cases(in: folder)
        let rounds = Self.isLong ? 1250 : 30
        let total = Mutex(Tally())
        let canceller = Canceller()
        func runAll(_ rounds: Int, seed: UInt64) {
            DispatchQueue.concurrentPerform(iterations: Self.threads) { thread in
                var random = SeededRandom(seed: seed + UInt64(thread))
                var tally = Tally()
                for _ in 0..<rounds { Self.request(random.one(of: cases), canceller, &random, &tally) }
                let found = tally
                total.withLock { $0.add(found) }
            }
        }
        runAll(max(20, rounds / 10), seed: 1000)
        let before = Self.anonymousByteCount
        total.withLock { $0 = Tally() }
        runAll(rounds, seed: 1)
        let after = Self.anonymousByteCount
        let tally = total.withLock { $0 }
        #expect(tally.wrong.isEmpty, "\(tally.wrong.prefix(5))")
        #expect(tally.right >= rounds * Self.threads)
        #expect(tally.cancelled > 0 && tally.refused > 0)
        #expect(after - before < 48 << 20)
        print(
            "soak: \(cases.count) models, \(Self.threads) threads: \(tally.right) right answers, "
                + "\(tally.cancelled) cancelled, \(tally.refused) malformed refused, \(tally.wrong.count) wrong; "
                + "anonymous memory \(before >> 20) MB before, \(after >> 20) MB after")
    }

    /// One session: now and then a malformed request and one that is cancelled in its midst, then a good one.
    private static func request(
        _ test: Case, _ canceller: Canceller, _ random: inout SeededRandom, _ tally: inout Tally
    ) {
        guard var session = try? Session(test.model, options: Options(threads: random.one(of: [1, 1, 2])))
        else {
            tally.wrong.append("no session of \(test.name)")
            return
        }
        if random.once(in: 3) {
            do throws(DCNError) {
                let _: [String: Datum] = try session.run(malformed(test.inputs, &random))
                tally.wrong.append("\(test.name) took a malformed request")
            } catch {
                if error.kind == .input { tally.refused += 1 } else { tally.wrong.append("\(error)") }
            }
        }
        if random.once(in: 2) {
            let cancellation = Cancellation()
            // Some before the run begins: on a busy machine the others may all come too late.
            let delay = Int.random(in: -100...300, using: &random)
            if delay < 0 { cancellation.cancel() } else { canceller.cancel(cancellation, after: delay) }
            do throws(DCNError) {
                let answer: [String: Datum] = try session.run(test.inputs, until: cancellation)
                check(answer, test, &tally)
            } catch {
                if "\(error)".contains("cancelled") {
                    tally.cancelled += 1
                } else {
                    tally.wrong.append("\(error)")
                }
            }
        }
        do throws(DCNError) { check(try session.run(test.inputs), test, &tally) } catch {
            tally.wrong.append("\(error)")
        }
    }

    private static func malformed(
        _ inputs: [String: Datum], _ random: inout SeededRandom
    ) -> [String: Datum] {
        var inputs = inputs
        guard let name = inputs.keys.sorted().first else { return ["unknown": .tensor(Tensor(scalar: true))] }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: inputs[name] = nil
        case 1: inputs["unknown"] = inputs[name]
        case 2: inputs[name] = .tensor(Tensor(vector: [UInt8](repeating: 0, count: 3)))
        default: inputs[name] = .sequence([], of: .tensor(TensorType(.float32, nil)))
        }
        return inputs
    }

    private static func check(_ answer: [String: Datum], _ test: Case, _ tally: inout Tally) {
        let isRight = test.answer.allSatisfy { name, expected in
            guard let expected = expected.tensor, let got = answer[name]?.tensor else { return false }
            return got.type == expected.type
                && got.withBytes { got in expected.withBytes { got.elementsEqual($0) } }
        }
        if isRight { tally.right += 1 } else { tally.wrong.append("\(test.name) gave another answer") }
    }

    @Test("memory stays where it is over models that come and go")
    func loading() throws {
        let folder = try TemporaryFolder()
        let cases = try Self.cases(in: folder)
        let rounds = Self.isLong ? 1000 : 60
        func load(_ index: Int) throws {
            let test = cases[index % cases.count]
            var session = try Session(try Model(contentsOf: test.name))
            let _: [String: Datum] = try session.run(test.inputs)
        }
        for index in 0..<max(cases.count, rounds / 5) { try load(index) }
        let before = Self.anonymousByteCount
        for index in 0..<rounds { try load(index) }
        let after = Self.anonymousByteCount
        #expect(after - before < 24 << 20)
        print(
            "soak: \(rounds) models loaded and dropped: anonymous memory \(before >> 20) MB before, "
                + "\(after >> 20) MB after")
    }

    @Test("memory stays where it is over runs of varied shapes")
    func shapes() throws {
        var graph = Graph(name: "varied")
        let x = graph.addInput("x", .tensor(TensorType(.float32, ["N", 3, "H", "W"])))
        let twice = try graph.append(Concat(axis: 1), [x, x], named: "twice")[0]
        let y = try graph.append(Add(), [twice, twice], named: "y")[0]
        graph.addOutput(y, named: "y")
        var session = try Session(Model(graph: graph), options: Options(threads: 2))
        var random = SeededRandom(seed: 5)
        func run() throws {
            let extents = [1, 3] + (0..<2).map { _ in Int.random(in: 1...200, using: &random) }
            let x = try #require(
                Tensor(extents: extents, [Float](repeating: 1, count: extents.reduce(1, *))))
            let answer: [String: Tensor] = try session.run(["x": x])
            #expect(answer["y"]?.extents == [1, 6] + extents[2...])
        }
        let rounds = Self.isLong ? 1000 : 100
        for _ in 0..<max(50, rounds / 5) { try run() }
        let before = Self.anonymousByteCount
        for _ in 0..<rounds { try run() }
        let after = Self.anonymousByteCount
        #expect(after - before < 24 << 20)
        print(
            "soak: \(rounds) runs of varied shapes: anonymous memory \(before >> 20) MB before, "
                + "\(after >> 20) MB after")
    }

    /// Memory in use that is no file's; 0 where the system does not tell.
    private static var anonymousByteCount: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
}

/// A thread that raises flags some microseconds after it was told to.
private final class Canceller: Sendable {
    private let queue = DispatchQueue(label: "canceller", qos: .userInitiated)

    func cancel(_ cancellation: Cancellation, after microseconds: Int) {
        queue.asyncAfter(deadline: .now() + .microseconds(microseconds)) { cancellation.cancel() }
    }
}
