package import DCNFiles

extension Picture {
    /// Draws the outline of a box, two pixels wide, as far as it lies inside.
    package mutating func draw(_ box: Box, _ colour: Colour) {
        guard let left = pixel(box.left, width), let right = pixel(box.right, width),
            let top = pixel(box.top, height), let bottom = pixel(box.bottom, height), left <= right,
            top <= bottom
        else { return }
        for inset in 0..<2 where left + inset <= right - inset && top + inset <= bottom - inset {
            for x in left + inset...right - inset {
                set(x, top + inset, colour)
                set(x, bottom - inset, colour)
            }
            for y in top + inset...bottom - inset {
                set(left + inset, y, colour)
                set(right - inset, y, colour)
            }
        }
    }

    /// Writes text on a bar of the colour; (x, y) is the bar's lower left corner, moved so that the bar lies inside.
    package mutating func write(_ text: String, x: Double, y: Double, _ colour: Colour) {
        let glyphs = text.uppercased().unicodeScalars.map { Font.rows(of: $0) }
        let barWidth = glyphs.count * (Font.width + 1) + 1
        guard let wantedLeft = pixel(x, width), let wantedBottom = pixel(y, height) else { return }
        let left = max(0, min(wantedLeft, width - barWidth))
        let top = max(0, wantedBottom - Font.height - 2)
        for row in top..<min(height, top + Font.height + 2) {
            for column in left..<min(width, left + barWidth) { set(column, row, colour) }
        }
        for (index, glyph) in glyphs.enumerated() {
            for (row, bits) in glyph.enumerated() {
                for column in 0..<Font.width where bits >> UInt8(Font.width - 1 - column) & 1 == 1 {
                    set(left + 1 + index * (Font.width + 1) + column, top + 1 + row, colour.contrast)
                }
            }
        }
    }

    /// The pixel that a coordinate falls on, the nearest one for what lies outside; nil for what is no number.
    private func pixel(_ place: Double, _ extent: Int) -> Int? {
        guard place.isFinite, extent > 0 else { return nil }
        return Int(min(max(place, 0), Double(extent - 1)).rounded())
    }

    private mutating func set(_ x: Int, _ y: Int, _ colour: Colour) {
        guard x >= 0, x < width, y >= 0, y < height else { return }
        let place = 3 * (y * width + x)
        (rgb[place], rgb[place + 1], rgb[place + 2]) = (colour.red, colour.green, colour.blue)
    }
}

/// A colour of 8 bits a part.
package struct Colour: Sendable, Hashable {
    let red: UInt8
    let green: UInt8
    let blue: UInt8

    /// Black or white, whichever is better to read on this.
    var contrast: Colour {
        let light = 299 * Int(red) + 587 * Int(green) + 114 * Int(blue)
        return light > 140_000 ? Colour(red: 0, green: 0, blue: 0) : Colour(red: 255, green: 255, blue: 255)
    }

    /// The colour of a class: ten that are easy to tell apart, in turn.
    package static func of(label: Int) -> Colour {
        let all: [(UInt8, UInt8, UInt8)] = [
            (230, 25, 75), (60, 180, 75), (255, 225, 25), (0, 130, 200), (245, 130, 48),
            (145, 30, 180), (70, 240, 240), (240, 50, 230), (210, 245, 60), (250, 190, 212),
        ]
        let (red, green, blue) = all[((label % all.count) + all.count) % all.count]
        return Colour(red: red, green: green, blue: blue)
    }
}

/// The picture with the boxes of all detections and what they say, the surest on top.
package func drawing(_ detections: [Detection], on picture: Picture, names: [String] = []) -> Picture {
    var drawn = picture
    for detection in detections.sorted(by: { $0.score < $1.score }) {
        let colour = Colour.of(label: detection.label)
        drawn.draw(detection.box, colour)
        let name = names.indices.contains(detection.label) ? names[detection.label] : "\(detection.label)"
        let percent = detection.score.isFinite ? Int((min(max(detection.score, 0), 1) * 100).rounded()) : 0
        drawn.write("\(name) \(percent)%", x: detection.box.left, y: detection.box.top, colour)
    }
    return drawn
}
