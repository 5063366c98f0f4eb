package import DCN
package import DCNFiles

/// Which output of a model is a map of classes.
package struct SegmenterForm: Sendable {
    let output: String

    /// Finds scores (1, classes, height, width) or classes (1, height, width) among a model's outputs: the first that fits.
    /// A `model` error where none does.
    package init(_ outputs: [(name: String, type: ValueType)], of path: String) throws(DCNError) {
        func fits(_ type: TensorType) -> Bool {
            guard let rank = type.shape?.rank else { return false }
            return rank == 4 || (rank == 3 && type.element.isInteger)
        }
        guard let found = outputs.first(where: { $0.type.tensor.map(fits) ?? false }) else {
            let names = outputs.map { "'\(escaped($0.name))' \($0.type)" }.joined(separator: ", ")
            throw DCNError(
                .model, .run,
                "gives no map of classes: expected (1, classes, height, width), it has \(names)",
                at: Origin(file: path, path: ""))
        }
        output = found.name
    }

    /// The class of each pixel of a picture of this size, row by row: the greatest score, the first of equal ones, at the
    /// place of the map that is nearest to the pixel.
    package func classes(
        in answer: [String: Tensor], height: Int, width: Int, input: [Int], _ placement: Placement
    ) throws(DCNError) -> [Int] {
        guard let tensor = answer[output], let map = ClassMap(tensor), map.height > 0, map.width > 0 else {
            throw DCNError(.model, .run, "'\(escaped(output))' is no map of classes of one picture")
        }
        func places(_ count: Int, _ scale: Double, _ before: Double, _ given: Int, _ extent: Int) -> [Int] {
            (0..<count).map { place in
                let taken = (Double(place) + 0.5) * scale + before
                return min(max(0, Int(taken * Double(extent) / Double(max(1, given)))), extent - 1)
            }
        }
        let rows = places(height, placement.scale.y, placement.before.y, input[0], map.height)
        let columns = places(width, placement.scale.x, placement.before.x, input[1], map.width)
        return rows.flatMap { row in columns.map { map.classes[row * map.width + $0] } }
    }
}

/// The class at each place of a map.
private struct ClassMap {
    let height: Int
    let width: Int
    let classes: [Int]

    /// Scores (1, classes, height, width), or classes of whole numbers; nil when it is neither.
    init?(_ tensor: Tensor) {
        let extents = tensor.extents
        guard extents.count >= 3, extents[0] == 1 else { return nil }
        (height, width) = (extents[extents.count - 2], extents[extents.count - 1])
        if extents.count == 3 || extents[1] == 1 {
            guard let whole = tensor.integers else { return nil }
            classes = whole
            return
        }
        let scores = numbers(tensor)
        let pixels = height * width
        var best = [Int](repeating: 0, count: pixels)
        for label in 1..<max(1, extents[1]) {
            for pixel in 0..<pixels
            where scores[label * pixels + pixel] > scores[best[pixel] * pixels + pixel] {
                best[pixel] = label
            }
        }
        classes = best
    }
}

extension Picture {
    /// Grey levels, row by row; nil when the picture has colours.
    package var levels: [Int]? {
        let pixels = width * height
        for pixel in 0..<pixels
        where rgb[3 * pixel] != rgb[3 * pixel + 1] || rgb[3 * pixel] != rgb[3 * pixel + 2] {
            return nil
        }
        return (0..<pixels).map { Int(rgb[3 * $0]) }
    }
}
