internal import CKernels
internal import DCNGraph

/// A convolution and the maximum pooling of its results, step by step while they are near.
///
/// A tile is a band of pooled columns over some pooled rows. Each step computes the rows of results that its pooled rows
/// need and the step before did not leave behind: a convolution of fewer rows with its padding moved.
struct PooledConvKernel: Kernel {
    private let table: ConvTable
    private let simd: Simd
    private let activation: Activation
    private let bands: PooledBands
    private let input: [Int]
    /// By the columns of a band, then by rows less one.
    private let plans: [Int: [dcn_conv_plan]]
    private let convScratch: Int
    private let pixel: Int
    let tileCount: Int

    init(_ op: PooledConv, _ call: Call) throws(Misfit) {
        let form = try op.convolution.weightForm()
        let shape = try op.convolution.geometry(call, form)
        input = try call.extents(0)
        pixel = paddedChannels(form.extents[0])
        bands = try PooledBands(
            shape, op.window, edge: dcn_conv_edge(form.code), pixel: pixel, tilesWanted: call.tilesWanted)
        tileCount = (try call.output(0).byteCount ?? 0) == 0 ? 0 : input[0] * bands.count
        plans = tileCount == 0 ? [:] : try Self.plans(form.code, shape, bands, call)
        convScratch = plans.values.joined().map(\.scratch_bytes).max() ?? 0
        table = try ConvTable(call.instructionSet)
        simd = try Simd(call.instructionSet)
        activation = op.convolution.activation
    }

    private static func plans(
        _ form: dcn_conv_form, _ shape: dcn_conv_shape, _ bands: PooledBands, _ call: Call
    ) throws(Misfit) -> [Int: [dcn_conv_plan]] {
        var plans: [Int: [dcn_conv_plan]] = [:]
        for columns in bands.widths where bands.mostRows > 0 {
            for rows in 1...bands.mostRows {
                var (part, plan) = (shape, dcn_conv_plan())
                part.batch = 1
                (part.output.height, part.output.width) = (rows, columns)
                let set = call.instructionSet.code
                guard dcn_conv_make_plan(form, &part, machineCaches, set, 1, &plan) != 0 else {
                    throw .value(of: "the convolution", because: "is too large to be planned")
                }
                plans[columns, default: []].append(plan)
            }
        }
        if let plan = plans.values.first?.first { try call.expectPacked(plan.packed_count) }
        return plans
    }

    private var stripFloats: Int { bands.mostRows * (bands.widths.max() ?? 0) * pixel }

    var scratchByteCount: Int {
        tileCount == 0 ? 0 : convScratch + stripFloats * MemoryLayout<Float>.stride
    }

    func run(tile: Int, in frame: Frame) {
        let (item, band) = (tile / bands.count, bands[tile % bands.count])
        let strip = (frame.scratch + convScratch).assumingMemoryBound(to: Float.self)
        let row = band.results.count * pixel
        var held = 0..<0
        for first in stride(from: band.rows.lowerBound, to: band.rows.upperBound, by: bands.rowsPerStep) {
            let pooled = first..<min(first + bands.rowsPerStep, band.rows.upperBound)
            let needed = bands.resultRows(of: pooled)
            let kept = needed.clamped(to: held)
            if !kept.isEmpty, kept.lowerBound > held.lowerBound {
                strip.update(from: strip + (kept.lowerBound - held.lowerBound) * row, count: kept.count * row)
            }
            let new = max(needed.lowerBound, min(held.upperBound, needed.upperBound))..<needed.upperBound
            convolve(item, new, band, strip + (new.lowerBound - needed.lowerBound) * row, frame)
            for y in pooled { pool(item, y, needed, band, strip, frame) }
            held = needed
        }
    }

    /// Rows of results, within the columns of a band.
    private func convolve(
        _ item: Int, _ rows: Range<Int>, _ band: PooledBands.Band, _ target: UnsafeMutablePointer<Float>,
        _ frame: Frame
    ) {
        guard !rows.isEmpty, var plan = plans[band.results.count]?[rows.count - 1] else { return }
        plan.shape.pad.height -= rows.lowerBound * plan.shape.stride.height
        plan.shape.pad.width -= band.results.lowerBound * plan.shape.stride.width
        var arguments = dcn_conv_arguments(
            x: frame.input(0, as: Float.self) + item * input[1] * input[2] * input[3], x_stride: 0,
            packed: frame.input(1, as: Float.self),
            y: dcn_output(data: target, stride: pixel, clear: pixel, streaming: 0),
            epilogue: epilogue(activation, bias: 2, residual: 3, stride: pixel, frame))
        for tile in 0..<plan.tile_count {
            table.pointer.pointee.conv(&plan, &arguments, tile, frame.scratch)
        }
    }

    /// One pooled row of a band, of the rows of results in the strip.
    private func pool(
        _ item: Int, _ y: Int, _ rows: Range<Int>, _ band: PooledBands.Band,
        _ strip: UnsafeMutablePointer<Float>, _ frame: Frame
    ) {
        var shape = bands.shape(row: y, rows, band)
        let place = (item * bands.pooledHeight + y) * bands.pooledWidth + band.columns.lowerBound
        simd.table.pointee.pool_last_f32(
            DCN_POOL_MAX, &shape, strip, frame.output(0, as: Float.self) + place * pixel, nil, 0, 1)
    }
}
