internal import DCNGraph

/// Boxes by their edges, and how far two of them overlap.
struct EdgeBoxes: Sendable {
    private(set) var x1: [Float] = []
    private(set) var y1: [Float] = []
    private(set) var x2: [Float] = []
    private(set) var y2: [Float] = []
    private(set) var area: [Float] = []
    /// Added to widths and heights: 1 where edges are inclusive.
    let plus: Float
    private let areaPlus: Float

    /// No boxes yet; `areaPlus` is added to widths and heights where an area follows from them.
    init(plus: Float = 0, areaPlus: Float? = nil) {
        self.plus = plus
        self.areaPlus = areaPlus ?? plus
    }

    mutating func append(_ left: Float, _ top: Float, _ right: Float, _ bottom: Float) {
        x1.append(left)
        y1.append(top)
        x2.append(right)
        y2.append(bottom)
        area.append((right - left + areaPlus) * (bottom - top + areaPlus))
    }

    mutating func append(_ box: SIMD4<Float>) { append(box[0], box[1], box[2], box[3]) }

    mutating func append(_ index: Int, of other: EdgeBoxes) {
        x1.append(other.x1[index])
        y1.append(other.y1[index])
        x2.append(other.x2[index])
        y2.append(other.y2[index])
        area.append(other.area[index])
    }

    var count: Int { area.count }

    /// The area that box `index` shares with one of another list.
    @inline(__always)
    func intersection(_ index: Int, _ other: EdgeBoxes, _ second: Int) -> Float {
        let width = min(x2[index], other.x2[second]) - max(x1[index], other.x1[second]) + plus
        let height = min(y2[index], other.y2[second]) - max(y1[index], other.y1[second]) + plus
        return width > 0 && height > 0 ? width * height : 0
    }

    /// Whether box `index` shares no edge with one of another list, inclusive or not.
    func isApart(_ index: Int, _ other: EdgeBoxes, _ second: Int) -> Bool {
        x2[index] < other.x1[second] || other.x2[second] < x1[index] || y2[index] < other.y1[second]
            || other.y2[second] < y1[index]
    }

    /// The share of the common area in the whole; NaN of two boxes without area.
    @inline(__always)
    func overlap(_ index: Int, _ other: EdgeBoxes, _ second: Int) -> Float {
        let common = intersection(index, other, second)
        return common / (area[index] + other.area[second] - common)
    }
}

/// Whether a score comes before another, NaN after all.
func isGreater(_ a: Float, _ b: Float) -> Bool { a > b || b.isNaN && !a.isNaN }

/// The first of `count` numbers that none is greater than; NaN where all are.
func greatestPlace(_ count: Int, of value: (Int) -> Float) -> Int {
    (1..<max(1, count)).reduce(0) { isGreater(value($1), value($0)) ? $1 : $0 }
}

/// Indices in the order of descending scores, equal ones ascending, NaN last.
func descending(_ indices: some Sequence<Int>, by score: (Int) -> Float) -> [Int] {
    let pairs = indices.map { (score: score($0), index: $0) }
    let sorted = pairs.sorted { (a, b) in
        if a.score == b.score || a.score.isNaN && b.score.isNaN { return a.index < b.index }
        return isGreater(a.score, b.score)
    }
    return sorted.map(\.index)
}

/// Takes boxes in order, each unless it overlaps one already taken by more than `threshold`; boxes without area, or with
/// inclusive edges that are not shared, may be said to overlap nothing.
func suppress(
    _ order: [Int], _ boxes: EdgeBoxes, threshold: Float, limit: Int = .max, ignoresEmpty: Bool = false,
    ignoresApart: Bool = false
) -> [Int] {
    var kept: [Int] = []
    var taken = EdgeBoxes(plus: boxes.plus)
    for index in order {
        if kept.count >= limit { break }
        let isFree = !(0..<taken.count).contains { other in
            if ignoresEmpty, !(boxes.area[index] > 0 && taken.area[other] > 0) { return false }
            if ignoresApart, boxes.isApart(index, taken, other) { return false }
            let common = boxes.intersection(index, taken, other)
            guard common > 0 || !ignoresEmpty else { return false }
            return common / (boxes.area[index] + taken.area[other] - common) > threshold
        }
        guard isFree else { continue }
        kept.append(index)
        taken.append(index, of: boxes)
    }
    return kept
}

/// Takes items in order, at most `limit` of them, each unless it is near one already taken.
func greedy(
    _ order: some Sequence<Int>, limit: Int = .max, _ scope: any Scope,
    isNear: (_ taken: Int, _ next: Int) -> Bool
) throws(Misfit) -> [Int] {
    var taken: [Int] = []
    for (place, index) in order.enumerated() {
        if taken.count >= limit { break }
        if place % 64 == 0 { try scope.checkpoint() }
        if !taken.contains(where: { isNear($0, index) }) { taken.append(index) }
    }
    return taken
}
