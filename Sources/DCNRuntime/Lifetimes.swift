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

/// Gives each block an offset such that blocks alive together never overlap. Offsets are multiples of `alignment`.
///
/// Up to some thousand blocks, the biggest goes first, each at the lowest offset that is free of its contemporaries.
/// More blocks go in order of time, as comparing each with each would take too long.
package func arrange(_ blocks: [Block], alignment: Int = 64) -> (offsets: [Int], byteCount: Int) {
    blocks.count <= 4096
        ? arrangeBySize(blocks, alignment: alignment) : arrangeInTime(blocks, alignment: alignment)
}

private func arrangeBySize(_ blocks: [Block], alignment: Int) -> (offsets: [Int], byteCount: Int) {
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

private func arrangeInTime(_ blocks: [Block], alignment: Int) -> (offsets: [Int], byteCount: Int) {
    var offsets = [Int](repeating: 0, count: blocks.count)
    var room = FreeRanges()
    let ending = blocks.indices.filter { blocks[$0].byteCount > 0 }.sorted {
        blocks[$0].last < blocks[$1].last
    }
    var ended = 0
    for index in ending.sorted(by: { (blocks[$0].first, $0) < (blocks[$1].first, $1) }) {
        while blocks[ending[ended]].last < blocks[index].first {
            let old = ending[ended]
            room.give(back: offsets[old], rounded(blocks[old].byteCount, to: alignment))
            ended += 1
        }
        offsets[index] = room.take(rounded(blocks[index].byteCount, to: alignment))
    }
    return (offsets, room.end)
}

/// What is free of a memory that ends nowhere: ranges in order that do not touch, and all from `end` on.
private struct FreeRanges {
    /// The end of all that was ever taken.
    private(set) var end = 0
    private var free: [(offset: Int, byteCount: Int)] = []

    mutating func take(_ byteCount: Int) -> Int {
        guard let place = free.firstIndex(where: { $0.byteCount >= byteCount }) else {
            defer { end += byteCount }
            return end
        }
        let offset = free[place].offset
        free[place] = (offset + byteCount, free[place].byteCount - byteCount)
        if free[place].byteCount == 0 { free.remove(at: place) }
        return offset
    }

    mutating func give(back offset: Int, _ byteCount: Int) {
        var (low, high) = (0, free.count)
        while low < high {
            let middle = (low + high) / 2
            if free[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        free.insert((offset, byteCount), at: low)
        if low + 1 < free.count, offset + byteCount == free[low + 1].offset {
            free[low].byteCount += free.remove(at: low + 1).byteCount
        }
        if low > 0, free[low - 1].offset + free[low - 1].byteCount == offset {
            free[low - 1].byteCount += free.remove(at: low).byteCount
        }
    }
}

func rounded(_ count: Int, to multiple: Int) -> Int { (count + multiple - 1) / multiple * multiple }
