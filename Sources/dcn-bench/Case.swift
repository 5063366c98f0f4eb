import DCN

/// One layer to measure, as a person writes it: `deform:c=256,o=256,h=38,w=64,k=3,d=1,mask=1`.
///
/// Kinds: `conv`, `deform`. Numbers: c, o (channels), h, w (image), n (batch), k (kernel), s (stride), d (dilation),
/// p (pad; same extents unless said), g (groups), og (offset groups), mask (0 or 1).
struct Case {
    let text: String
    let kind: Kind
    private let numbers: [String: Int]

    enum Kind: String { case conv, deform }

    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])) else { return nil }
        var numbers: [String: Int] = [:]
        for pair in parts[1].split(separator: ",") {
            let sides = pair.split(separator: "=")
            guard sides.count == 2, let number = Int(sides[1]) else { return nil }
            numbers[String(sides[0])] = number
        }
        guard let channels = numbers["c"], channels > 0, (numbers["h"] ?? 0) > 0, (numbers["w"] ?? 0) > 0
        else { return nil }
        self.text = text
        self.kind = kind
        self.numbers = numbers
    }

    private func number(_ name: String, _ missing: Int) -> Int { numbers[name] ?? missing }
    var channels: Int { number("c", 1) }
    var outputs: Int { number("o", channels) }
    var kernel: Int { number("k", 3) }
    var stride: Int { number("s", 1) }
    var dilation: Int { number("d", 1) }
    var pad: Int { number("p", dilation * (kernel - 1) / 2) }
    var groups: Int { number("g", 1) }
    var offsetGroups: Int { number("og", 1) }
    var hasMask: Bool { number("mask", 1) != 0 }
    var batch: Int { number("n", 1) }
    var input: [Int] { [batch, channels, number("h", 1), number("w", 1)] }
    var output: [Int] {
        let reach = dilation * (kernel - 1) + 1
        return [batch, outputs] + input[2...].map { ($0 + 2 * pad - reach) / stride + 1 }
    }
}
