internal import DCN

/// The header of a BMP file whose pixels are not compressed.
struct Bitmap {
    private let width: Int
    private let height: Int
    private let isTopDown: Bool
    private let bits: Int
    /// Where the pixels begin.
    private let start: Int
    /// Bytes from one row to the next.
    private let step: Int
    /// Where the palette begins, four bytes for each colour.
    private let palette: Int
    private let colours: Int

    /// Reads the header; nil when it is damaged or the file too short for its pixels.
    init?(_ bytes: UnsafeRawBufferPointer) throws(Misfit) {
        guard let start = bytes.littleEndian(at: 10, width: 4),
            let header = bytes.littleEndian(at: 14, width: 4),
            header >= 40, let width = bytes.littleEndian(at: 18, width: 4),
            let rows = bytes.littleEndian(at: 22, width: 4), let bits = bytes.littleEndian(at: 28, width: 2),
            let compression = bytes.littleEndian(at: 30, width: 4),
            let used = bytes.littleEndian(at: 46, width: 4)
        else { return nil }
        guard compression == 0, [1, 4, 8, 24, 32].contains(bits) else {
            throw .unsupported("ImageDecoder of a BMP of \(bits) bits with compression \(compression)")
        }
        let signed = Int(Int32(truncatingIfNeeded: rows))
        (self.width, height, isTopDown) = (width, abs(signed), signed < 0)
        (self.bits, self.start, palette) = (bits, start, 14 + header)
        colours = bits > 8 ? 0 : used == 0 ? 1 << bits : min(used, 1 << bits)
        step = (width * bits + 31) / 32 * 4
        guard width > 0, width < 1 << 31, height > 0, let size = elementCount(of: [height, step]),
            size <= bytes.count - start, palette + 4 * colours <= bytes.count
        else { return nil }
    }

    /// The reader of the pixels.
    var reader: PictureReader {
        let bitmap = self
        return PictureReader(width: width, height: height) { bytes, rgb in bitmap.read(bytes, rgb) }
    }

    private func read(_ bytes: UnsafeRawBufferPointer, _ rgb: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        for row in 0..<height {
            let line = start + (isTopDown ? row : height - 1 - row) * step
            for column in 0..<width {
                guard let place = colour(column, line, bytes) else { return false }
                for channel in 0..<3 {
                    rgb[(row * width + column) * 3 + channel] = bytes[place + 2 - channel]
                }
            }
        }
        return true
    }

    /// Where blue, green and red of a pixel lie.
    private func colour(_ column: Int, _ line: Int, _ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bits <= 8 else { return line + column * bits / 8 }
        let bit = column * bits
        let index = Int(bytes[line + bit / 8]) >> (8 - bits - bit % 8) & (1 << bits - 1)
        return index < colours ? palette + 4 * index : nil
    }
}
