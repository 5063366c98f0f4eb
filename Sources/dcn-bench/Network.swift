import DCN
import DCNRuntime
import Synchronization

/// A whole model made ready, its inputs drawn from a seed; extents that are not declared are 1.
struct Network {
    let path: String
    let model: Model
    let inputs: [String: Tensor]

    init(_ path: String, accuracy: Accuracy) throws {
        var options = LoadOptions()
        options.accuracy = accuracy
        self.path = path
        model = try Model(contentsOf: path, options: options)
        var numbers = Numbers(state: 1)
        var inputs: [String: Tensor] = [:]
        for (name, type) in model.inputs {
            guard let tensor = type.tensor, tensor.element == .float32, let shape = tensor.shape else {
                throw Misfit.unsupported(
                    "input '\(escaped(name))' is \(type), only float32 tensors are drawn")
            }
            inputs[name] = try numbers.tensor(shape.dimensions.map { $0.fixed ?? 1 }, scale: 1)
        }
        self.inputs = inputs
    }

    /// Multiply-adds of one run.
    func multiplyAdds() throws -> Int {
        let counter = MultiplyAddCounter()
        var session = try Session(model, options: Options(observer: counter))
        let _: [String: Datum] = try session.run(inputs.mapValues(Datum.tensor))
        return counter.total
    }

    /// Runs the model on a team until `seconds` are over, at least five times after a warm-up.
    func time(on team: Team, _ instructionSet: InstructionSet, seconds: Double) throws -> Timing {
        var session = try Session(model, options: Options(team: team, instructionSet: instructionSet))
        let given = inputs.mapValues(Datum.tensor)
        var samples: [Int] = []
        let end = now() + Int(seconds * 1e9)
        for round in 0... {
            let start = now()
            let _: [String: Datum] = try session.run(given)
            if round > 0 { samples.append(now() - start) }
            if samples.count >= 5, now() > end { break }
        }
        return Timing(samples: samples)
    }
}

/// Adds up what steps say they did.
private final class MultiplyAddCounter: StepObserver {
    private let sum = Atomic<Int>(0)
    var total: Int { sum.load(ordering: .relaxed) }

    func finished(_ step: StepReport, values: () -> [(name: String, datum: Datum)]) {
        sum.add(step.multiplyAdds, ordering: .relaxed)
    }
}
