/// The order in which nodes run: a ring through nodes and one end mark, so that rewrites of large graphs take nodes in
/// and out anywhere without touching the others.
struct RunningOrder: Sendable {
    private(set) var count = 0
    // By node index + 1; position 0 is the mark behind the last node, and before the first.
    private var next = [0]
    private var previous = [0]

    /// All nodes, in order.
    var nodes: [NodeID] {
        var nodes: [NodeID] = []
        nodes.reserveCapacity(count)
        var position = next[0]
        while position != 0 {
            nodes.append(NodeID(position - 1))
            position = next[position]
        }
        return nodes
    }

    /// Puts a node, which must not be there, before another one, or behind all.
    mutating func insert(_ node: NodeID, before other: NodeID? = nil) {
        let (position, following) = (node.index + 1, other.map { $0.index + 1 } ?? 0)
        let missing = position + 1 - next.count
        if missing > 0 {
            next += repeatElement(0, count: missing)
            previous += repeatElement(0, count: missing)
        }
        let preceding = previous[following]
        (previous[position], next[position]) = (preceding, following)
        next[preceding] = position
        previous[following] = position
        count += 1
    }

    /// Takes a node out, which must be there.
    mutating func remove(_ node: NodeID) {
        let position = node.index + 1
        let (preceding, following) = (previous[position], next[position])
        next[preceding] = following
        previous[following] = preceding
        count -= 1
    }
}
