import DCNGraph
import Foundation
import Mutation
import Testing

/// Attributes and operands that nobody chose with care end in an answer or an error, never in a trap.
@Suite("Operators on anything")
struct OperatorTrialTests {
    /// Trials of each operator and spelling; `DCN_TRIALS` asks for more.
    private static let trials = ProcessInfo.processInfo.environment["DCN_TRIALS"].flatMap { Int($0) } ?? 8
    /// Where the seeds begin; another `DCN_SEED` tries others.
    private static let seed = ProcessInfo.processInfo.environment["DCN_SEED"].flatMap { UInt64($0) } ?? 1

    private func count(_ run: (inout SeededRandom) -> TrialEnd, _ name: String) -> (
        answered: Int, refused: Int
    ) {
        var (answered, refused) = (0, 0)
        for trial in 0..<Self.trials {
            var hash: UInt64 = Self.seed << 32
            for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            var random = SeededRandom(seed: hash &+ UInt64(trial))
            switch run(&random) {
            case .answered: answered += 1
            case .refused(let error):
                refused += 1
                #expect(error.kind != .defect, "\(name), trial \(trial): \(error)")
            }
        }
        return (answered, refused)
    }

    @Test("every operator of the catalogue, as a compiled graph may hold it")
    func operators() {
        var answered = 0
        for name in OperatorTrial.names { answered += count({ OperatorTrial.run(name, &$0) }, name).answered }
        #expect(answered > OperatorTrial.names.count * Self.trials / 8)
    }

    @Test("every spelling of every dialect")
    func spellings() {
        var answered = 0
        for spelling in SpellingTrial.spellings {
            answered += count({ SpellingTrial.run(spelling, &$0) }, spelling.domain + spelling.name).answered
        }
        #expect(answered > SpellingTrial.spellings.count * Self.trials / 16)
    }
}
