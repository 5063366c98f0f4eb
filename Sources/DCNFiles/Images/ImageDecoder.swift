package import DCN

/// A picture from the bytes of its file, as rows of 8-bit pixels, channels last.
///
/// Input: the bytes [n] of a PNG, JPEG, BMP or portable (PBM, PGM, PPM) file. Output: [rows, columns, 3 or 1]; both are 0
/// when the bytes are no picture, as the standard has it.
package struct ImageDecoder: Operator {
    package static let name = "ImageDecoder"
    /// What a pixel holds, by ONNX's names.
    package enum PixelFormat: String, Sendable, Hashable, Codable {
        case rgb = "RGB"
        case bgr = "BGR"
        case grey = "Grayscale"
        /// Bytes of a pixel.
        var width: Int { self == .grey ? 1 : 3 }
    }
    /// What a pixel holds.
    package var format: PixelFormat

    package init(format: PixelFormat = .rgb) { self.format = format }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try inputs.required(0, "encoded_stream", rank: 1).expect([.uint8])
        return [.tensor(TensorType(.uint8, Shape([.unknown, .unknown, .fixed(format.width)])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let op = self
        return .routine(ValueRoutine { (values, scope) throws(Misfit) in [try op.decode(values, in: scope)] })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, [("pixel_format", .string(ByteString(format.rawValue)))], since: 20)
    }

    private func decode(_ values: [Datum?], in scope: any Scope) throws(Misfit) -> Datum {
        guard let file = values.first??.tensor else { throw .missing("encoded_stream") }
        guard let reader = try file.withBytes({ (bytes) throws(Misfit) in try pictureReader(bytes) }) else {
            return try empty(in: scope)
        }
        guard let pixels = elementCount(of: [reader.height, reader.width]), pixels <= Picture.mostPixels
        else {
            throw .limit(
                of: "the pixels of a picture",
                asked: elementCount(of: [reader.height, reader.width]) ?? Int.max,
                limit: Picture.mostPixels)
        }
        let rows = try scope.allocate(
            TensorType(.uint8, extents: [reader.height, reader.width, 3]))
        let rgb = rows.elements(as: UInt8.self)
        guard file.withBytes({ reader.read($0, rgb) }) else { return try empty(in: scope) }
        switch format {
        case .rgb: break
        case .bgr: for pixel in 0..<pixels { rgb.swapAt(3 * pixel, 3 * pixel + 2) }
        case .grey: return try grey(rgb, reader, in: scope)
        }
        return .tensor(rows.finished)
    }

    private func empty(in scope: any Scope) throws(Misfit) -> Datum {
        .tensor(try scope.allocate(TensorType(.uint8, extents: [0, 0, format.width])).finished)
    }

    /// Brightness as ITU-R 601 has it: 0.299 r + 0.587 g + 0.114 b.
    private func grey(
        _ rgb: UnsafeMutableBufferPointer<UInt8>, _ reader: PictureReader, in scope: any Scope
    ) throws(Misfit) -> Datum {
        let rows = try scope.allocate(TensorType(.uint8, extents: [reader.height, reader.width, 1]))
        let levels = rows.elements(as: UInt8.self)
        for pixel in 0..<reader.height * reader.width {
            let (r, g, b) = (Int(rgb[3 * pixel]), Int(rgb[3 * pixel + 1]), Int(rgb[3 * pixel + 2]))
            levels[pixel] = UInt8((19595 * r + 38470 * g + 7471 * b + 32768) >> 16)
        }
        return .tensor(rows.finished)
    }
}

extension Dialect {
    /// What of ONNX's own operators needs libraries for pictures.
    package static let pictures = Dialect(
        domain: "", operators: [ImageDecoder.self],
        [
            ImageDecoder.name: { (node) throws(Misfit) in
                let name = try node.string("pixel_format", default: "RGB")
                guard let format = ImageDecoder.PixelFormat(rawValue: name) else {
                    throw .attribute(
                        "pixel_format", because: "is '\(escaped(name))', expected RGB, BGR or Grayscale")
                }
                return Meaning(ImageDecoder(format: format))
            }
        ])

    /// All spellings that the commands know.
    package static var complete: [Dialect] { Dialect.standard + [.pictures] }
}
