package import DCNGraph

/// Output 0 has the bytes of input 0; nothing to do where they share them.
struct CopyKernel: Kernel {
    private let byteCount: Int
    private let tiling: Tiling
    let inPlace = [InPlace(output: 0, input: 0, isAlias: true)]

    init(byteCount: Int) {
        self.byteCount = byteCount
        tiling = Tiling(byteCount, target: 1 << 18, multipleOf: 64)
    }

    var tileCount: Int { tiling.tiles }

    func run(tile: Int, in frame: Frame) {
        let source = frame.input(0, as: UInt8.self)
        let target = frame.output(0, as: UInt8.self)
        guard source != UnsafePointer(target) else { return }
        let range = tiling[tile]
        UnsafeMutableRawPointer(target + range.lowerBound).copyMemory(
            from: source + range.lowerBound, byteCount: range.count)
    }
}

/// Gives input 0 with the extents of the output.
struct ViewRoutine: Routine {
    let op: any Operator

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        let types = try op.boundedOutputTypes(for: Inputs(inputs.map { $0?.type }, constants: inputs))
        guard let tensor = inputs.first??.tensor, let extents = types.first?.tensor?.extents,
            let view = tensor.reshaped(to: extents)
        else { throw .missing("the shape of the output") }
        return [.tensor(view)]
    }
}

/// An operator whose output has the bytes of its first input under other extents.
package protocol ViewOperator: Operator {}

extension ViewOperator {
    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        guard type.element != .string, try call.isSettled(), let count = type.byteCount,
            try call.output(0).byteCount == count
        else {
            // A rank of 0 is known without the value it follows from: the routine looks at that.
            return .routine(ViewRoutine(op: self))
        }
        return .kernel(CopyKernel(byteCount: count))
    }
}
