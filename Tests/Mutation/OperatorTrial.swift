package import DCNGraph
internal import DCNOperators
internal import DCNPasses

/// Tries one operator with attributes and operands that nobody chose with care, first as a value of its type, as
/// a compiled graph may hold it.
package struct OperatorTrial: Sendable {
    /// The operators that can be tried: those of the catalogue.
    package static let names = Catalogue.operators.keys.sorted()

    /// How often operands are mended before a trial ends in a refusal.
    private static let patience = 16

    /// Makes an operator of that name, finds operands that it takes, and runs it.
    package static func run(_ name: String, _ random: inout SeededRandom) -> TrialEnd {
        guard let type = Catalogue.operators[name], let op = make(type, &random) else {
            return .refused(DCNError(.defect, .map, "no attributes were found for \(name)"))
        }
        var operands = RandomOperands(&random)
        let outputCount = random.one(of: [1, 1, 1, 2, 3])
        var last: Misfit?
        for _ in 0..<patience {
            let given = operands.operands
            do throws(Misfit) {
                let inputs = Inputs(
                    given.map { $0?.type }, constants: given.map { $0?.value.map(Datum.tensor) },
                    outputCount: outputCount)
                let types = try op.boundedOutputTypes(for: inputs)
                ask(op, inputs, types)
                return attempt(op, given, outputs: min(outputCount, types.count), &random)
            } catch {
                last = error
                operands.mend(error, &random)
            }
        }
        return .refused(DCNError(last ?? .missing("operands"), .map, at: nil))
    }

    /// What one operator makes of the same numbers with each instruction set.
    package struct Answers {
        /// The operator and the types of its operands.
        package let operation: String
        /// The greatest finite magnitude among the floats of operands and attributes.
        package let reach: Double
        /// The outputs.
        package let bySet: [(InstructionSet, [Tensor])]
    }

    /// What an operator of that name makes of hostile numbers, row-major outputs only; nil where no operands were found,
    /// or where nothing can be compared.
    package static func answers(_ name: String, _ random: inout SeededRandom) -> Answers? {
        guard let type = Catalogue.operators[name], let op = make(type, &random), op.isPure else {
            return nil
        }
        var operands = RandomOperands(&random)
        for _ in 0..<patience {
            var values: [Datum?] = []
            for operand in operands.operands {
                guard let type = operand?.type.tensor else {
                    values.append(nil)
                    continue
                }
                values.append(
                    (operand?.value ?? HostileValues.tensor(type, byteLimit: 1 << 14, &random)).map {
                        .tensor($0)
                    })
            }
            do throws(Misfit) {
                let inputs = Inputs(values.map { $0?.type }, constants: values)
                _ = try op.boundedOutputTypes(for: inputs)
                try op.layoutRule(for: inputs).expect(inputs.types)
                var outputs: [(InstructionSet, [Tensor])] = []
                for set in InstructionSet.available {
                    let found = try evaluate(
                        op, values, outputCount: 1, instructionSet: set, byteLimit: 1 << 20)
                    outputs.append((set, found.compactMap(\.tensor)))
                }
                return Answers(
                    operation: "\(op) on \(values.map { $0.map { "\($0.type)" } ?? "-" })",
                    reach: (values.compactMap { $0?.tensor }.map(reach) + [reach(op)]).max() ?? 0,
                    bySet: outputs)
            } catch { operands.mend(error, &random) }
        }
        return nil
    }

    private static func reach(_ tensor: Tensor) -> Double {
        guard tensor.type.element.isFloat || tensor.type.element.isComplex else { return 0 }
        let values: [Double]
        switch tensor.type.element {
        case .float32, .complex64:
            values = tensor.withBytes { $0.bindMemory(to: Float.self).map { Double($0) } }
        case .float64, .complex128: values = tensor.withBytes { Array($0.bindMemory(to: Double.self)) }
        default:
            let wide = try? evaluate(
                Cast(to: .float64), [.tensor(tensor)], outputCount: 1, instructionSet: .baseline,
                byteLimit: 1 << 24)
            values = wide?.first?.tensor?.elements(as: Double.self) ?? []
        }
        return values.filter(\.isFinite).map(abs).max() ?? 0
    }

    private static func reach(_ op: any Operator) -> Double {
        func reach(_ value: AttributeValue) -> Double {
            switch value {
            case .float(let number): number.isFinite ? abs(number) : 0
            case .list(let values): values.map(reach).max() ?? 0
            case .record(let fields): fields.map { reach($0.value) }.max() ?? 0
            default: 0
            }
        }
        return (try? AttributeEncoder.encode(op)).map(reach) ?? 0
    }

    private static func make(_ type: any Operator.Type, _ random: inout SeededRandom) -> (any Operator)? {
        func make<O: Operator>(_ type: O.Type) -> (any Operator)? { RandomAttributes.make(type, &random) }
        return make(type)
    }

    /// Everything that may be asked of an operator whose types are known, then with extents forgotten.
    private static func ask(_ op: any Operator, _ inputs: Inputs, _ types: [ValueType]) {
        var forgetful = inputs
        forgetful.types = inputs.types.map { type in
            guard var tensor = type?.tensor else { return type }
            tensor.shape = tensor.shape.map { Shape($0.dimensions.indices.map { .symbol("s\($0)") }) }
            return .tensor(tensor)
        }
        forgetful.constants = inputs.constants.map { _ in nil }
        for inputs in [inputs, forgetful] {
            _ = try? op.outputTypes(for: inputs)
            _ = op.layoutRule(for: inputs)
            _ = op.dimensions(for: inputs)
            _ = try? op.written(for: inputs, opset: 22)
            if let op = op as? any Packable { _ = try? op.packed(for: inputs, choices: PackingChoices()) }
        }
        _ = op.multiplyAdds(inputs: inputs.types, outputs: types)
    }

    private static func attempt(
        _ op: any Operator, _ operands: [RandomOperands.Operand?], outputs: Int, _ random: inout SeededRandom
    ) -> TrialEnd {
        var graph = Graph(name: "trial")
        do throws(DCNError) {
            let values = operands.enumerated().map { index, operand -> ValueID? in
                guard let operand else { return nil }
                guard let value = operand.value else { return graph.addInput("x\(index)", operand.type) }
                return graph.addConstant("x\(index)", .tensor(value))
            }
            let results = try graph.appendNode(
                op, values, named: "trial",
                outputs: (0..<outputs).map { outputs > 1 && random.once(in: 4) ? nil : "y\($0)" }, origin: nil
            )
            for (index, result) in results.enumerated() {
                if let result { graph.addOutput(result, named: "y\(index)") }
            }
            // Without the passes, operands lie as nobody laid them out: a file that says so is refused.
            if random.once(in: 2) {
                _ = try Pipeline.fusing(.default).run(on: &graph)
            } else {
                for node in graph.nodes {
                    let operands = graph.operands(of: graph[node].inputs, bodies: [], outputCount: outputs)
                    do throws(Misfit) { try op.layoutRule(for: operands).expect(operands.types) } catch {
                        throw DCNError(error, .read, at: nil)
                    }
                }
            }
        } catch { return .refused(error) }
        return Mutation.attempt(graph, &random)
    }
}
