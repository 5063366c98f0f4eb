import CImage
import Testing

@Suite("Deflate")
struct DeflateTests {
    static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: dcn_deflate_bound(bytes.count))
        var written = 0
        #expect(dcn_deflate(bytes, bytes.count, &output, output.count, &written) == DCN_IMAGE_OK)
        return Array(output.prefix(written))
    }

    @Test("inflating gives back what was deflated", arguments: [0, 1, 100, 70_000, 1_000_000])
    func roundTrip(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
        let small = Self.deflated(bytes)
        #expect(dcn_inflate_bound(small.count) >= count)
        var (back, written) = ([UInt8](repeating: 0, count: count), 0)
        #expect(dcn_inflate(small, small.count, &back, count, &written) == DCN_IMAGE_OK)
        #expect(written == count && back == bytes)
    }

    @Test("a stream that holds more than the room for it stops at the end of the room")
    func bomb() {
        let small = Self.deflated([UInt8](repeating: 0, count: 1_000_000))
        var (back, written) = ([UInt8](repeating: 7, count: 1001), 0)
        #expect(dcn_inflate(small, small.count, &back, 1000, &written) == DCN_IMAGE_NO_ROOM)
        #expect(back[1000] == 7)
    }

    @Test("every truncation is damage")
    func truncation() {
        let small = Self.deflated((0..<200).map { UInt8($0) })
        for count in 0..<small.count {
            var (back, written) = ([UInt8](repeating: 0, count: 400), 0)
            #expect(dcn_inflate(small, count, &back, back.count, &written) == DCN_IMAGE_DAMAGED)
        }
    }

    @Test("the checksum of '123456789' is the published one")
    func checksum() {
        let bytes = Array("123456789".utf8)
        #expect(dcn_crc32(0, bytes, bytes.count) == 0xcbf4_3926)
        #expect(dcn_crc32(dcn_crc32(0, bytes, 4), Array(bytes.dropFirst(4)), 5) == 0xcbf4_3926)
    }
}
