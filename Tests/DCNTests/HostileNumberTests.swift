import DCNGraph
import DCNOperators
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
            guard let answers = OperatorTrial.answers(name, &random) else { continue }
            guard let (first, expected) = answers.bySet.first else { continue }
            for (set, got) in answers.bySet.dropFirst() {
                #expect(got.count == expected.count)
                for (got, expected) in zip(got, expected) {
                    let found = difference(got, expected, reach: answers.reach)
                    #expect(
                        found == nil,
                        "\(set) against \(first), trial \(trial): \(found ?? "") in \(answers.operation)")
                }
            }
        }
    }

    /// The first element that differs by more than rounding; nil where there is none.
    private func difference(_ got: Tensor, _ expected: Tensor, reach: Double) -> String? {
        guard got.type == expected.type else { return "\(got.type), expected \(expected.type)" }
        switch got.type.element {
        case .float32, .complex64:
            return difference(
                got, expected, Float.self, most: Double(Float.greatestFiniteMagnitude), reach: reach)
        case .float64, .complex128:
            return difference(got, expected, Double.self, most: .greatestFiniteMagnitude, reach: reach)
        case .float16: return narrowDifference(got, expected, most: 65504, rounding: 0x1p-10, reach: reach)
        case .bfloat16: return narrowDifference(got, expected, most: 3.38e38, rounding: 0x1p-7, reach: reach)
        case .int8, .uint8: return byteDifference(got, expected)
        case .string: return got.strings == expected.strings ? nil : "strings"
        default:
            let (a, b) = (got.withBytes { Array($0) }, expected.withBytes { Array($0) })
            return zip(a, b).enumerated().first { $1.0 != $1.1 }.map {
                "byte \($0) is \($1.0), expected \($1.1)"
            }
        }
    }

    private func difference<T: BinaryFloatingPoint & BitwiseCopyable>(
        _ got: Tensor, _ expected: Tensor, _ type: T.Type, most: Double, reach: Double
    ) -> String? {
        func numbers(_ tensor: Tensor) -> [Double] {
            tensor.withBytes { $0.bindMemory(to: type).map { Double($0) } }
        }
        return difference(
            numbers(got), numbers(expected), most: most, rounding: 1e-3, mayStray: strays(reach, most))
    }

    /// Whether sums of products of numbers up to `reach` may leave the range of a type on the way, so that the order of
    /// additions decides what is finite.
    private func strays(_ reach: Double, _ most: Double) -> Bool { reach * reach > most / 1000 }

    private func narrowDifference(
        _ got: Tensor, _ expected: Tensor, most: Double, rounding: Double, reach: Double
    ) -> String? {
        func numbers(_ tensor: Tensor) -> [Double] {
            let wide = try? evaluate(
                Cast(to: .float32), [.tensor(tensor)], outputCount: 1, instructionSet: .baseline,
                byteLimit: 1 << 24)
            return wide?.first?.tensor?.elements(as: Float.self).map(Double.init) ?? []
        }
        return difference(
            numbers(got), numbers(expected), most: most, rounding: 1e-3 + rounding,
            mayStray: strays(reach, Double(Float.greatestFiniteMagnitude)))
    }

    /// Where floats become bytes, a rounding before may be one step of a byte.
    private func byteDifference(_ got: Tensor, _ expected: Tensor) -> String? {
        func numbers(_ tensor: Tensor) -> [Int] { tensor.integers ?? [] }
        return zip(numbers(got), numbers(expected)).enumerated().first { abs($1.0 - $1.1) > 1 }.map {
            "element \($0) is \($1.0), expected \($1.1)"
        }
    }

    private func difference(
        _ got: [Double], _ expected: [Double], most: Double, rounding: Double, mayStray: Bool
    ) -> String? {
        let size = expected.filter(\.isFinite).map(abs).max() ?? 0
        for (index, (a, b)) in zip(got, expected).enumerated() {
            if a.isNaN && b.isNaN || a == b { continue }
            // What lies at the edge of the numbers may fall over it with another order of additions.
            if mayStray, !a.isFinite || !b.isFinite { continue }
            if a.isFinite, b.isFinite, abs(a - b) <= rounding * size + 1e-6 || size > most / 1e6 { continue }
            return "element \(index) is \(a), expected \(b)"
        }
        return nil
    }
}
