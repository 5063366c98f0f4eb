internal import DCNGraph

/// A deformable aggregation whose offsets and masks stand in one tensor: they are taken apart, then it runs as usual.
struct JointAggregate: Routine {
    let op: DeformAggregate
    let output: TensorType

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        guard inputs.count > 1, let x = inputs[0]?.tensor, let joint = inputs[1]?.tensor else {
            throw .missing("offset")
        }
        let (width, taps) = (joint.type.element.byteWidth, op.taps)
        let places = joint.extents[0..<3].reduce(1, *)
        let stride = joint.extents[3] * width
        func part(from start: Int, count: Int) throws(Misfit) -> Tensor {
            let extents = Array(joint.extents[0..<3]) + [op.groups * count]
            let part = try scope.allocate(TensorType(joint.type.element, extents: extents))
            let target = part.elements(as: UInt8.self)
            let bytes = count * width
            joint.withBytes { source in
                for entry in 0..<places * op.groups {
                    let first = entry / op.groups * stride + (entry % op.groups * 3 * taps + start) * width
                    for byte in 0..<bytes { target[entry * bytes + byte] = source[first + byte] }
                }
            }
            return part.finished
        }
        var apart = op
        apart.isJoint = false
        let operands = [x, try part(from: 0, count: 2 * taps), try part(from: 2 * taps, count: taps)]
        let call = Call(
            inputs: operands.map { .tensor($0.type) }, outputs: [.tensor(output)],
            instructionSet: scope.instructionSet)
        switch try apart.execution(for: call) {
        case .routine(let routine): return try routine.run(operands.map { .tensor($0) }, in: scope)
        case .kernel(let kernel):
            let result = try scope.allocate(output)
            try scope.run(kernel, inputs: operands, outputs: [result])
            return [.tensor(result.finished)]
        }
    }
}
