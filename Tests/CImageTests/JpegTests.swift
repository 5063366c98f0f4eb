import CImage
import CTurboJPEG
import Testing

@Suite("JPEG")
struct JpegTests {
    static func write(_ pixels: [UInt8], width: Int, height: Int) -> [UInt8] {
        guard let handle = tjInitCompress() else { return [] }
        defer { tjDestroy(handle) }
        var buffer: UnsafeMutablePointer<UInt8>?
        var count: UInt = 0
        let result = tjCompress2(
            handle, pixels, Int32(width), 0, Int32(height), Int32(TJPF_RGB.rawValue), &buffer, &count,
            Int32(TJSAMP_444.rawValue), 98, 0)
        #expect(result == 0)
        defer { tjFree(buffer) }
        return Array(UnsafeBufferPointer(start: buffer, count: Int(count)))
    }

    @Test("a smooth picture comes back within the loss of its quality")
    func read() {
        let (width, height) = (40, 24)
        let pixels = gradient(width: width, height: height)
        let bytes = Self.write(pixels, width: width, height: height)
        var (w, h) = (UInt32(0), UInt32(0))
        #expect(dcn_jpeg_size(bytes, bytes.count, &w, &h, nil) == DCN_IMAGE_OK)
        #expect(w == width && h == height)
        var back = [UInt8](repeating: 0, count: pixels.count)
        #expect(dcn_jpeg_read(bytes, bytes.count, &back, back.count, nil) == DCN_IMAGE_OK)
        let worst = zip(pixels, back).map { abs(Int($0) - Int($1)) }.max() ?? 0
        #expect(worst <= 6)
    }

    @Test("every truncation of the picture is damage")
    func truncation() {
        let bytes = Self.write(gradient(width: 24, height: 24), width: 24, height: 24)
        for count in 0..<bytes.count - 2 {
            var back = [UInt8](repeating: 0, count: 24 * 24 * 3)
            #expect(
                dcn_jpeg_read(bytes, count, &back, back.count, nil) == DCN_IMAGE_DAMAGED, "\(count) bytes")
        }
    }

    @Test("a picture larger than the buffer is refused before it is decoded")
    func noRoom() {
        let bytes = Self.write(gradient(width: 8, height: 8), width: 8, height: 8)
        var back = [UInt8](repeating: 7, count: 8 * 8 * 3)
        #expect(dcn_jpeg_read(bytes, bytes.count, &back, back.count - 1, nil) == DCN_IMAGE_NO_ROOM)
        #expect(back.allSatisfy { $0 == 7 })
    }
}
