/// A block of the arena while a plan is made: how many bytes, alive from which step through which.
package struct Block: Sendable, Hashable {
    /// Bytes wanted.
    package var byteCount: Int
    /// The step that writes it.
    package var first: Int
    /// The last step that reads it.
    package var last: Int

    /// A block from its parts.
    package init(byteCount: Int, first: Int, last: Int) {
        self.byteCount = byteCount
        self.first = first
        self.last = last
    }
}

/// Gives each block an offset such that blocks alive together never overlap: the biggest first, each at the lowest
/// offset that is free of its contemporaries. Offsets are multiples of `alignment`.
package func arrange(_ blocks: [Block], alignment: Int = 64) -> (offsets: [Int], byteCount: Int) {
    var offsets = [Int](repeating: 0, count: blocks.count)
    var placed: [Int] = []
    var total = 0
    let order = blocks.indices.sorted { (blocks[$1].byteCount, $0) < (blocks[$0].byteCount, $1) }
    for index in order where blocks[index].byteCount > 0 {
        let block = blocks[index]
        var offset = 0
        // `placed` is kept in order of offset, so one sweep finds the lowest gap.
        for other in placed where blocks[other].first <= block.last && block.first <= blocks[other].last {
            if offsets[other] >= offset + block.byteCount { break }
            offset = max(offset, rounded(offsets[other] + blocks[other].byteCount, to: alignment))
        }
        offsets[index] = offset
        total = max(total, rounded(offset + block.byteCount, to: alignment))
        placed.insert(index, at: placed.firstIndex { offsets[$0] > offset } ?? placed.count)
    }
    return (offsets, total)
}

func rounded(_ count: Int, to multiple: Int) -> Int { (count + multiple - 1) / multiple * multiple }
