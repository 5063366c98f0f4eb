import DCNGraph
import Foundation
import Mutation
import Testing

/// NaN, infinities, denormals, numbers of 1e30 and empty tensors mean the same to every instruction set.
@Suite("Numbers that are hardly numbers")
struct HostileNumberTests {
    /// Trials of each operator; `DCN_TRIALS` asks for more.
    private static let trials = ProcessInfo.processInfo.environment["DCN_TRIALS"].flatMap { Int($0) } ?? 6

    @Test("every operator, on every instruction set", arguments: OperatorTrial.names)
    func operators(_ name: String) {
        for trial in 0..<Self.trials {
            var random = SeededRandom(seed: UInt64(trial) << 32 | 77)
            guard let (operation, answers) = OperatorTrial.answers(name, &random) else { continue }
            guard let (first, expected) = answers.first else { continue }
            for (set, got) in answers.dropFirst() {
                #expect(got.count == expected.count)
                for (got, expected) in zip(got, expected) {
                    let found = difference(got, expected)
                    #expect(
                        found == nil,
                        "\(set) against \(first), trial \(trial): \(found ?? "") in \(operation)")
                }
            }
        }
    }

    /// The first element that differs by more than rounding; nil where there is none.
    private func difference(_ got: Tensor, _ expected: Tensor) -> String? {
        guard got.type == expected.type else { return "\(got.type), expected \(expected.type)" }
        switch got.type.element {
        case .float32:
            return difference(
                got.elements(as: Float.self).map(Double.init),
                expected.elements(as: Float.self).map(Double.init),
                most: Double(Float.greatestFiniteMagnitude))
        case .float64:
            return difference(
                got.elements(as: Double.self), expected.elements(as: Double.self),
                most: .greatestFiniteMagnitude)
        default: return nil
        }
    }

    private func difference(_ got: [Double], _ expected: [Double], most: Double) -> String? {
        let size = expected.filter(\.isFinite).map(abs).max() ?? 0
        for (index, (a, b)) in zip(got, expected).enumerated() {
            if a.isNaN && b.isNaN || a == b { continue }
            // What lies at the edge of the numbers may fall over it with another order of additions.
            if a.isFinite, b.isFinite, abs(a - b) <= 1e-3 * size + 1e-6 || size > most / 1e6 { continue }
            return "element \(index) is \(a), expected \(b)"
        }
        return nil
    }
}
