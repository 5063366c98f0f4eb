internal import CKernels
internal import COnnxProto
internal import DCNGraph
internal import Synchronization

/// The runs of bytes behind the header.
enum CompiledSections {
    /// More threads than this wait for memory, not for arithmetic.
    private static let mostThreads = 4

    /// Where the sections lie: one behind the other up to the end of the file.
    static func ranges(
        of header: Dcn__Header, from start: Int, in file: UnsafeRawBufferPointer
    ) throws(CompiledFault) -> [Range<Int>] {
        var next = start
        var ranges: [Range<Int>] = []
        for (index, message) in messages(header.sections, header.n_sections).enumerated() {
            let section = message.pointee
            guard let length = Int(exactly: section.length), length > 0,
                section.offset == UInt64(next - start),
                length <= file.count - next, CompiledPreamble.rounded(length) <= file.count - next
            else { throw CompiledFault("has a section \(index) that does not lie where it should") }
            ranges.append(next..<next + length)
            next += CompiledPreamble.rounded(length)
        }
        guard next == file.count else { throw CompiledFault("has \(file.count - next) bytes in no section") }
        return ranges
    }

    /// What `work` gives, if all checksums are right. They are compared beside it: sums wait for memory, and leave time
    /// for arithmetic.
    static func comparing<T>(
        _ ranges: [Range<Int>], of header: Dcn__Header, in file: UnsafeRawBufferPointer, beside work: () -> T
    ) throws(CompiledFault) -> T {
        let sums = messages(header.sections, header.n_sections).map(\.pointee.checksum)
        let damaged = Atomic<Int>(ranges.count)
        let team = Team(threads: min(mostThreads, Team.processors, ranges.count + 1))
        let order = dealt(ranges, to: team.threads)
        var result: T?
        team.run(tiles: ranges.count + 1) { tile, _ in
            guard tile > 0 else { return result = work() }
            let index = order[tile - 1]
            if !isWhole(ranges[index], sums[index], in: file) { damaged.min(index, ordering: .relaxed) }
        }
        let first = damaged.load(ordering: .acquiring)
        guard first == ranges.count, let result else {
            throw CompiledFault("is damaged: the checksum of section \(first) differs")
        }
        return result
    }

    /// The sections in the order of a team's tiles: each thread begins with its largest, so that none has one left when
    /// the others are done.
    private static func dealt(_ ranges: [Range<Int>], to threads: Int) -> [Int] {
        let ranked = ranges.indices.sorted { ranges[$0].count > ranges[$1].count }
        return (0..<threads).flatMap { first in
            stride(from: first, to: ranked.count, by: threads).map { ranked[$0] }
        }
    }

    /// Whether the bytes of a section, and the zeros behind them, are those that were written.
    private static func isWhole(_ range: Range<Int>, _ sum: UInt64, in file: UnsafeRawBufferPointer) -> Bool {
        let padding = range.upperBound..<range.lowerBound + CompiledPreamble.rounded(range.count)
        return dcn_checksum(file.baseAddress.map { $0 + range.lowerBound }, range.count) == sum
            && file[padding].allSatisfy { $0 == 0 }
    }
}
