import CImage
import Testing

/// A picture whose pixel (x, y) is (x, y, x + y) modulo 256.
func gradient(width: Int, height: Int) -> [UInt8] {
    (0..<height).flatMap { y in
        (0..<width).flatMap { x in [x, y, x + y].map { UInt8(truncatingIfNeeded: $0) } }
    }
}

func writePng(_ pixels: [UInt8], width: Int, height: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: dcn_png_bound(UInt32(width), UInt32(height)))
    var written = 0
    let status = dcn_png_write(pixels, UInt32(width), UInt32(height), &bytes, bytes.count, &written, nil)
    #expect(status == DCN_IMAGE_OK)
    return Array(bytes.prefix(written))
}

@Suite("PNG")
struct PngTests {
    @Test("what was written is read back, byte for byte", arguments: [(1, 1), (7, 3), (64, 33)])
    func roundTrip(width: Int, height: Int) {
        let pixels = gradient(width: width, height: height)
        let bytes = writePng(pixels, width: width, height: height)
        var (w, h) = (UInt32(0), UInt32(0))
        #expect(dcn_png_size(bytes, bytes.count, &w, &h, nil) == DCN_IMAGE_OK)
        #expect(w == width && h == height)
        var back = [UInt8](repeating: 0, count: pixels.count)
        #expect(dcn_png_read(bytes, bytes.count, &back, back.count, nil) == DCN_IMAGE_OK)
        #expect(back == pixels)
    }

    @Test("every truncation is damage that leaves nothing behind the buffer")
    func truncation() {
        let bytes = writePng(gradient(width: 9, height: 5), width: 9, height: 5)
        for count in 0..<bytes.count - 12 {
            var back = [UInt8](repeating: 0, count: 9 * 5 * 3)
            var message = dcn_image_message()
            #expect(dcn_png_read(bytes, count, &back, back.count, &message) == DCN_IMAGE_DAMAGED)
            #expect(message.text.0 != 0)
        }
    }

    @Test("a picture larger than the buffer is refused before it is decoded")
    func noRoom() {
        let bytes = writePng(gradient(width: 9, height: 5), width: 9, height: 5)
        var back = [UInt8](repeating: 7, count: 9 * 5 * 3)
        #expect(dcn_png_read(bytes, bytes.count, &back, back.count - 1, nil) == DCN_IMAGE_NO_ROOM)
        #expect(back.allSatisfy { $0 == 7 })
    }

    @Test("extents that cannot be addressed have no bound")
    func unboundedExtents() {
        #expect(dcn_png_bound(0, 5) == 0)
        #expect(dcn_png_bound(1 << 31, 2) == 0)
        #expect(dcn_png_bound(.max, .max) == 0)
    }
}
