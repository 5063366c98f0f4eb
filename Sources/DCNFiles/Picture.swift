internal import CImage
package import DCN

/// Rows of 8-bit RGB, top row first.
package struct Picture: Sendable, Hashable {
    /// Pixels in a row.
    package let width: Int
    /// Rows.
    package let height: Int
    /// Three bytes for each pixel.
    package var rgb: [UInt8]

    /// Pixels in a picture that is read, at most, however large its file is.
    package static let mostPixels = 1 << 28
    /// Pixels that are read however small the file is.
    static let freePixels = 1 << 25
    /// Pixels above these that one byte of a file may stand for: photographs stand far below.
    static let pixelsPerByte = 64

    /// The most pixels that a file of so many bytes may hold.
    package static func pixelLimit(fileByteCount: Int) -> Int {
        min(mostPixels, max(freePixels, min(fileByteCount, mostPixels) * pixelsPerByte))
    }

    /// A picture of one colour.
    package init(width: Int, height: Int, colour: (UInt8, UInt8, UInt8) = (0, 0, 0)) {
        self.width = width
        self.height = height
        rgb = (0..<width * height).flatMap { _ in [colour.0, colour.1, colour.2] }
    }

    /// A picture of given bytes; nil when they are not three for each pixel.
    package init?(width: Int, height: Int, rgb: [UInt8]) {
        guard elementCount(of: [height, width, 3]) == rgb.count else { return nil }
        self.width = width
        self.height = height
        self.rgb = rgb
    }

    /// Reads a PNG or JPEG file, told apart by its first bytes; an `input` error when it is neither or damaged.
    package init(contentsOf path: String) throws(DCNError) {
        try self.init(InputFile(path: path))
    }

    /// The same of a file that is open.
    package init(_ file: InputFile) throws(DCNError) {
        guard let codec = Codec(file.bytes) else { throw file.error("is neither PNG nor JPEG") }
        let bytes = file.bytes.assumingMemoryBound(to: UInt8.self)
        var message = dcn_image_message()
        var (width, height) = (UInt32(0), UInt32(0))
        let status = codec.size(bytes.baseAddress, bytes.count, &width, &height, &message)
        guard status == DCN_IMAGE_OK else { throw file.error(reason(status, message)) }
        let limit = Self.pixelLimit(fileByteCount: bytes.count)
        guard let pixels = elementCount(of: [Int(width), Int(height)]), pixels <= limit else {
            throw file.error("has \(width) × \(height) pixels, the limit for its size is \(limit)")
        }
        self.width = Int(width)
        self.height = Int(height)
        var result = DCN_IMAGE_OK
        rgb = [UInt8](unsafeUninitializedCapacity: pixels * 3) { room, count in
            result = codec.read(bytes.baseAddress, bytes.count, room.baseAddress, pixels * 3, &message)
            count = result == DCN_IMAGE_OK ? pixels * 3 : 0
        }
        guard result == DCN_IMAGE_OK else { throw file.error(reason(result, message)) }
    }

    /// Writes the picture as PNG.
    package func writePng(_ path: String) throws(DCNError) {
        let bound = dcn_png_bound(UInt32(clamping: width), UInt32(clamping: height))
        var message = dcn_image_message()
        var written = 0
        var status = DCN_IMAGE_NO_ROOM
        let bytes = [UInt8](unsafeUninitializedCapacity: bound) { room, count in
            status = dcn_png_write(
                rgb, UInt32(clamping: width), UInt32(clamping: height), room.baseAddress, bound, &written,
                &message)
            count = status == DCN_IMAGE_OK ? written : 0
        }
        guard status == DCN_IMAGE_OK else {
            throw DCNError(.system, .write, reason(status, message), at: Origin(file: path, path: ""))
        }
        try writeFile(path, bytes)
    }
}

/// Which of the two kinds of file.
enum Codec {
    case png, jpeg

    init?(_ bytes: UnsafeRawBufferPointer) {
        if bytes.begins(with: [0x89, 0x50, 0x4E, 0x47]) {
            self = .png
        } else if bytes.begins(with: [0xFF, 0xD8]) {
            self = .jpeg
        } else {
            return nil
        }
    }

    var size:
        (
            UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>,
            UnsafeMutablePointer<dcn_image_message>
        ) -> dcn_image_status
    {
        self == .png ? { dcn_png_size($0, $1, $2, $3, $4) } : { dcn_jpeg_size($0, $1, $2, $3, $4) }
    }

    var read:
        (
            UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UInt8>?, Int,
            UnsafeMutablePointer<dcn_image_message>
        ) -> dcn_image_status
    {
        self == .png ? { dcn_png_read($0, $1, $2, $3, $4) } : { dcn_jpeg_read($0, $1, $2, $3, $4) }
    }
}

private func reason(_ status: dcn_image_status, _ message: dcn_image_message) -> String {
    let text = withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if !text.isEmpty { return escaped(text) }
    switch status {
    case DCN_IMAGE_NO_MEMORY: return "no memory for it"
    case DCN_IMAGE_NO_ROOM: return "is larger than it says"
    default: return "is damaged"
    }
}
