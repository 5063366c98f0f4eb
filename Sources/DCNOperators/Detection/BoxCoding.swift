/// How a network says a box against a prior one, with v the variances (1 where they are in the network's numbers already):
///
///     corner:     prior + v·d
///     size:       prior + v·d·(width, height, width, height)
///     centre:     centre + v·(dx, dy)·size, size·e^(v·(dw, dh))
///     turned:     as centre, the network's numbers being (dy, dx, dh, dw)
package enum BoxCoding: String, Sendable, Hashable, Codable {
    case corner, size, centre, turned

    /// The corners of a box.
    func box(_ d: SIMD4<Float>, _ prior: SIMD4<Float>, _ v: SIMD4<Float>) -> SIMD4<Float> {
        let extent = prior.highHalf - prior.lowHalf
        switch self {
        case .corner: return prior + v * d
        case .size: return prior + v * d * SIMD4(lowHalf: extent, highHalf: extent)
        case .turned: return Self.centre.box(SIMD4(d[1], d[0], d[3], d[2]), prior, v)
        case .centre:
            let centre = v.lowHalf * d.lowHalf * extent + (prior.lowHalf + prior.highHalf) / 2
            let growth = v.highHalf * d.highHalf
            let half = SIMD2(exponential(growth[0]), exponential(growth[1])) * extent / 2
            return SIMD4(lowHalf: centre - half, highHalf: centre + half)
        }
    }
}

/// A box moved by shares of its size, and grown by powers of e not above `limit`; edges are inclusive where `plus` is 1.
func displaced(_ box: SIMD4<Float>, by d: SIMD4<Float>, plus: Float, limit: Float) -> SIMD4<Float> {
    let size = box.highHalf - box.lowHalf + plus
    let centre = d.lowHalf * size + (box.lowHalf + size * 0.5)
    let half = SIMD2(exponential(min(d[2], limit)), exponential(min(d[3], limit))) * size * 0.5
    return SIMD4(lowHalf: centre - half, highHalf: centre + half - plus)
}

/// The greatest power of e that boxes of regions grow by: ln(1000 / 16).
let greatestGrowth: Float = 4.135166556742356

extension SIMD4<Float> {
    /// Cut to 0 … `limits` of x and y.
    func cut(_ limits: SIMD2<Float>) -> SIMD4<Float> {
        clamped(lowerBound: .zero, upperBound: SIMD4(lowHalf: limits, highHalf: limits))
    }
}

/// Four numbers of a list.
func four(_ values: [Float], _ row: Int) -> SIMD4<Float> { SIMD4(values[(row * 4)...].prefix(4)) }
