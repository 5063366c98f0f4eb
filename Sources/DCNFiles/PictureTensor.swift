package import DCN

/// How a picture becomes the input of a model.
package struct PictureForm: Sendable, Hashable {
    /// How a picture of another size than the model's is made to fit.
    package enum Fit: String, Sendable, Hashable, CaseIterable { case stretch, letterbox }
    /// What is taken away from each channel, in the channels' order, after scaling to 0…1.
    package var mean: [Double] = []
    /// What each channel is divided by then.
    package var deviation: [Double] = []
    /// Blue first.
    package var isBgr = false
    /// How to fit; nil leaves the size as it is.
    package var fit: Fit?

    /// RGB in 0…1 or 0…255, at its own size.
    package init() {}
}

/// Where the pixels of a picture went: x' = x · scale + left.
package struct Placement: Sendable, Hashable {
    /// Scales along x and y.
    package var scale = (x: 1.0, y: 1.0)
    /// Columns and rows before the picture.
    package var before = (x: 0.0, y: 0.0)

    /// As it was.
    package init() {}

    /// Scales and margins are equal.
    package static func == (a: Placement, b: Placement) -> Bool { a.scale == b.scale && a.before == b.before }
    /// By scales.
    package func hash(into hasher: inout Hasher) { hasher.combine(scale.x) }
}

/// The picture as a tensor of the type that an input declares: N, C, H, W or N, H, W, C; float32, float64, float16 or
/// uint8. `named` is what errors call the input.
package func tensor(
    of picture: Picture, as type: ValueType, _ form: PictureForm, named name: String
) throws(DCNError) -> (tensor: Tensor, placement: Placement) {
    func misfit(_ reason: String) -> DCNError {
        DCNError(.input, .read, "input '\(escaped(name))' \(reason)")
    }
    guard let declared = type.tensor, let shape = declared.shape, shape.rank == 4 || shape.rank == 3 else {
        throw misfit("is \(type): a picture fits rank 3 or 4")
    }
    let axes = Array(shape.dimensions.suffix(3))
    let isFirst = axes[0] == .fixed(3) || (axes[2] != .fixed(3) && axes[0].fixed == nil)
    guard isFirst || axes[2] == .fixed(3) else { throw misfit("is \(type): a picture has 3 channels") }
    let wanted = isFirst ? (axes[1].fixed, axes[2].fixed) : (axes[0].fixed, axes[1].fixed)
    let (fitted, placement) = fit(picture, height: wanted.0, width: wanted.1, form.fit)
    let values = channels(fitted, form, isFirst: isFirst)
    let extents = [1] + (isFirst ? [3, fitted.height, fitted.width] : [fitted.height, fitted.width, 3])
    let made = shape.rank == 4 ? extents : Array(extents.dropFirst())
    let isPlain = form.mean.isEmpty && form.deviation.isEmpty
    let tensor: Tensor? =
        switch declared.element {
        case .float32: Tensor(extents: made, values(true).map { Float($0) })
        case .float64: Tensor(extents: made, values(true))
        case .float16:
            Tensor(TensorType(.float16, extents: made), bytesOf: values(true).map { halfBits(Float($0)) })
        case .uint8 where isPlain: Tensor(extents: made, values(false).map { UInt8($0) })
        default: nil
        }
    guard let tensor else {
        throw misfit("is \(type): a picture is read as floats, or as uint8 without mean and deviation")
    }
    return (tensor, placement)
}

/// Numbers of all channels in the order of the tensor; scaled ones are in 0…1, less mean, over deviation.
private func channels(_ picture: Picture, _ form: PictureForm, isFirst: Bool) -> (_ scaled: Bool) -> [Double]
{
    { scaled in
        let pixels = picture.width * picture.height
        var values = [Double](repeating: 0, count: 3 * pixels)
        for channel in 0..<3 {
            let source = form.isBgr ? 2 - channel : channel
            let mean = form.mean.isEmpty ? 0 : form.mean[channel % form.mean.count]
            let deviation = form.deviation.isEmpty ? 1 : form.deviation[channel % form.deviation.count]
            for pixel in 0..<pixels {
                let byte = picture.rgb[3 * pixel + source]
                let value = scaled ? (Double(Float(byte) / 255) - mean) / deviation : Double(byte)
                values[isFirst ? channel * pixels + pixel : 3 * pixel + channel] = value
            }
        }
        return values
    }
}

/// The picture at the size the model declares.
private func fit(_ picture: Picture, height: Int?, width: Int?, _ fit: PictureForm.Fit?) -> (
    Picture, Placement
) {
    var placement = Placement()
    guard let fit, let height, let width, height > 0, width > 0, picture.width > 0, picture.height > 0,
        height != picture.height || width != picture.width
    else { return (picture, placement) }
    placement.scale = (Double(width) / Double(picture.width), Double(height) / Double(picture.height))
    guard fit == .letterbox else { return (resized(picture, width: width, height: height), placement) }
    let scale = min(placement.scale.x, placement.scale.y)
    let inner = resized(
        picture, width: max(1, Int((Double(picture.width) * scale).rounded())),
        height: max(1, Int((Double(picture.height) * scale).rounded())))
    let left = (width - inner.width) / 2
    let top = (height - inner.height) / 2
    let canvas = inner.framed(width: width, height: height, left: left, top: top)
    placement.scale = (
        Double(inner.width) / Double(picture.width), Double(inner.height) / Double(picture.height)
    )
    placement.before = (Double(left), Double(top))
    return (canvas, placement)
}

extension Picture {
    /// The picture inside a grey one of this size, as far as it fits, with margins above and to the left.
    package func framed(width: Int, height: Int, left: Int, top: Int) -> Picture {
        var canvas = Picture(width: width, height: height, colour: (114, 114, 114))
        let columns = min(self.width, width - left)
        for row in 0..<max(0, min(self.height, height - top)) where columns > 0 {
            let source = row * self.width * 3
            let target = ((row + top) * width + left) * 3
            canvas.rgb.replaceSubrange(
                target..<target + columns * 3, with: rgb[source..<source + columns * 3])
        }
        return canvas
    }
}

/// The picture at another size, bilinear between pixel centres.
package func resized(_ picture: Picture, width: Int, height: Int) -> Picture {
    var result = Picture(width: width, height: height)
    let columns = (0..<width).map { taps($0, from: picture.width, to: width) }
    for y in 0..<height {
        let row = taps(y, from: picture.height, to: height)
        for x in 0..<width {
            for channel in 0..<3 {
                func at(_ row: Int, _ column: Int) -> Double {
                    Double(picture.rgb[(row * picture.width + column) * 3 + channel])
                }
                let column = columns[x]
                let upper =
                    at(row.low, column.low) * (1 - column.part) + at(row.low, column.high) * column.part
                let lower =
                    at(row.high, column.low) * (1 - column.part) + at(row.high, column.high) * column.part
                let value = upper * (1 - row.part) + lower * row.part
                result.rgb[(y * width + x) * 3 + channel] = UInt8(value.rounded())
            }
        }
    }
    return result
}

private func taps(_ index: Int, from: Int, to: Int) -> (low: Int, high: Int, part: Double) {
    let place = min(max((Double(index) + 0.5) * Double(from) / Double(to) - 0.5, 0), Double(from - 1))
    let low = Int(place)
    return (low, min(low + 1, from - 1), place - Double(low))
}

/// The bits of the half-precision number nearest to a float; ties go to even.
package func halfBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(bits >> 16 & 0x8000)
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
    if magnitude >= 0x4780_0000 { return sign | 0x7C00 }
    if magnitude < 0x3880_0000 {
        let scaled = (Float(bitPattern: magnitude) * 0x1p24).rounded(.toNearestOrEven)
        return sign | UInt16(scaled)
    }
    let rounded = magnitude &+ 0xFFF &+ (magnitude >> 13 & 1)
    return sign | UInt16(truncatingIfNeeded: (rounded &- 0x3800_0000) >> 13)
}
