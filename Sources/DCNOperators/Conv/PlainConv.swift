/// A convolution by its formula, in float64: slow, for operands that have no fast kernel.
struct PlainConv {
    let window: Window
    let groups: Int
    let input: [Int]
    let weights: [Int]
    let output: [Int]

    /// Adds up every output; `x`, `w` and `y` are row-major.
    func run(_ x: [Double], _ w: [Double], _ bias: [Double]?, into y: UnsafeMutableBufferPointer<Double>) {
        let pixels = output[2...].reduce(1, *)
        let outputsPerGroup = output[1] / groups
        for n in 0..<output[0] {
            for o in 0..<output[1] {
                for p in 0..<pixels {
                    var sum = bias?[o] ?? 0
                    for c in 0..<weights[1] {
                        let plane =
                            (n * input[1] + o / outputsPerGroup * weights[1] + c) * input[2...].reduce(1, *)
                        sum += self.sum(x, plane, w, (o * weights[1] + c) * window.taps, at: p)
                    }
                    y[(n * output[1] + o) * pixels + p] = sum
                }
            }
        }
    }

    private func sum(_ x: [Double], _ plane: Int, _ w: [Double], _ kernel: Int, at pixel: Int) -> Double {
        var sum = 0.0
        for tap in 0..<window.taps {
            if let position = position(pixel, tap) { sum += x[plane + position] * w[kernel + tap] }
        }
        return sum
    }

    /// Where a tap reads, counted from the plane's begin; nil outside.
    private func position(_ pixel: Int, _ tap: Int) -> Int? {
        var pixel = pixel
        var tap = tap
        var position = 0
        var stride = 1
        for axis in window.kernel.indices.reversed() {
            let extent = input[axis + 2]
            let begin = window.padding(axis, extent: extent).begin
            let place =
                pixel % output[axis + 2] * window.strides[axis] - begin
                + tap % window.kernel[axis] * window.dilations[axis]
            guard place >= 0, place < extent else { return nil }
            position += place * stride
            stride *= extent
            pixel /= output[axis + 2]
            tap /= window.kernel[axis]
        }
        return position
    }
}
