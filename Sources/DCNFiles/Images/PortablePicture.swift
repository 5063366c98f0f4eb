internal import DCN

/// The header of a PBM, PGM or PPM file, plain or raw.
struct PortablePicture {
    private enum Kind: Int { case bits = 1, levels, colours }
    private let kind: Kind
    private let isPlain: Bool
    private let width: Int
    private let height: Int
    private let greatest: Int
    /// Where the pixels begin.
    private let start: Int

    /// Reads the header; nil when it is none, damaged, or the file too short for its pixels.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 2, bytes[0] == 0x50, (0x31...0x36).contains(bytes[1]) else { return nil }
        let digit = Int(bytes[1]) - 0x30
        guard let kind = Kind(rawValue: (digit - 1) % 3 + 1) else { return nil }
        var text = NumberScanner(bytes: bytes, place: 2)
        guard let width = text.number(), let height = text.number(), width > 0, height > 0,
            let greatest = kind == .bits ? 1 : text.number(), (1...65535).contains(greatest)
        else { return nil }
        (self.kind, isPlain, self.width, self.height, self.greatest) = (
            kind, digit < 4, width, height, greatest
        )
        start = text.place + 1
        let wide = greatest > 255 ? 2 : 1
        let line = kind == .bits && digit > 3 ? (width + 7) / 8 : width * (kind == .colours ? 3 : 1)
        guard let size = elementCount(of: [line, height, digit < 4 ? 1 : wide]), size <= bytes.count - start
        else {
            return nil
        }
    }

    /// The reader of the pixels.
    var reader: PictureReader {
        let picture = self
        return PictureReader(width: width, height: height) { bytes, rgb in
            picture.isPlain ? picture.readText(bytes, rgb) : picture.readBytes(bytes, rgb)
        }
    }

    private var channels: Int { kind == .colours ? 3 : 1 }

    /// A number of 0 … `greatest` as a byte; ones are black where there are but bits.
    private func level(_ number: Int) -> UInt8 {
        guard kind != .bits else { return number == 0 ? 255 : 0 }
        return UInt8((min(number, greatest) * 255 + greatest / 2) / greatest)
    }

    private func write(_ number: Int, _ index: Int, _ rgb: UnsafeMutableBufferPointer<UInt8>) {
        let value = level(number)
        if kind == .colours { return rgb[index] = value }
        for channel in 0..<3 { rgb[3 * index + channel] = value }
    }

    private func readText(_ bytes: UnsafeRawBufferPointer, _ rgb: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        var text = NumberScanner(bytes: bytes, place: start)
        for index in 0..<width * height * channels {
            guard let number = kind == .bits ? text.bit() : text.number() else { return false }
            write(number, index, rgb)
        }
        return true
    }

    private func readBytes(_ bytes: UnsafeRawBufferPointer, _ rgb: UnsafeMutableBufferPointer<UInt8>) -> Bool
    {
        if kind == .bits {
            let line = (width + 7) / 8
            for index in 0..<width * height {
                let (row, column) = index.quotientAndRemainder(dividingBy: width)
                write(Int(bytes[start + row * line + column / 8]) >> (7 - column % 8) & 1, index, rgb)
            }
            return true
        }
        for index in 0..<width * height * channels {
            let number =
                greatest > 255
                ? Int(bytes[start + 2 * index]) << 8 | Int(bytes[start + 2 * index + 1])
                : Int(bytes[start + index])
            write(number, index, rgb)
        }
        return true
    }
}

/// Walks numbers in digits, with blanks between and comments from # to the end of a line.
private struct NumberScanner {
    let bytes: UnsafeRawBufferPointer
    var place: Int

    private mutating func skipBlanks() {
        while place < bytes.count {
            if bytes[place] == 0x23 {
                while place < bytes.count, bytes[place] != 0x0A { place += 1 }
            } else if bytes[place] == 0x20 || (0x09...0x0D).contains(bytes[place]) {
                place += 1
            } else {
                return
            }
        }
    }

    /// The next number below 2³¹.
    mutating func number() -> Int? {
        skipBlanks()
        var value: Int?
        while place < bytes.count, (0x30...0x39).contains(bytes[place]) {
            value = (value ?? 0) * 10 + Int(bytes[place] - 0x30)
            guard value ?? 0 < 1 << 31 else { return nil }
            place += 1
        }
        return value
    }

    /// The next digit, 0 or 1; blanks between are not needed.
    mutating func bit() -> Int? {
        skipBlanks()
        guard place < bytes.count, bytes[place] & 0xFE == 0x30 else { return nil }
        place += 1
        return Int(bytes[place - 1]) & 1
    }
}
