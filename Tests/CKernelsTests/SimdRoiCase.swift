import CKernels
import Foundation
import Testing

/// One image, its regions and the shape they are pooled with.
struct RoiCase {
    var shape = dcn_roi()
    var x: [Float]  // row-major
    var last: [Float]  // channels last
    var rois: [Float]
    var count: Int

    init(_ noise: inout Noise, channels: Int, columns: Int = 5, rotated: Bool = false) {
        shape.batch = 2
        shape.channels = channels
        shape.height = 1 + noise.index(20)
        shape.width = 1 + noise.index(24)
        shape.x_stride = (channels + 15) / 16 * 16
        shape.roi_stride = columns
        shape.pooled_height = 1 + noise.index(4)
        shape.pooled_width = 1 + noise.index(4)
        shape.scale = 0.25
        shape.angle_scale = 1
        shape.minimum = -.infinity
        let (n, h, w, step) = (shape.batch, shape.height, shape.width, shape.x_stride)
        x = noise.floats(n * channels * h * w, -2, 2)
        last = [Float](repeating: 0, count: n * h * w * step)
        for i in 0..<n {
            for c in 0..<channels {
                for p in 0..<h * w { last[(i * h * w + p) * step + c] = x[(i * channels + c) * h * w + p] }
            }
        }
        count = 14
        rois = []
        for r in 0..<count {
            var row: [Float] = [Float(noise.index(2))]
            for k in 1..<columns { row.append(noise.float(-15, Float(4 * (k % 2 == 1 ? w : h)) + 10)) }
            if columns == 5 && r % 3 != 0 {
                row = [
                    row[0], min(row[1], row[3]), min(row[2], row[4]), max(row[1], row[3]),
                    max(row[2], row[4]),
                ]
            }
            if rotated { row[3] = abs(row[3]); row[4] = abs(row[4]); row[5] /= 10 }
            if r == 5 { row[3] = .nan }
            if r == 6 { row[4] = .infinity }
            if r == 7 { row[0] = 2 }
            if r == 8 { row[0] = -1 }
            if r == 9 { (row[3], row[4]) = (150, 270) }
            if r == 10 { (row[3], row[4]) = (1e30, 1e30) }
            if r == 11 { (row[1], row[2]) = (-.infinity, 3e38) }
            rois += row
        }
    }

    func pixel(_ n: Int, _ c: Int, _ y: Int, _ w: Int) -> Double {
        Double(x[((n * shape.channels + c) * shape.height + y) * shape.width + w])
    }

    /// The four weighted corners of rule A; nil outside.
    func corners(_ n: Int, _ c: Int, _ y: Float, _ w: Float) -> [Double]? {
        func axis(_ v: Float, _ extent: Int) -> (Int, Int, Double)? {
            guard v >= -1, v <= Float(extent) else { return nil }
            let low = Int(max(v, 0))
            return low >= extent - 1
                ? (extent - 1, extent - 1, 0) : (low, low + 1, Double(max(v, 0) - Float(low)))
        }
        guard let (y0, y1, ly) = axis(y, shape.height), let (x0, x1, lx) = axis(w, shape.width) else {
            return nil
        }
        return [
            (1 - ly) * (1 - lx) * pixel(n, c, y0, x0), (1 - ly) * lx * pixel(n, c, y0, x1),
            ly * (1 - lx) * pixel(n, c, y1, x0), ly * lx * pixel(n, c, y1, x1),
        ]
    }

    func batch(_ r: Int) -> Int? {
        let value = rois[r * shape.roi_stride]
        return value >= 0 && value < 2 ? Int(value) : nil
    }

    func run(
        _ kernel: (
            UnsafePointer<dcn_roi>?, UnsafePointer<Float>?, UnsafePointer<dcn_regions>?,
            UnsafeMutablePointer<Float>?,
            UnsafeMutableRawPointer?, Int, Int
        ) -> Void, trans: [Float]? = nil
    ) -> [Float] {
        let size = count * shape.channels * shape.pooled_height * shape.pooled_width
        var y = [Float](repeating: 77, count: size)
        var shape = shape
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: dcn_roi_scratch(&shape), alignment: 64)
        defer { scratch.deallocate() }
        rois.withUnsafeBufferPointer { rois in
            (trans ?? [0]).withUnsafeBufferPointer { moves in
                var regions = dcn_regions(
                    rois: rois.baseAddress, batches: nil, trans: trans == nil ? nil : moves.baseAddress)
                kernel(&shape, last, &regions, &y, scratch, 9, count)
                kernel(&shape, last, &regions, &y, scratch, 0, 9)
            }
        }
        return y
    }
}

/// Whether a region is small and finite enough to visit all its samples.
