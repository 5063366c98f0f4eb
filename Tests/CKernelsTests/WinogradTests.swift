import CKernels
import Testing

/// Forms of convolution that multiply less.
extension ConvTests {
    @Test("Winograd", arguments: ConvKernels.available)
    func winograd(_ kernels: ConvKernels) {
        for (form, factor) in [
            (DCN_CONV_WINOGRAD_2, 1.0), (DCN_CONV_WINOGRAD_3, 4), (DCN_CONV_WINOGRAD_4, 6),
            (DCN_CONV_WINOGRAD_4_STRIDED, 4), (DCN_CONV_WINOGRAD_6, 30),
        ] {
            Self.check(form, kernels, cases: 20, factor: factor) { shape, _ in
                shape.channels /= shape.groups
                shape.outputs /= shape.groups
                shape.groups = 1
                shape.kernel = dcn_extent(depth: 1, height: 3, width: 3)
                let stride = form == DCN_CONV_WINOGRAD_4_STRIDED ? 2 : 1
                shape.stride = dcn_extent(depth: 1, height: stride, width: stride)
                (shape.input.depth, shape.output.depth) = (1, 1)
                (shape.dilation.depth, shape.pad.depth) = (1, 0)
                if stride == 2 { shape.dilation = dcn_extent(depth: 1, height: 1, width: 1) }
            }
        }
    }

    @Test("planes are read by Winograd's form where that saves products, and accuracy allows it")
    func planesChoice() {
        var shape = dcn_conv_shape()
        (shape.batch, shape.groups, shape.channels, shape.outputs) = (1, 1, 3, 64)
        shape.input = dcn_extent(depth: 1, height: 224, width: 224)
        shape.output = dcn_extent(depth: 1, height: 112, width: 112)
        shape.kernel = dcn_extent(depth: 1, height: 7, width: 7)
        shape.stride = dcn_extent(depth: 1, height: 2, width: 2)
        shape.dilation = dcn_extent(depth: 1, height: 1, width: 1)
        shape.pad = dcn_extent(depth: 0, height: 3, width: 3)
        func choice(_ accuracy: dcn_accuracy, _ change: (inout dcn_conv_shape) -> Void = { _ in })
            -> dcn_conv_form
        {
            var changed = shape
            change(&changed)
            return dcn_conv_choose_planes(&changed, dcn_read_caches(), accuracy)
        }
        #expect(choice(DCN_ACCURACY_DEFAULT) == DCN_CONV_WINOGRAD_PLANES)
        #expect(choice(DCN_ACCURACY_FAST) == DCN_CONV_WINOGRAD_PLANES)
        #expect(choice(DCN_ACCURACY_EXACT) == DCN_CONV_PLANES)
        #expect(choice(DCN_ACCURACY_DEFAULT) { $0.channels = 1 } == DCN_CONV_PLANES)
        #expect(choice(DCN_ACCURACY_DEFAULT) { $0.stride.width = 1 } == DCN_CONV_PLANES)
        #expect(choice(DCN_ACCURACY_DEFAULT) { $0.kernel.height = 3 } == DCN_CONV_PLANES)
    }

    @Test("Winograd of planes, four pixels to one", arguments: ConvKernels.available)
    func winogradPlanes(_ kernels: ConvKernels) {
        for form in [DCN_CONV_WINOGRAD_PLANES, DCN_CONV_WINOGRAD_PLANES_OUT] {
            Self.check(form, kernels, cases: 30, factor: 5) { shape, noise in
                let one = dcn_extent(depth: 1, height: 1, width: 1)
                (shape.channels, shape.outputs, shape.groups) = (
                    1 + noise.index(4), shape.outputs / shape.groups, 1
                )
                shape.kernel = dcn_extent(depth: 1, height: 7 + noise.index(2), width: 7 + noise.index(2))
                shape.stride = dcn_extent(depth: 1, height: 2, width: 2)
                (shape.dilation, shape.input.depth, shape.output.depth, shape.pad.depth) = (one, 1, 1, 0)
                if noise.index(2) == 0 { shape.input.width += 90 }
                if noise.index(2) == 0 { shape.output.width += noise.index(120) }
            }
        }
    }

    @Test("pixels that dilation leaves one neighbour at most", arguments: ConvKernels.available)
    func dilatedPairs(_ kernels: ConvKernels) {
        Self.check(DCN_CONV_WINOGRAD_PAIRS, kernels, cases: 20) { shape, noise in
            shape.channels /= shape.groups
            shape.outputs /= shape.groups
            shape.groups = 1
            shape.kernel = dcn_extent(depth: 1, height: 3, width: 3)
            shape.stride = dcn_extent(depth: 1, height: 1, width: 1)
            shape.input.depth = 1
            shape.output = shape.input
            shape.dilation = dcn_extent(
                depth: 1, height: (shape.input.height + 1) / 2 + noise.index(3),
                width: (shape.input.width + 1) / 2 + noise.index(3))
            shape.pad = shape.dilation
            shape.pad.depth = 0
        }
    }

    @Test("a pixel that sees another beyond its pair is not for the form of pairs")
    func refusedPairs() {
        var shape = dcn_conv_shape()
        (shape.batch, shape.groups, shape.channels, shape.outputs) = (1, 1, 16, 16)
        shape.input = dcn_extent(depth: 1, height: 8, width: 8)
        shape.output = shape.input
        (shape.kernel, shape.stride) = (
            dcn_extent(depth: 1, height: 3, width: 3), dcn_extent(depth: 1, height: 1, width: 1)
        )
        shape.dilation = dcn_extent(depth: 1, height: 4, width: 4)
        shape.pad = dcn_extent(depth: 0, height: 4, width: 4)
        func fits(_ change: (inout dcn_conv_shape) -> Void) -> Bool {
            var changed = shape
            change(&changed)
            return dcn_conv_fits(DCN_CONV_WINOGRAD_PAIRS, &changed) == 1
        }
        #expect(fits { _ in })
        #expect(!fits { ($0.dilation.width, $0.pad.width) = (3, 3) })
        #expect(!fits { $0.pad.height = 3 })
        #expect(!fits { $0.output.height = 7 })
        #expect(!fits { $0.stride.width = 2 })
    }
}
