package import DCNGraph

// Files hold floats of six bits as one stream of bits, lowest first: four of them in three bytes. In memory each has a
// byte of its own.

extension TensorType {
    /// The bytes that the elements take in a file; nil when extents are unknown or the count overflows.
    package var fileByteCount: Int? {
        guard element.isSixBit, let count = byteCount else { return byteCount }
        return count / 4 * 3 + count % 4
    }
}

extension Tensor {
    /// The elements as bytes of a file: the tensor itself, or for floats of six bits one of packed bytes.
    package var packedForFile: Tensor {
        guard type.element.isSixBit, let count = type.fileByteCount else { return self }
        var packed = [UInt8](repeating: 0, count: count)
        withBytes { codes in
            for (index, code) in codes.enumerated() {
                let (place, shift) = (index * 6 / 8, index * 6 % 8)
                let bits = UInt16(code & 63) << UInt16(shift)
                packed[place] |= UInt8(truncatingIfNeeded: bits)
                if bits > 0xFF { packed[place + 1] |= UInt8(bits >> 8) }
            }
        }
        return Tensor(TensorType(.uint8, extents: [count]), bytesOf: packed) ?? self
    }

    /// The tensor whose elements lie in a file: lent from there, but for floats of six bits, which are unpacked.
    ///
    /// Nil where the file ends before they do.
    init?(_ type: TensorType, inFile file: Storage, at offset: Int) {
        guard type.element.isSixBit else {
            self.init(type, storage: file, byteOffset: offset)
            return
        }
        guard let count = type.fileByteCount,
            let packed = Tensor(TensorType(.uint8, extents: [count]), storage: file, byteOffset: offset)
        else { return nil }
        let codes = packed.withBytes { bytes in
            (0..<(type.elementCount ?? 0)).map { index in
                let (place, shift) = (index * 6 / 8, index * 6 % 8)
                let next = shift > 2 ? UInt16(bytes[place + 1]) << 8 : 0
                return UInt8((UInt16(bytes[place]) | next) >> UInt16(shift) & 63)
            }
        }
        self.init(type, bytesOf: codes)
    }
}
