import CKernels
import Testing

@Suite("Layout kernels, and the peak")
struct RelayoutTests {
    @Test("layouts there and back", arguments: ConvKernels.available)
    func relayout(_ kernels: ConvKernels) {
        var noise = Noise(4)
        for trial in 0..<60 {
            let batch = 1 + noise.index(2), channels = 1 + noise.index(40)
            let pixels = trial % 3 == 0 ? 16 * (1 + noise.index(20)) : 1 + noise.index(300)
            let x = ConvBuffer(noise.floats(batch * channels * pixels))
            let target = ConvTarget(&noise, pixels: batch * pixels, channels: channels)
            let y = target.output(streaming: false)
            var job = dcn_relayout(
                x: x.pointer, y: y.data, batch: batch, channels: channels, pixels: pixels, stride: y.stride,
                clear: y.clear, row_major_stride: channels * pixels, streaming: Int32(trial % 2))
            for tile in 0..<dcn_relayout_tiles(&job) { kernels.table.to_channels_last(&job, tile) }
            let expected = (0..<batch * pixels * channels).map { index in
                let channel = index % channels, pixel = index / channels
                return Double(x[(pixel / pixels * channels + channel) * pixels + pixel % pixels])
            }
            #expect(target.complaint(expected, within: 0) == nil)

            let back = ConvBuffer(count: x.count)
            job.x = UnsafePointer(y.data)
            job.y = back.pointer
            for tile in 0..<dcn_relayout_tiles(&job) { kernels.table.to_row_major(&job, tile) }
            #expect(back.values == x.values)
            #expect(back.isGuarded)
        }
    }

    @Test("the peak counts its multiply-adds", arguments: ConvKernels.available)
    func peak(_ kernels: ConvKernels) {
        #expect(kernels.table.peak(1000) == 1000 * kernels.table.peak(1))
    }
}
