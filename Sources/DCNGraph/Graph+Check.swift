extension Graph {
    /// Every law of the graph, said once: operands are written before they are read, by one node; readers and writers
    /// agree; types are what the operators say.
    public func check() throws(DCNError) {
        var written = Set(inputs)
        for id in values where self[id].constant != nil { written.insert(id) }
        for id in nodes {
            try checkOperands(of: id, written: written)
            try checkTypes(of: id)
            for output in self[id].outputs {
                guard let output else { continue }
                try expect(
                    self[output].producer == id, "value '\(self[output].name)' names another writer", id)
                try expect(
                    written.insert(output).inserted, "value '\(self[output].name)' is written twice", id)
            }
            for body in self[id].bodies { try body.check() }
        }
        for output in outputs {
            try expect(written.contains(output), "output '\(self[output].name)' is never written", nil)
        }
    }

    private func checkOperands(of id: NodeID, written: Set<ValueID>) throws(DCNError) {
        for (index, input) in self[id].inputs.enumerated() {
            guard let input else { continue }
            try expect(written.contains(input), "'\(self[input].name)' is read before it is written", id)
            let readings = zip(self[input].consumers, self[input].operands)
            try expect(
                readings.contains { $0 == id && $1 == index },
                "'\(self[input].name)' does not know its reader", id)
        }
    }

    private func checkTypes(of id: NodeID) throws(DCNError) {
        let node = self[id]
        let operands = operands(of: node.inputs, bodies: node.bodies, outputCount: node.outputs.count)
        let types: [ValueType]
        do throws(Misfit) { types = try node.op.outputTypes(for: operands) } catch {
            throw DCNError(error, .map, at: node.origin)
        }
        for (output, type) in zip(node.outputs, types) {
            guard let output, let got = self[output].type.tensor, let expected = type.tensor else { continue }
            try expect(
                got.element == expected.element && got.layout == expected.layout
                    && agree(got.shape, expected.shape),
                "'\(self[output].name)' is \(got), expected \(expected)", id)
        }
    }

    private func agree(_ got: Shape?, _ expected: Shape?) -> Bool {
        guard let got, let expected else { return true }
        guard got.rank == expected.rank else { return false }
        return zip(got.dimensions, expected.dimensions).allSatisfy {
            guard let a = $0.fixed, let b = $1.fixed else { return true }
            return a == b
        }
    }

    private func expect(_ law: Bool, _ message: @autoclosure () -> String, _ node: NodeID?) throws(DCNError) {
        guard !law else { return }
        throw DCNError(.defect, .map, escaped(message()), at: node.flatMap { self[$0].origin })
    }
}
