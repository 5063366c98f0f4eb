import DCN
import DCNOperators
import DCNRuntime

/// The times of one layer, in nanoseconds.
struct Timing {
    let samples: [Int]
    var best: Double { Double(samples.min() ?? 0) }
    var median: Double { Double(samples.sorted()[samples.count / 2]) }
}

extension Layer {
    /// Runs the layer on a team until `seconds` are over, at least five times after a warm-up.
    func time(on team: Team, _ instructionSet: InstructionSet, seconds: Double) throws -> Timing {
        let types = operands.map { $0.map { ValueType.tensor($0.type) } }
        let results = try op.outputTypes(for: Inputs(types))
        let call = Call(
            inputs: types, outputs: results, instructionSet: instructionSet, threads: team.threads)
        guard case .kernel(let kernel) = try op.execution(for: call), let type = results[0].tensor else {
            throw Misfit.unsupported("a layer without kernel")
        }
        let scope = SerialScope(instructionSet: instructionSet, byteLimit: Int.max)
        let output = try scope.allocate(type)
        var samples: [Int] = []
        let end = now() + Int(seconds * 1e9)
        for round in 0... {
            let start = now()
            try scope.run(kernel, inputs: operands, outputs: [output], threads: team.threads, on: team.run)
            if round > 0 { samples.append(now() - start) }
            if samples.count >= 5, now() > end { break }
        }
        return Timing(samples: samples)
    }
}

/// Floating-point operations per nanosecond that a team's multiply-adds reach, measured now.
func peak(of team: Team, _ instructionSet: InstructionSet) -> Double {
    var best = 0.0
    for _ in 0..<8 {
        let start = now()
        team.run(tiles: team.threads) { _, _ in
            _ = InstructionSet.multiplyAddOperations(instructionSet, rounds: 400_000)
        }
        let each = InstructionSet.multiplyAddOperations(instructionSet, rounds: 1)
        best = max(best, each * 400_000 * Double(team.threads) / Double(max(1, now() - start)))
    }
    return best
}
