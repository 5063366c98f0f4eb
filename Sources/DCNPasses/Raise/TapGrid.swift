internal import DCNGraph
internal import DCNOperators

/// Where one tap of one output looks, as far as it can be seen: pixels of the image.
struct Sighting {
    /// The output's row and column.
    let output: [Int]
    /// The tap's row and column.
    let tap: [Int]
    /// The row and column it looks at.
    let position: [Double]
}

/// Positions that are linear in output and tap along each axis: start + output · stride + tap · spacing.
struct TapGrid {
    let start: [Double]
    let stride: [Int]
    let spacing: [Double]

    /// The grid that all sightings lie on; nil where they lie on none. Where an axis has one output or one tap, its
    /// stride or spacing is 1.
    init?(_ sightings: [Sighting]) {
        var start: [Double] = []
        var stride: [Int] = []
        var spacing: [Double] = []
        for axis in 0..<2 {
            guard let line = Self.line(sightings.map { ($0.output[axis], $0.tap[axis], $0.position[axis]) })
            else { return nil }
            start.append(line.start)
            stride.append(line.stride)
            spacing.append(line.spacing)
        }
        self.start = start
        self.stride = stride
        self.spacing = spacing
    }

    private static func line(
        _ points: [(output: Int, tap: Int, position: Double)]
    ) -> (start: Double, stride: Int, spacing: Double)? {
        var means: [[Int]: Double] = [:]
        for point in points { means[[point.output, point.tap]] = point.position }
        let keys = means.keys.sorted { $0.lexicographicallyPrecedes($1) }
        guard let first = keys.first else { return nil }
        var stride: Double?
        var spacing: Double?
        for a in keys {
            for b in keys where b != a {
                guard let pa = means[a], let pb = means[b] else { continue }
                if stride == nil, a[1] == b[1] { stride = (pb - pa) / Double(b[0] - a[0]) }
                if spacing == nil, a[0] == b[0] { spacing = (pb - pa) / Double(b[1] - a[1]) }
            }
            if stride != nil, spacing != nil { break }
        }
        let step = (stride ?? 1).rounded()
        guard step >= 1, step < 1e6, let origin = means[first] else { return nil }
        let gap = spacing ?? 1
        let start = origin - Double(first[0]) * step - Double(first[1]) * gap
        let fits = points.allSatisfy {
            abs(start + Double($0.output) * step + Double($0.tap) * gap - $0.position) < 0.01
        }
        return fits ? (start, Int(step), gap) : nil
    }

    /// The window of a kernel over an image whose first tap stands at `start` and whose taps are `dilations` apart; nil
    /// where numbers are not whole or the output would have other extents.
    func window(kernel: [Int], dilations: [Int], start: [Int], image: [Int], output: [Int]) -> Window? {
        var window = Window()
        window.kernel = kernel
        window.strides = stride
        window.dilations = dilations
        var ends: [Int] = []
        for axis in 0..<2 {
            let reach = dilations[axis] * (kernel[axis] - 1) + 1
            let least = (output[axis] - 1) * stride[axis] + reach - image[axis] + start[axis]
            let choices = [-start[axis], 0] + Array(least..<least + stride[axis])
            guard start[axis] <= 0,
                let end = choices.first(where: { $0 >= max(0, least) && $0 < least + stride[axis] })
            else { return nil }
            ends.append(end)
        }
        window.pads = start.map { -$0 } + ends
        return window
    }
}

/// A number's nearest integer, when it is near.
func whole(_ value: Double) -> Int? {
    let rounded = value.rounded()
    return abs(value - rounded) < 0.01 && abs(rounded) < 1e9 ? Int(rounded) : nil
}
