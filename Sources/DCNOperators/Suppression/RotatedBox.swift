/// A box about a centre, turned by an angle in radians.
struct RotatedBox: Sendable {
    var x, y, width, height, angle: Double

    init(_ values: ArraySlice<Float>) {
        let v = values.map { Double($0) }
        (x, y, width, height, angle) = (v[0], v[1], v[2], v[3], v[4])
    }

    var area: Double { width * height }

    /// The share of the common area in the whole; 0 of boxes without area, or with what is not finite.
    func overlap(_ other: RotatedBox) -> Double {
        guard area >= 1e-14, other.area >= 1e-14, area + other.area < .infinity else { return 0 }
        let reach = (width + height + other.width + other.height) / 2
        guard abs(x - other.x) <= reach, abs(y - other.y) <= reach else { return 0 }
        let (cx, cy) = ((x + other.x) / 2, (y + other.y) / 2)
        let common = Self.clip(corners(cx, cy), by: other.corners(cx, cy))
        return common / (area + other.area - common)
    }

    private typealias Point = SIMD2<Double>

    /// Corners about an origin, in the sense that makes areas positive.
    private func corners(_ cx: Double, _ cy: Double) -> [SIMD2<Double>] {
        let (sine, cosine) = (Elementary.sin(angle) / 2, Elementary.cos(angle) / 2)
        let centre = Point(x - cx, y - cy)
        let along = Point(cosine * width, sine * width)
        let across = Point(-sine * height, cosine * height)
        return [
            centre - along - across, centre + along - across, centre + along + across,
            centre - along + across,
        ]
    }

    /// The area of one convex polygon within another.
    private static func clip(_ subject: [SIMD2<Double>], by frame: [SIMD2<Double>]) -> Double {
        var polygon = subject
        for index in frame.indices {
            let (from, to) = (frame[index], frame[(index + 1) % frame.count])
            polygon = cut(polygon, from, to)
            if polygon.count < 3 { return 0 }
        }
        var sum = 0.0
        for index in polygon.indices { sum += cross(polygon[index], polygon[(index + 1) % polygon.count]) }
        return max(0, sum / 2)
    }

    /// What lies left of a line.
    private static func cut(_ polygon: [Point], _ from: Point, _ to: Point) -> [Point] {
        var result: [Point] = []
        for index in polygon.indices {
            let (a, b) = (polygon[index], polygon[(index + 1) % polygon.count])
            let (da, db) = (cross(to - from, a - from), cross(to - from, b - from))
            if da >= 0 { result.append(a) }
            if da > 0 && db < 0 || da < 0 && db > 0 { result.append(a + (b - a) * (da / (da - db))) }
        }
        return result
    }

    private static func cross(_ a: Point, _ b: Point) -> Double { a.x * b.y - a.y * b.x }
}
