import DCN
import DCNFiles
import DCNVision

/// A picture as it is shown to a model when it is looked at in another size, and the way back.
struct Look {
    /// What the model sees.
    let picture: Picture
    private let scale: Double
    private let before: (x: Double, y: Double)

    /// The picture `scale` times as large. When the model's size is fixed, that is done by putting the picture into a
    /// larger grey one, which is shrunk to fit: no scale above 1 can be had so.
    init(at picture: Picture, scale: Double, isFixed: Bool) throws(DCNError) {
        let times = isFixed ? 1 / scale : scale
        let width = max(1, Int((Double(picture.width) * times).rounded()))
        let height = max(1, Int((Double(picture.height) * times).rounded()))
        guard scale != 1 else {
            (self.picture, self.scale, before) = (picture, 1, (0, 0))
            return
        }
        guard let pixels = elementCount(of: [width, height]), pixels <= Picture.mostPixels else {
            throw DCNError(.input, .read, "scale \(scale) makes a picture of \(width) × \(height) pixels")
        }
        guard isFixed else {
            self.picture = resized(picture, width: width, height: height)
            (self.scale, before) = (scale, (0, 0))
            return
        }
        let (left, top) = (max(0, width - picture.width) / 2, max(0, height - picture.height) / 2)
        self.picture = picture.framed(width: width, height: height, left: left, top: top)
        (self.scale, before) = (1, (Double(left), Double(top)))
    }

    /// What was found, in the pixels of the picture itself.
    func back(_ detections: [Detection]) -> [Detection] {
        detections.map { $0.moved(-before.x, -before.y).scaled(by: 1 / scale) }
    }
}
