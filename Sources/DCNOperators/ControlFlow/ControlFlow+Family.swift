internal import DCNGraph

extension Family {
    /// Operators that run graphs.
    static let controlFlow = Family(
        [If.self, Loop.self, Scan.self, BatchedScan.self, SequenceMap.self],
        [
            "": [
                "If": { (node) throws(Misfit) in
                    try expectBodies(node, "then_branch", "else_branch")
                    return Meaning(If(), bodies: ["then_branch", "else_branch"])
                },
                "Loop": { (node) throws(Misfit) in
                    try expectBodies(node, "body")
                    let count = node.inputs.count
                    let head: [Int?] = (0..<2).map { $0 < count ? $0 : nil }
                    return Meaning(
                        Loop(carriedCount: max(0, count - 2)), order: head + (2..<max(2, count)).map { $0 },
                        bodies: ["body"])
                },
                "Scan": { (node) throws(Misfit) in try scan(node) },
                "SequenceMap": { (node) throws(Misfit) in
                    try expectBodies(node, "body")
                    return Meaning(SequenceMap(mappedCount: node.inputs.count), bodies: ["body"])
                },
            ]
        ])

    private static func scan(_ node: SourceNode) throws(Misfit) -> Meaning {
        try expectBodies(node, "body")
        let scanned = try node.int("num_scan_inputs")
        guard scanned > 0, scanned <= node.inputs.count else {
            throw .attribute("num_scan_inputs", because: "is \(scanned), expected 1 … \(node.inputs.count)")
        }
        if node.version < 9 {
            let op = BatchedScan(
                stateCount: node.inputs.count - scanned - 1, scannedCount: scanned,
                inputsReversed: try directions(node, "directions"))
            return Meaning(op, bodies: ["body"])
        }
        let op = Scan(
            stateCount: node.inputs.count - scanned, scannedCount: scanned,
            inputAxes: try node.ints("scan_input_axes", default: []),
            inputsReversed: try directions(node, "scan_input_directions"),
            outputAxes: try node.ints("scan_output_axes", default: []),
            outputsReversed: try directions(node, "scan_output_directions"))
        return Meaning(op, bodies: ["body"])
    }

    private static func directions(_ node: SourceNode, _ name: String) throws(Misfit) -> [Bool] {
        let given = try node.ints(name, default: [])
        if let bad = given.first(where: { $0 != 0 && $0 != 1 }) {
            throw .attribute(name, because: "holds \(bad), expected 0 or 1")
        }
        return given.map { $0 == 1 }
    }
}
