import DCN
import DCNFormats
import DCNGraph
import TestSupport
import Testing

@Suite struct UserSpellingTests {
    /// A fixture's graph, and that of the same file under names of somebody's own, read by a declaration.
    private func graphs(
        _ name: String, as spelling: (domain: String, opType: String), renaming: [String: String],
        dropping: Set<String> = [], by text: String
    ) throws -> (known: String, declared: String) {
        let folder = FixtureFolder("spellings")
        let source = try readOnnx(contentsOf: folder.model(name))
        var renamed = source
        for index in renamed.graph.nodes.indices {
            var node = renamed.graph.nodes[index]
            var attributes: [String: SourceAttribute] = [:]
            for (name, value) in node.attributes where !dropping.contains(name) {
                attributes[renaming[name] ?? name] = value
            }
            node.attributes = attributes
            (node.domain, node.opType) = spelling
            renamed.graph.nodes[index] = node
        }
        let dialects = try UserSpellings(text).over(Dialect.standard)
        return (
            "\(try map(source, dialects: Dialect.standard))", "\(try map(renamed, dialects: dialects))"
        )
    }

    @Test func deformableConvolutionsGoByAnyNames() throws {
        let (known, declared) = try graphs(
            "mmcv-v2", as: ("acme", "Warp"),
            renaming: [
                "stride": "step", "padding": "border", "dilation": "gap", "groups": "parts",
                "deform_groups": "sets",
            ],
            by: """
                acme::Warp(x, moves, shares, kernel, shift) = DeformConv(x, kernel, moves, shift, shares) {
                    strides: step, pads: [border, border], dilations: gap, group: parts or 1, offset_group: sets
                }
                """)
        #expect(declared == known && known.contains("DeformConv"))
    }

    @Test func regionsGoByAnyNames() throws {
        let (known, declared) = try graphs(
            "mmcv-roi-align-avg-aligned", as: ("acme", "Crop"),
            renaming: ["output_height": "rows", "output_width": "columns", "spatial_scale": "zoom"],
            dropping: ["mode", "aligned"],
            by: """
                # aligned and averaging, always
                acme::Crop(x, rois) = mmcv::MMCVRoiAlign(x, rois) {
                    output_height: rows, output_width: columns or 2, spatial_scale: zoom, aligned: 1, mode: "avg"
                }
                """)
        #expect(declared == known && known.contains("RoiAlign"))
    }

    @Test func operandsMayStandInAnotherOrder() throws {
        let (known, declared) = try graphs(
            "mxnet-deformable-ps-roi-pooling", as: ("", "Pooled"), renaming: ["trans_std": "gamma"],
            by: """
                Pooled(data, boxes, moves) = org.apache.mxnet::DeformablePSROIPooling(data, boxes, moves) {
                    trans_std: gamma
                }
                """)
        #expect(declared == known && known.contains("DeformPSRoiPool"))
    }

    @Test func whatIsLeftUnsaidIsRefused() throws {
        let text = "acme::Warp(x, o, m, w, b) = DeformConv(x, w, o, b, m) { strides: stride }"
        #expect {
            _ = try graphs("mmcv-v2", as: ("acme", "Warp"), renaming: [:], by: text)
        } throws: { "\($0)".contains("padding") }
    }
}
