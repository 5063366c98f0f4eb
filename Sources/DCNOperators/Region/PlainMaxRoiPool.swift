internal import DCNGraph

/// Maxima over bins of whole cells in double precision, one bin after the other.
struct PlainMaxRoiPool: Sendable {
    let bins: RegionBins
    let x: [Int]
    let regions: Int

    init(_ op: MaxRoiPool, _ call: Call) throws(Misfit) {
        guard try call.input(1).element == .float64 else {
            throw .unsupported("MaxRoiPool of \(try call.input(1).element) regions on float64")
        }
        bins = op.bins
        x = try call.extents(0)
        regions = try call.extents(1)[0]
    }

    var kernel: TileKernel {
        let plan = self
        let tiling = Tiling(regions &* x[1], cost: x[2] &* x[3])
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for row in tiling[tile] { plan.run(row / plan.x[1], row % plan.x[1], frame) }
        }
    }

    private func run(_ region: Int, _ channel: Int, _ frame: Frame) {
        let y = frame.output(0, as: Double.self) + (region * x[1] + channel) * bins.height * bins.width
        let roi = frame.input(1, as: Double.self) + region * 5
        let image = roi.image(of: x[0])
        for bin in 0..<bins.height * bins.width {
            guard let image else {
                y[bin] = 0
                continue
            }
            let plane = frame.input(0, as: Double.self) + (image * x[1] + channel) * x[2] * x[3]
            let rows = cells(roi[2], roi[4], bin / bins.width, bins.height, x[2])
            let columns = cells(roi[1], roi[3], bin % bins.width, bins.width, x[3])
            var greatest: Double?
            for row in rows {
                for column in columns {
                    let value = plane[row * x[3] + column]
                    greatest = greatest.map { value > $0 ? value : $0 } ?? value
                }
            }
            y[bin] = greatest ?? 0
        }
    }

    /// The cells of one bin along an axis.
    private func cells(_ from: Double, _ to: Double, _ bin: Int, _ count: Int, _ extent: Int) -> Range<Int> {
        let start = (from * Double(bins.scale)).rounded(.toNearestOrAwayFromZero)
        let end = (to * Double(bins.scale)).rounded(.toNearestOrAwayFromZero)
        let size = max(end - start + 1, 1) / Double(count)
        func limited(_ place: Double) -> Int { Int(saturating: min(max(place, 0), Double(extent))) }
        let first = limited((Double(bin) * size).rounded(.down) + start)
        return first..<max(first, limited((Double(bin + 1) * size).rounded(.up) + start))
    }
}
