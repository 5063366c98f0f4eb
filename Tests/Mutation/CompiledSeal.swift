internal import CKernels

/// A compiled graph with the lengths and checksums that its bytes should have: what is wrong otherwise is then met by
/// the checks behind them. Bytes that are no compiled graph come back as they were.
package func sealed(_ file: [UInt8]) -> [UInt8] {
    let first = 64
    guard file.count >= first else { return file }
    var file = file
    let header = min(max(0, number(in: file, at: 16, count: 8)), file.count - first)
    store(UInt64(header), in: &file, at: 16)
    file += [UInt8](repeating: 0, count: (first - file.count % first) % first)
    for place in first + header..<min(file.count, (first + header + 63) / 64 * 64) { file[place] = 0 }
    store(UInt64(file.count), in: &file, at: 24)
    sealSections(of: first..<first + header, in: &file)
    store(checksum(of: file[first..<first + header]), in: &file, at: 32)
    store(checksum(of: file[..<40]), in: &file, at: 40)
    for place in 48..<first { file[place] = 0 }
    return file
}

/// Sections are field 10 of the header: offset, length, checksum.
private func sealSections(of header: Range<Int>, in file: inout [UInt8]) {
    let start = (header.upperBound + 63) / 64 * 64
    var place = header.lowerBound
    while place < header.upperBound {
        guard let tag = varint(in: file, &place, before: header.upperBound) else { return }
        switch tag & 7 {
        case 0: guard varint(in: file, &place, before: header.upperBound) != nil else { return }
        case 1: place += 8
        case 5: place += 4
        case 2:
            guard let length = varint(in: file, &place, before: header.upperBound),
                length <= UInt64(header.upperBound - place)
            else { return }
            let end = place + Int(length)
            if tag == 10 << 3 | 2 { sealSection(at: place..<end, from: start, in: &file) }
            place = end
        default: return
        }
    }
}

private func sealSection(at message: Range<Int>, from start: Int, in file: inout [UInt8]) {
    var place = message.lowerBound
    var (offset, length) = (0, 0)
    while place < message.upperBound {
        guard let tag = varint(in: file, &place, before: message.upperBound) else { return }
        if tag == 3 << 3 | 1, place + 8 <= message.upperBound {
            guard offset >= 0, length > 0, offset <= file.count - start, length <= file.count - start - offset
            else { return }
            store(checksum(of: file[start + offset..<start + offset + length]), in: &file, at: place)
            let end = start + offset + length
            for padding in end..<min(file.count, (end + 63) / 64 * 64) { file[padding] = 0 }
            place += 8
        } else if tag & 7 == 0, let number = varint(in: file, &place, before: message.upperBound) {
            if tag >> 3 == 1 { offset = Int(clamping: number) }
            if tag >> 3 == 2 { length = Int(clamping: number) }
        } else {
            return
        }
    }
}

private func varint(in file: [UInt8], _ place: inout Int, before end: Int) -> UInt64? {
    var result: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) where place < end {
        let byte = file[place]
        place += 1
        result |= UInt64(byte & 127) << UInt64(shift)
        if byte < 128 { return result }
    }
    return nil
}

private func number(in file: [UInt8], at place: Int, count: Int) -> Int {
    Int(clamping: (0..<count).reduce(UInt64(0)) { $0 | UInt64(file[place + $1]) << UInt64(8 * $1) })
}

private func store(_ number: UInt64, in file: inout [UInt8], at place: Int) {
    withUnsafeBytes(of: number.littleEndian) { file.replaceSubrange(place..<place + 8, with: $0) }
}

private func checksum(of bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.withUnsafeBytes { dcn_checksum($0.baseAddress, $0.count) }
}
