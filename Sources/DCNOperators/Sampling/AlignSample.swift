/// A bilinear sample that is 0 from one cell outside on, else the nearest within (the rule of RoiAlign).
func alignSample(_ plane: UnsafePointer<Float>, _ height: Int, _ width: Int, _ y: Float, _ x: Float) -> Float
{
    guard y >= -1, y <= Float(height), x >= -1, x <= Float(width), height > 0, width > 0 else { return 0 }
    let (v, h) = (max(y, 0), max(x, 0))
    var (top, left) = (Int(v), Int(h))
    var (below, right) = (v - Float(top), h - Float(left))
    var (bottom, far) = (top + 1, left + 1)
    if top >= height - 1 { (top, bottom, below) = (height - 1, height - 1, 0) }
    if left >= width - 1 { (left, far, right) = (width - 1, width - 1, 0) }
    let upper = (1 - right) * plane[top * width + left] + right * plane[top * width + far]
    let lower = (1 - right) * plane[bottom * width + left] + right * plane[bottom * width + far]
    return (1 - below) * upper + below * lower
}
