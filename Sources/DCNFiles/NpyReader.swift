package import DCN

/// The tensor in a `.npy` file; `wanted` gives a type to elements that have none in NumPy.
package func readNpy(_ path: String, wanted: ElementType? = nil) throws(DCNError) -> Tensor {
    let file = try InputFile(path: path)
    do { return try decodeNpy(file.bytes, wanted: wanted) } catch { throw file.error(error.reason) }
}

/// The tensor in the bytes of a `.npy` file, versions 1 to 3, either order and either endianness.
package func decodeNpy(_ bytes: UnsafeRawBufferPointer, wanted: ElementType?) throws(NpyFault) -> Tensor {
    let header = try NpyHeader(bytes)
    let element = try header.element(wanted: wanted)
    guard let count = elementCount(of: header.extents) else {
        throw NpyFault(reason: "has extents \(header.extents), more than can be counted")
    }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: header.itemByteCount)
    guard !overflow, let data = bytes.part(header.dataOffset, byteCount) else {
        throw NpyFault(
            reason:
                "has \(bytes.count - header.dataOffset) bytes of elements, expected \(overflow ? Int.max : byteCount)"
        )
    }
    if element == .string { return try decodeStrings(header, data, count, limit: bytes.count) }
    let type = TensorType(element, extents: header.extents)
    guard let made = MutableTensor(uninitialised: type), made.storage.byteCount == byteCount else {
        throw NpyFault(reason: "has extents \(header.extents), more than can be held")
    }
    let target = made.elements(as: UInt8.self)
    gather(data, header, count: count) { position, source in
        let width = header.itemByteCount
        for byte in 0..<width { target[position * width + byte] = source[byte] }
    } whole: { source in
        if let base = source.baseAddress { made.storage.base.copyMemory(from: base, byteCount: source.count) }
    }
    if header.isBigEndian {
        swapBytes(target, width: element.isComplex ? header.itemByteCount / 2 : header.itemByteCount)
    }
    if element == .bool { for index in target.indices where target[index] > 1 { target[index] = 1 } }
    return made.finished
}

private func decodeStrings(
    _ header: NpyHeader, _ data: UnsafeRawBufferPointer, _ count: Int, limit: Int
) throws(NpyFault) -> Tensor {
    guard header.itemByteCount > 0 || count <= limit else {
        throw NpyFault(reason: "has \(count) empty strings")
    }
    var strings = [ByteString](repeating: ByteString(""), count: count)
    let isWide = header.kind == UInt8(ascii: "U")
    func decode(_ bytes: UnsafeRawBufferPointer) -> ByteString {
        guard isWide else {
            return ByteString(Array(bytes.prefix { _ in true }.reversed().drop { $0 == 0 }.reversed()))
        }
        var scalars: [UInt32] = stride(from: 0, to: bytes.count, by: 4).map {
            let unit = bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)
            return header.isBigEndian ? UInt32(bigEndian: unit) : UInt32(littleEndian: unit)
        }
        while scalars.last == 0 { scalars.removeLast() }
        return ByteString(String(String.UnicodeScalarView(scalars.map { UnicodeScalar($0) ?? "\u{FFFD}" })))
    }
    let width = header.itemByteCount
    gather(data, header, count: count) { position, source in
        strings[position] = decode(source)
    } whole: { source in
        for index in 0..<count where width > 0 {
            strings[index] = decode(
                UnsafeRawBufferPointer(rebasing: source[index * width..<(index + 1) * width]))
        }
    }
    guard let tensor = Tensor(extents: header.extents, strings: strings) else {
        throw NpyFault(reason: "has extents \(header.extents), more than can be held")
    }
    return tensor
}

/// Hands over the elements: all at once where they lie row-major, else each with its row-major position.
private func gather(
    _ data: UnsafeRawBufferPointer, _ header: NpyHeader, count: Int,
    each: (Int, UnsafeRawBufferPointer) -> Void, whole: (UnsafeRawBufferPointer) -> Void
) {
    guard header.isFortran, header.extents.filter({ $0 != 1 }).count > 1, count > 0, header.itemByteCount > 0
    else {
        return whole(data)
    }
    let strides = rowMajorStrides(header.extents)
    var index = [Int](repeating: 0, count: header.extents.count)
    var position = 0
    let width = header.itemByteCount
    for element in 0..<count {
        each(position, UnsafeRawBufferPointer(rebasing: data[element * width..<(element + 1) * width]))
        for axis in index.indices {
            index[axis] += 1
            position += strides[axis]
            if index[axis] < header.extents[axis] { break }
            position -= strides[axis] * header.extents[axis]
            index[axis] = 0
        }
    }
}

/// Turns the bytes of each number round.
private func swapBytes(_ bytes: UnsafeMutableBufferPointer<UInt8>, width: Int) {
    guard width > 1 else { return }
    for start in stride(from: 0, to: bytes.count - width + 1, by: width) {
        for byte in 0..<width / 2 { bytes.swapAt(start + byte, start + width - 1 - byte) }
    }
}
