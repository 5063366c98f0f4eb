internal import CImage
internal import DCN

/// How the bytes of a picture's file become pixels: its extents, and what writes three bytes for each pixel.
struct PictureReader {
    let width: Int
    let height: Int
    /// Fills rows of RGB from the bytes; false where they are damaged.
    let read: (UnsafeRawBufferPointer, UnsafeMutableBufferPointer<UInt8>) -> Bool
}

/// The reader for a file, told by its first bytes; nil when they are no picture. Kinds that are pictures and not read
/// here are refused by name.
func pictureReader(_ bytes: UnsafeRawBufferPointer) throws(Misfit) -> PictureReader? {
    if let codec = Codec(bytes) { return libraryReader(codec, bytes) }
    if bytes.begins(with: Array("BM".utf8)) { return try Bitmap(bytes)?.reader }
    if let portable = PortablePicture(bytes) { return portable.reader }
    if let name = unreadKinds.first(where: { $0.marks.allSatisfy { bytes.holds($0.bytes, at: $0.offset) } })?
        .name
    {
        throw .unsupported("ImageDecoder of \(name); PNG, JPEG, BMP, PBM, PGM and PPM are read")
    }
    return nil
}

private let unreadKinds: [(name: String, marks: [(offset: Int, bytes: [UInt8])])] = [
    ("TIFF", [(0, [0x49, 0x49, 0x2A, 0])]), ("TIFF", [(0, [0x4D, 0x4D, 0, 0x2A])]),
    ("WebP", [(0, Array("RIFF".utf8)), (8, Array("WEBP".utf8))]),
    ("JPEG 2000", [(4, Array("jP  ".utf8))]), ("JPEG 2000", [(0, [0xFF, 0x4F, 0xFF, 0x51])]),
]

extension UnsafeRawBufferPointer {
    fileprivate func holds(_ bytes: [UInt8], at offset: Int) -> Bool {
        count >= offset + bytes.count && zip(self[offset...], bytes).allSatisfy { $0 == $1 }
    }
}

private func libraryReader(_ codec: Codec, _ bytes: UnsafeRawBufferPointer) -> PictureReader? {
    var message = dcn_image_message()
    var (width, height) = (UInt32(0), UInt32(0))
    let source = bytes.assumingMemoryBound(to: UInt8.self)
    guard codec.size(source.baseAddress, source.count, &width, &height, &message) == DCN_IMAGE_OK else {
        return nil
    }
    return PictureReader(width: Int(width), height: Int(height)) { bytes, rgb in
        var message = dcn_image_message()
        let source = bytes.assumingMemoryBound(to: UInt8.self)
        return codec.read(source.baseAddress, source.count, rgb.baseAddress, rgb.count, &message)
            == DCN_IMAGE_OK
    }
}
