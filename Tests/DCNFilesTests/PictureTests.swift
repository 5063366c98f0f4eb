import DCN
import DCNFiles
import Testing

@Suite("Pictures as tensors")
struct PictureTests {
    private let picture = Picture(width: 2, height: 1, rgb: [255, 0, 51, 102, 153, 204])

    private func values(_ type: TensorType, _ form: PictureForm = PictureForm()) throws -> [Double] {
        let picture = try #require(picture)
        return numbers(try tensor(of: picture, as: .tensor(type), form, named: "x").tensor)
    }

    @Test("channels first or last, as the input declares")
    func orders() throws {
        let first = try values(TensorType(.float32, ["N", 3, "H", "W"])).map { ($0 * 255).rounded() }
        #expect(first == [255, 102, 0, 153, 51, 204])
        let last = try values(TensorType(.uint8, [1, 1, 2, 3]))
        #expect(last == [255, 0, 51, 102, 153, 204])
    }

    @Test("mean, deviation and blue first")
    func normalised() throws {
        var form = PictureForm()
        (form.mean, form.deviation, form.isBgr) = ([0.2, 0, 1], [0.5], true)
        let got = try values(TensorType(.float32, [1, 3, 1, 2]), form)
        for (got, expected) in zip(got, [0, 1.2, 0, 1.2, 0, -1.2]) { #expect(abs(got - expected) < 1e-6) }
    }

    @Test(
        "what a picture can't be is refused",
        arguments: [
            TensorType(.int64, [1, 3, 1, 2]), TensorType(.float32, [3]), TensorType(.float32, [1, 4, 8, 8]),
            TensorType(.float32, nil),
        ])
    func refused(type: TensorType) {
        #expect(throws: DCNError.self) { try values(type) }
    }

    @Test("letterboxing keeps proportions and says where the picture is")
    func letterbox() throws {
        var form = PictureForm()
        form.fit = .letterbox
        let (tensor, placement) = try tensor(
            of: Picture(width: 8, height: 4, colour: (255, 0, 0)),
            as: .tensor(TensorType(.uint8, [1, 3, 16, 16])), form, named: "x")
        #expect(tensor.extents == [1, 3, 16, 16])
        #expect(placement.scale == (2, 2) && placement.before == (0, 4))
        let red = numbers(tensor)[..<256]
        #expect(
            red.prefix(64).allSatisfy { $0 == 114 } && red.dropFirst(64).prefix(128).allSatisfy { $0 == 255 })
    }

    @Test("resizing to the same size changes nothing, one colour stays one colour")
    func resizing() throws {
        let picture = try #require(picture)
        #expect(resized(picture, width: 2, height: 1) == picture)
        #expect(
            resized(Picture(width: 3, height: 5, colour: (9, 8, 7)), width: 7, height: 2)
                == Picture(width: 7, height: 2, colour: (9, 8, 7)))
    }
}
