internal import DCNGraph

/// A kernel whose shapes follow from values that only the run knows: planned again once they are there.
func lateRoutine(_ op: some Operator, outputs count: Int = 1) -> ValueRoutine {
    ValueRoutine { (values, scope) throws(Misfit) in
        let types = try op.boundedOutputTypes(
            for: Inputs(values.map { $0?.type }, constants: values, outputCount: count))
        try scope.expectRoom(for: types)
        let call = Call(
            inputs: values.map { $0?.type }, outputs: types, constants: values,
            instructionSet: scope.instructionSet)
        let kernel: any Kernel
        switch try op.wideningExecution(for: call) {
        case .kernel(let found): kernel = found
        case .routine(let routine as WidenedRoutine): return try routine.run(values, in: scope)
        case .routine: throw .missing("a value that the shape of \(op.name) follows from")
        }
        var outputs: [MutableTensor] = []
        for type in types {
            guard let tensor = type.tensor else { throw .unsupported("a kernel that gives no tensor") }
            outputs.append(try scope.allocate(tensor))
        }
        try scope.run(kernel, inputs: values.map { $0?.tensor }, outputs: outputs)
        return outputs.map { .tensor($0.finished) }
    }
}
