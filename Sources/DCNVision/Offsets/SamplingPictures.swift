package import DCNFiles

/// Deformable layers over the picture they ran on.
package struct SamplingView: Sendable {
    /// The layers, in running order.
    package let layers: [SamplingLayer]
    /// Height and width of what the model took.
    package let extents: [Int]
    /// How the picture went in.
    package let placement: Placement
    /// Places beyond this count are left out, the deepest first.
    package var mostPoints = 20_000

    /// A view of the layers of one run.
    package init(_ layers: [SamplingLayer], extents: [Int], placement: Placement) {
        self.layers = layers
        self.extents = extents
        self.placement = placement
    }

    /// A place in the picture, from pixels of a layer's input.
    package func picturePlace(_ place: (y: Double, x: Double), in layer: SamplingLayer) -> (
        y: Double, x: Double
    ) {
        func along(_ place: Double, _ axis: Int, _ scale: Double, _ before: Double) -> Double {
            let taken = (place + 0.5) * Double(extents[axis]) / Double(max(1, layer.input[axis]))
            return (taken - before) / scale - 0.5
        }
        return (
            along(place.y, 0, placement.scale.y, placement.before.y),
            along(place.x, 1, placement.scale.x, placement.before.x)
        )
    }

    /// The output of a layer whose filter stands nearest to a place in the picture.
    package func output(of layer: SamplingLayer, at place: (y: Double, x: Double)) -> (row: Int, column: Int)
    {
        func along(_ place: Double, _ axis: Int, _ scale: Double, _ before: Double) -> Int {
            let taken = (place + 0.5) * scale + before
            let inside = taken * Double(layer.output[axis]) / Double(max(1, extents[axis])) - 0.5
            return nearest(inside, layer.output[axis])
        }
        return (
            along(place.y, 0, placement.scale.y, placement.before.y),
            along(place.x, 1, placement.scale.x, placement.before.x)
        )
    }

    private func nearest(_ place: Double, _ extent: Int) -> Int {
        guard place.isFinite else { return 0 }
        return Int(min(max(place.rounded(), 0), Double(max(0, extent - 1))))
    }

    /// Everything that one output of a layer hangs on: its taps, the taps of the layer before at those places, and so
    /// on back, at most `depth` layers; in the picture.
    package func points(of index: Int, row: Int, column: Int, depth: Int) -> [(y: Double, x: Double)] {
        var layer = layers[index]
        var outputs = [(row: row, column: column)]
        var places: [(y: Double, x: Double)] = []
        for step in 0..<max(1, depth) {
            places = outputs.flatMap { output in
                (0..<layer.groups * layer.taps.count).map {
                    layer.position(
                        $0 / layer.taps.count, $0 % layer.taps.count, row: output.row, column: output.column)
                }
            }.filter { $0.y.isFinite && $0.x.isFinite }
            guard step + 1 < depth, let previous = layer.previous else { break }
            let before = layers[previous]
            guard places.count * before.groups * before.taps.count <= mostPoints else { break }
            outputs = places.filter { isInside($0, layer.input) }.map { place in
                func scaled(_ place: Double, _ axis: Int) -> Int {
                    nearest(
                        (place + 0.5) * Double(before.output[axis]) / Double(max(1, layer.input[axis])) - 0.5,
                        before.output[axis])
                }
                return (scaled(place.y, 0), scaled(place.x, 1))
            }
            layer = before
        }
        return places.map { picturePlace($0, in: layer) }
    }

    private func isInside(_ place: (y: Double, x: Double), _ extents: [Int]) -> Bool {
        place.y > -1 && place.y < Double(extents[0]) && place.x > -1 && place.x < Double(extents[1])
    }

    /// The picture, `times` as large, with the points of an output in red and the output's own place in green.
    package func drawing(
        of index: Int, at place: (y: Double, x: Double), depth: Int, on picture: Picture, times: Int = 1
    ) -> Picture {
        let (row, column) = output(of: layers[index], at: place)
        var drawn = picture.enlarged(times)
        func dot(_ place: (y: Double, x: Double), radius: Int, _ colour: Colour) {
            drawn.dot(enlarged(place.y, times), enlarged(place.x, times), radius: radius, colour)
        }
        for point in points(of: index, row: row, column: column, depth: depth) {
            dot(point, radius: times, Colour(red: 235, green: 30, blue: 40))
        }
        let middle = picturePlace(layers[index].centre(row: row, column: column), in: layers[index])
        dot(middle, radius: times + 2, Colour(red: 40, green: 200, blue: 60))
        return drawn
    }

    /// How far taps move, laid over the picture, `times` as large: from blue, nowhere, to red, the farthest in this
    /// layer.
    package func magnitudes(of index: Int, on picture: Picture, times: Int = 1) -> Picture {
        let layer = layers[index]
        let lengths = layer.map(layer.magnitude)
        let most = lengths.filter(\.isFinite).max() ?? 0
        var drawn = picture.enlarged(times)
        guard !lengths.isEmpty else { return drawn }
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let (row, column) = output(of: layer, at: (Double(y), Double(x)))
                let length = lengths[row * layer.output[1] + column]
                let colour = Colour.heat(most > 0 && length.isFinite ? length / most : 0)
                for place in 0..<times * times {
                    drawn.blend(x * times + place % times, y * times + place / times, colour)
                }
            }
        }
        return drawn
    }
}

/// The same place in a picture that is so many times as large; pixels have their middle at whole numbers.
private func enlarged(_ place: Double, _ times: Int) -> Double { (place + 0.5) * Double(times) - 0.5 }

extension Colour {
    /// Blue at 0, over green and yellow to red at 1.
    static func heat(_ value: Double) -> Colour {
        let t = min(max(value, 0), 1)
        func part(_ middle: Double) -> UInt8 {
            UInt8((min(max(1.5 - abs(4 * t - middle), 0), 1) * 255).rounded())
        }
        return Colour(red: part(3), green: part(2), blue: part(1))
    }
}

extension Picture {
    /// The picture so many times as large.
    fileprivate func enlarged(_ times: Int) -> Picture {
        times == 1 ? self : resized(self, width: width * times, height: height * times)
    }

    /// A filled circle, as far as it lies inside.
    mutating func dot(_ y: Double, _ x: Double, radius: Int, _ colour: Colour) {
        guard y.isFinite, x.isFinite, abs(y) < 1e6, abs(x) < 1e6 else { return }
        let (middleY, middleX) = (Int(y.rounded()), Int(x.rounded()))
        for dy in -radius...radius {
            for dx in -radius...radius where dx * dx + dy * dy <= radius * radius {
                let (row, column) = (middleY + dy, middleX + dx)
                guard row >= 0, row < height, column >= 0, column < width else { continue }
                let place = 3 * (row * width + column)
                (rgb[place], rgb[place + 1], rgb[place + 2]) = (colour.red, colour.green, colour.blue)
            }
        }
    }

    /// One pixel, half its own colour and half another.
    fileprivate mutating func blend(_ x: Int, _ y: Int, _ colour: Colour) {
        let place = 3 * (y * width + x)
        for (index, part) in [colour.red, colour.green, colour.blue].enumerated() {
            rgb[place + index] = UInt8((Int(rgb[place + index]) + Int(part)) / 2)
        }
    }
}
