internal import DCNGraph

/// The positions of nodes in an order in which every value is written before it is read; that of the file where it
/// already is one. Throws when there is none, naming a node on a cycle, and when two nodes write one name.
func runningOrder(of nodes: [SourceNode]) throws(DCNError) -> [Int] {
    let writers = try writers(of: nodes)
    let needs = nodes.map { node in Set(node.readNames.compactMap { writers[$0] }) }
    var waiting = needs.map(\.count)
    var readers: [[Int]] = Array(repeating: [], count: nodes.count)
    for (reader, writers) in needs.enumerated() { for writer in writers { readers[writer].append(reader) } }
    var ready = MinimumHeap(waiting.indices.filter { waiting[$0] == 0 })
    var order: [Int] = []
    while let next = ready.pop() {
        order.append(next)
        for reader in readers[next] {
            waiting[reader] -= 1
            if waiting[reader] == 0 { ready.push(reader) }
        }
    }
    guard order.count < nodes.count, let stuck = cycle(waiting: waiting, needs: needs) else { return order }
    let names = stuck.prefix(8).map {
        "'" + escaped(nodes[$0].name.isEmpty ? nodes[$0].opType : nodes[$0].name) + "'"
    }
    let message = "nodes wait for each other in a cycle: " + names.joined(separator: " ← ")
    throw DCNError(.model, .map, message, at: nodes[stuck[0]].origin)
}

private func writers(of nodes: [SourceNode]) throws(DCNError) -> [String: Int] {
    var writers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
        for output in node.outputs where !output.isEmpty {
            if let other = writers.updateValue(index, forKey: output) {
                let first = nodes[other].origin.path
                throw DCNError(
                    .model, .map, "'\(escaped(output))' is written twice, first by \(escaped(first))",
                    at: node.origin)
            }
        }
    }
    return writers
}

/// Nodes that wait for each other: following needs among those still waiting must come back somewhere.
private func cycle(waiting: [Int], needs: [Set<Int>]) -> [Int]? {
    guard var node = waiting.firstIndex(where: { $0 > 0 }) else { return nil }
    var path: [Int] = []
    var places: [Int: Int] = [:]
    while places[node] == nil {
        places[node] = path.count
        path.append(node)
        guard let next = needs[node].filter({ waiting[$0] > 0 }).min() else { return path }
        node = next
    }
    return Array(path[(places[node] ?? 0)...])
}

/// The least of many numbers first.
private struct MinimumHeap {
    private var items: [Int] = []

    init(_ items: [Int]) { self.items = items.sorted() }

    mutating func push(_ item: Int) {
        items.append(item)
        var child = items.count - 1
        while child > 0, items[(child - 1) / 2] > items[child] {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Int? {
        guard let least = items.first, let last = items.popLast() else { return nil }
        guard !items.isEmpty else { return least }
        items[0] = last
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < items.count }
            guard let child = children.min(by: { items[$0] < items[$1] }), items[child] < items[parent] else {
                break
            }
            items.swapAt(child, parent)
            parent = child
        }
        return least
    }
}
