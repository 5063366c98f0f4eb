internal import CKernels
internal import COnnxProto
internal import DCNGraph
internal import Synchronization

/// The runs of bytes behind the header.
enum CompiledSections {
    /// More threads than this wait for memory, not for arithmetic.
    private static let mostThreads = 4

    /// Where the sections lie: one behind the other up to the end of the file, checksums compared.
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
        let sums = messages(header.sections, header.n_sections).map(\.pointee.checksum)
        if let index = damaged(ranges, sums, in: file) {
            throw CompiledFault("is damaged: the checksum of section \(index) differs")
        }
        return ranges
    }

    /// The first section whose bytes, or the zeros behind them, are not those that were written.
    private static func damaged(
        _ ranges: [Range<Int>], _ sums: [UInt64], in file: UnsafeRawBufferPointer
    ) -> Int? {
        let first = Atomic<Int>(ranges.count)
        let team = Team(threads: min(mostThreads, Team.processors, ranges.count))
        // The largest first: none is left for one thread to sum while the others wait.
        let order = ranges.indices.sorted { ranges[$0].count > ranges[$1].count }
        team.run(tiles: ranges.count) { place, _ in
            let index = order[place], range = ranges[index]
            let padding = range.upperBound..<range.lowerBound + CompiledPreamble.rounded(range.count)
            guard dcn_checksum(file.baseAddress.map { $0 + range.lowerBound }, range.count) == sums[index],
                file[padding].allSatisfy({ $0 == 0 })
            else { return _ = first.min(index, ordering: .relaxed) }
        }
        let found = first.load(ordering: .acquiring)
        return found < ranges.count ? found : nil
    }
}
