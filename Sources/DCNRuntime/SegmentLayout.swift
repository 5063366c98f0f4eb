internal import DCNGraph

/// Decides for each value of a segment whether it lies in the arena, and where.
///
/// Values that cross the segment's end, and those that routines read or write, are tensors of their own.
struct SegmentLayout {
    let graph: Graph
    let liveness: Liveness
    let end: Int
    /// Values that routines of the segment read.
    let routineReads: Set<Int>
    private(set) var valueByteCount = 0
    private var blocks: [Block] = []
    private var blockOf: [Int: Int] = [:]
    /// The position of the last node that reads a value of the block, by block.
    private var lastUses: [Int] = []

    init(graph: Graph, liveness: Liveness, end: Int, routineReads: Set<Int>) {
        self.graph = graph
        self.liveness = liveness
        self.end = end
        self.routineReads = routineReads
    }

    mutating func add(_ node: Node, _ execution: Execution, sizes: [Int], step: Int) {
        for input in node.inputs {
            if let input, let block = blockOf[input.index] {
                blocks[block].last = max(blocks[block].last, step)
            }
        }
        guard case .kernel(let kernel) = execution else { return }
        var taken: Set<Int> = []
        for (index, output) in node.outputs.enumerated() {
            guard let output else { continue }
            guard isInner(output) else {
                valueByteCount += sizes[index]
                continue
            }
            if let block = reusable(kernel, output: index, node, size: sizes[index], step: step, taken: taken)
            {
                taken.insert(block)
                blockOf[output.index] = block
                lastUses[block] = max(lastUses[block], liveness.lastUse[output.index])
            } else {
                blockOf[output.index] = blocks.count
                blocks.append(Block(byteCount: sizes[index], first: step, last: step))
                lastUses.append(liveness.lastUse[output.index])
            }
        }
    }

    /// The block of an input that this output may overwrite: nobody reads it later, and it is large enough.
    private func reusable(
        _ kernel: any Kernel, output: Int, _ node: Node, size: Int, step: Int, taken: Set<Int>
    ) -> Int? {
        for pair in kernel.inPlace where pair.output == output && pair.input < node.inputs.count {
            guard let input = node.inputs[pair.input], let block = blockOf[input.index],
                !taken.contains(block),
                node.inputs.filter({ $0.flatMap { blockOf[$0.index] } == block }).count == 1,
                blocks[block].byteCount >= size, isLastReader(of: block, node)
            else { continue }
            return block
        }
        return nil
    }

    private func isLastReader(of block: Int, _ node: Node) -> Bool {
        guard let output = node.outputs.compactMap({ $0 }).first, let id = graph[output].producer,
            let position = liveness.position[id]
        else { return false }
        return lastUses[block] <= position
    }

    /// Whether a value is written and read by kernels inside the segment only.
    private func isInner(_ value: ValueID) -> Bool {
        liveness.lastUse[value.index] < end && !routineReads.contains(value.index)
    }

    func finished() -> (offsets: [Int: Int], byteCount: Int) {
        let (offsets, total) = arrange(blocks)
        return (blockOf.mapValues { offsets[$0] }, total)
    }
}
