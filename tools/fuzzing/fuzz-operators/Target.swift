import DCNGraph
import Mutation

/// Tries an operator or a spelling: the first two bytes choose it, the others its attributes and operands.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: bytes, count: count))
    guard bytes.count >= 4 else { return -1 }
    var random = SeededRandom(following: Array(bytes[2...]))
    let choice = Int(bytes[0]) << 8 | Int(bytes[1])
    let (names, spellings) = (OperatorTrial.names, SpellingTrial.spellings)
    let end =
        choice % 2 == 0
        ? OperatorTrial.run(names[choice / 2 % names.count], &random)
        : SpellingTrial.run(spellings[choice / 2 % spellings.count], &random)
    if case .refused(let error) = end { _ = error.description }
    return 0
}
