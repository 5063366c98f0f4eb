internal import CKernels
internal import DCNGraph

/// float32 products by the vector kernels.
struct MatMulKernel: Kernel {
    private let table: ConvTable
    private let plan: dcn_matmul_plan
    private let geometry: MatMulGeometry
    private let activation: Activation
    private let addendUse: AddendUse
    private let tiling: Tiling

    /// How the kernel takes the addend.
    private enum AddendUse { case none, bias, residual, general }

    init(_ op: MatMul, _ geometry: MatMulGeometry, _ call: Call) throws(Misfit) {
        var geometry = geometry
        let use = Self.use(of: geometry.addend, op.addendScale, geometry)
        var shape = dcn_matmul_shape(
            rows: geometry.rows, inner: geometry.inner, columns: geometry.columns,
            a_row: geometry.left.rowStep,
            a_inner: geometry.left.columnStep, b_inner: geometry.right.rowStep,
            b_column: geometry.right.columnStep, addend_row: geometry.addend?.rowStep ?? 0,
            addend_column: geometry.addend?.columnStep ?? 0, scale: op.scale, addend_scale: op.addendScale,
            packed: op.packed == nil ? 0 : 1, has_addend: use == .general ? 1 : 0)
        if op.packed != nil { try Self.usePacked(&geometry, shape, call) }
        var plan = dcn_matmul_plan()
        let wanted = (call.tilesWanted + max(1, geometry.products) - 1) / max(1, geometry.products)
        guard dcn_matmul_make_plan(&shape, machineCaches, wanted, &plan) != 0 else {
            throw .value(of: "the product", because: "is too large to be planned")
        }
        table = try ConvTable(call.instructionSet)
        self.plan = plan
        self.geometry = geometry
        activation = op.activation
        addendUse = use
        let work = Double(geometry.rows) * Double(geometry.columns) * Double(geometry.inner + 8) / 16
        tiling = Tiling(
            geometry.products * plan.tile_count,
            cost: Int(min(1e9, work / Double(max(1, plan.tile_count)))) + 1,
            limit: 1 << 16)
    }

    /// Packed matrices lie one after the other.
    private static func usePacked(
        _ geometry: inout MatMulGeometry, _ shape: dcn_matmul_shape, _ call: Call
    ) throws(Misfit) {
        let count = withUnsafePointer(to: shape) { dcn_matmul_packed_count($0) }
        let matrix = max(1, geometry.inner * geometry.columns)
        geometry.right.batchSteps = geometry.right.batchSteps.map {
            ($0 / matrix).multipliedReportingOverflow(by: count).partialValue
        }
        let last = zip(geometry.right.batch, geometry.right.batchSteps).reduce(0.0) {
            $0 + Double(max(0, $1.0 - 1)) * Double($1.1)
        }
        let needed = Int(min(last, 0x1p60)) + count
        guard count >= 0, last >= 0, let given = try call.input(1).elementCount, given >= needed else {
            throw .extent(of: "B", axis: 0, expected: "\(needed)", got: "fewer", because: "packed in panels")
        }
    }

    private static func use(
        of addend: MatrixView?, _ scale: Float, _ geometry: MatMulGeometry
    ) -> AddendUse {
        guard let addend else { return .none }
        guard scale == 1, addend.columnStep == 1 else { return .general }
        if addend.rowStep == 0 || addend.rows == 1 { return .bias }
        return !geometry.hasResidual && addend.rowStep == geometry.columns ? .residual : .general
    }

    var tileCount: Int { tiling.tiles }
    var scratchByteCount: Int { plan.scratch_bytes }

    func run(tile: Int, in frame: Frame) {
        var plan = plan
        for unit in tiling[tile] {
            var arguments = arguments(product: unit / plan.tile_count, frame)
            table.pointer.pointee.matmul(&plan, &arguments, unit % plan.tile_count, frame.scratch)
        }
    }

    private func arguments(product: Int, _ frame: Frame) -> dcn_matmul_arguments {
        let output = product * geometry.rows * geometry.columns
        let addend = frame.optionalInput(2, as: Float.self).map {
            $0 + (geometry.addend?.offset(product) ?? 0)
        }
        let residual = geometry.hasResidual ? frame.optionalInput(3, as: Float.self).map { $0 + output } : nil
        return dcn_matmul_arguments(
            a: frame.input(0, as: Float.self) + geometry.left.offset(product),
            b: frame.input(1, as: Float.self) + geometry.right.offset(product),
            addend: addendUse == .general ? addend : nil, y: frame.output(0, as: Float.self) + output,
            y_stride: geometry.columns,
            epilogue: dcn_epilogue(
                bias: addendUse == .bias ? addend : nil, residual: addendUse == .residual ? addend : residual,
                residual_stride: geometry.columns, activation: activation.code, alpha: activation.alpha,
                beta: activation.beta, residual_last: 0))
    }
}
