package import DCNFiles

/// What some numbers are like.
package struct Spread: Sendable, Hashable {
    /// How many there are.
    package let count: Int
    /// Their mean; zero of none.
    package let mean: Double
    /// How far they are from it, as the root of the mean square; zero of none.
    package let deviation: Double
    /// The least and the greatest; zero of none.
    package let range: (least: Double, greatest: Double)

    /// The spread of numbers, those that are not finite left out.
    package init(_ numbers: [Double]) {
        let finite = numbers.filter(\.isFinite)
        count = finite.count
        let mean = finite.isEmpty ? 0 : finite.reduce(0, +) / Double(finite.count)
        self.mean = mean
        let squares = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = finite.isEmpty ? 0 : (squares / Double(finite.count)).squareRoot()
        range = (finite.min() ?? 0, finite.max() ?? 0)
    }

    /// All numbers are the same.
    package static func == (a: Spread, b: Spread) -> Bool {
        a.count == b.count && a.mean == b.mean && a.deviation == b.deviation && a.range == b.range
    }
    /// By mean.
    package func hash(into hasher: inout Hasher) { hasher.combine(mean) }

    /// The spread as an object.
    package var json: Json {
        .object([
            ("count", .int(count)), ("mean", .number(mean)), ("std", .number(deviation)),
            ("min", .number(range.least)), ("max", .number(range.greatest)),
        ])
    }
}

/// What the middle of a filter stands on.
package enum ObjectSize: String, Sendable, Hashable, CaseIterable {
    /// A box below 96² pixels; below 224²; larger; none.
    case small, medium, large, background

    /// The class of the smallest box around a place in the picture.
    package init(at place: (y: Double, x: Double), among boxes: [Box]) {
        let around = boxes.filter {
            $0.left <= place.x && place.x <= $0.right && $0.top <= place.y && place.y <= $0.bottom
        }
        switch around.map(\.area).min() {
        case nil: self = .background
        case .some(let area) where area < 96 * 96: self = .small
        case .some(let area) where area <= 224 * 224: self = .medium
        default: self = .large
        }
    }
}

extension SamplingLayer {
    /// The effective dilation of the filter at one output: the mean distance between the places of adjacent taps, over
    /// all groups. (Dai et al. 2017.)
    package func effectiveDilation(row: Int, column: Int) -> Double {
        var sum = 0.0
        let pairs = adjacentTaps
        for group in 0..<groups {
            for (first, second) in pairs {
                let a = position(group, first, row: row, column: column)
                let b = position(group, second, row: row, column: column)
                sum += ((a.y - b.y) * (a.y - b.y) + (a.x - b.x) * (a.x - b.x)).squareRoot()
            }
        }
        return pairs.isEmpty ? 0 : sum / Double(groups * pairs.count)
    }

    /// Pairs of taps that are neighbours along a row or column of the kernel.
    private var adjacentTaps: [(Int, Int)] {
        taps.indices.flatMap { first in
            taps.indices.compactMap { second in
                let step = [taps[second][0] - taps[first][0], taps[second][1] - taps[first][1]]
                return step == [0, 1] || step == [1, 0] ? (first, second) : nil
            }
        }
    }

    /// How far offsets move the taps at one output: the mean length over taps and groups.
    package func magnitude(row: Int, column: Int) -> Double {
        let pixels = output[0] * output[1]
        let pixel = row * output[1] + column
        var sum = 0.0
        for entry in 0..<groups * taps.count {
            let (y, x) = (offsets[2 * entry * pixels + pixel], offsets[(2 * entry + 1) * pixels + pixel])
            sum += (y * y + x * x).squareRoot()
        }
        return sum / Double(max(1, groups * taps.count))
    }

    /// A number for each output, row by row.
    package func map(_ number: (_ row: Int, _ column: Int) -> Double) -> [Double] {
        (0..<output[0] * output[1]).map { number($0 / output[1], $0 % output[1]) }
    }

    /// Effective dilations by what filters stand on; `place` takes pixels of the layer's input to the picture.
    package func dilations(
        among boxes: [Box], place: ((y: Double, x: Double)) -> (y: Double, x: Double)
    ) -> [ObjectSize: Spread] {
        var numbers: [ObjectSize: [Double]] = [:]
        for row in 0..<output[0] {
            for column in 0..<output[1] {
                let size = ObjectSize(at: place(centre(row: row, column: column)), among: boxes)
                numbers[size, default: []].append(effectiveDilation(row: row, column: column))
            }
        }
        return numbers.mapValues(Spread.init)
    }
}
