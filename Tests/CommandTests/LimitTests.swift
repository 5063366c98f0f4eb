import Testing

@Suite("Limits of dcn-run")
struct LimitTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("a loop without end is the model's fault: exit 2 when time is over")
    func endless() throws {
        let model = try folder.write("endless.onnx", ModelMaker.endless(doubles: false))
        let outcome = try run(arguments: [model, "--input", "ones", "--max-seconds", "1"])
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("time"))
    }

    @Test("a loop without end is the model's fault: exit 2 when its trips are made")
    func trips() throws {
        let model = try folder.write("endless.onnx", ModelMaker.endless(doubles: false))
        let outcome = try run(arguments: [model, "--input", "ones", "--max-trips", "1000"])
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("trips through loops is 1001, the limit is 1000"))
    }

    @Test("memory is limited while a model is read")
    func reading() throws {
        let model = try folder.write("relu.onnx", ModelMaker.relu)
        let outcome = try run(arguments: [model, "--input", "zeros", "--max-memory", "1K"])
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("1024"))
    }

    @Test("a value that doubles is the model's fault: exit 2 when memory is over")
    func doubling() throws {
        let model = try folder.write("doubling.onnx", ModelMaker.endless(doubles: true))
        let outcome = try run(arguments: [
            model, "--input", "ones", "--max-memory", "300M", "--max-seconds", "60",
        ])
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("memory") || outcome.errors.contains("bytes"))
    }

    @Test("a large input is the caller's: exit 4")
    func largeInput() throws {
        let model = try folder.write("relu.onnx", ModelMaker.relu)
        let outcome = try run(arguments: [
            model, "--input", "zeros", "--shape", "x=90000000,4", "--max-memory", "200M",
        ])
        #expect(outcome.code == 4)
    }

    @Test("a model that fits runs within its limits")
    func fits() throws {
        let model = try folder.write("relu.onnx", ModelMaker.relu)
        let outcome = try run(arguments: [
            model, "--input", "zeros", "--max-memory", "2G", "--max-seconds", "60",
        ])
        #expect(outcome.code == 0)
    }
}
