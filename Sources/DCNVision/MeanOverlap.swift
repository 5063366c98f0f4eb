/// Intersections and unions of maps of classes, summed over pictures.
///
///     IoU(c) = |got = c and true = c| / |got = c or true = c|,   mIoU = the mean over the classes that either holds
///
/// Sums run over all pictures before anything is divided, as PASCAL VOC and Cityscapes do.
package struct ClassOverlaps: Sendable {
    private var both: [Int: Int] = [:]
    private var either: [Int: Int] = [:]

    /// Nothing yet.
    package init() {}

    /// Counts a picture's places. Those whose true class is `ignored` do not count.
    package mutating func add(_ got: [Int], _ truth: [Int], ignoring ignored: Int? = nil) {
        for (got, truth) in zip(got, truth) where truth != ignored {
            either[got, default: 0] += 1
            if got == truth { both[got, default: 0] += 1 } else { either[truth, default: 0] += 1 }
        }
    }

    /// Classes that were met, rising, with their overlaps.
    package var each: [(label: Int, overlap: Double)] {
        either.sorted { $0.key < $1.key }.map { ($0.key, Double(both[$0.key] ?? 0) / Double($0.value)) }
    }

    /// The mean over these classes; nil when nothing counted.
    package var mean: Double? {
        let each = each
        return each.isEmpty ? nil : each.reduce(0) { $0 + $1.overlap } / Double(each.count)
    }
}
