/// Small ONNX files, written field by field.
struct ModelMaker {
    private var nodes: [UInt8] = []
    private var values: [UInt8] = []
    private var constants: [UInt8] = []

    /// Adds a node; `attributes` are whole messages.
    mutating func node(
        _ kind: String, _ inputs: [String], _ outputs: [String], domain: String = "",
        attributes: [[UInt8]] = []
    ) {
        var message: [UInt8] = []
        for input in inputs { message += field(1, input) }
        for output in outputs { message += field(2, output) }
        message += field(3, "the \(kind)") + field(4, kind)
        for attribute in attributes { message += field(5, attribute) }
        if !domain.isEmpty { message += field(7, domain) }
        nodes += field(1, message)
    }

    /// Adds an input of an element type and extents; a string is a symbol.
    mutating func input(_ name: String, _ extents: [Any], element: Int = 1) {
        values += value(11, name, element, extents)
    }

    /// Adds an output.
    mutating func output(_ name: String, _ extents: [Any], element: Int = 1) {
        values += value(12, name, element, extents)
    }

    /// Adds an initialiser.
    mutating func constant(_ name: String, _ element: Int, _ extents: [Int], _ bytes: [UInt8]) {
        var message: [UInt8] = []
        for extent in extents { message += number(1, extent) }
        constants += field(5, message + number(2, element) + field(8, name) + field(9, bytes))
    }

    /// The graph as a message.
    var graph: [UInt8] { nodes + field(2, "graph") + constants + values }

    /// The whole file.
    var model: [UInt8] {
        let opsets = field(8, field(1, "") + number(2, 21)) + field(8, field(1, "acme") + number(2, 1))
        return number(1, 10) + field(7, graph) + opsets
    }

    private func value(_ tag: Int, _ name: String, _ element: Int, _ extents: [Any]) -> [UInt8] {
        var shape: [UInt8] = []
        for extent in extents {
            if let extent = extent as? Int { shape += field(1, number(1, extent)) }
            if let symbol = extent as? String { shape += field(1, field(2, symbol)) }
        }
        return field(tag, field(1, name) + field(2, field(1, number(1, element) + field(2, shape))))
    }
}

/// An attribute that is a graph.
func attribute(_ name: String, graph: [UInt8]) -> [UInt8] { field(1, name) + field(6, graph) + number(20, 5) }

/// An attribute that is an integer.
func attribute(_ name: String, _ value: Int) -> [UInt8] { field(1, name) + number(3, value) + number(20, 2) }

private func field(_ tag: Int, _ text: String) -> [UInt8] { field(tag, Array(text.utf8)) }
private func field(_ tag: Int, _ bytes: [UInt8]) -> [UInt8] {
    varint(tag << 3 | 2) + varint(bytes.count) + bytes
}
private func number(_ tag: Int, _ number: Int) -> [UInt8] { varint(tag << 3) + varint(number) }

private func varint(_ number: Int) -> [UInt8] {
    var (rest, bytes) = (UInt64(bitPattern: Int64(number)), [UInt8]())
    while rest >= 128 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
        rest >>= 7
    }
    return bytes + [UInt8(rest)]
}

extension ModelMaker {
    /// `y = Relu(x)` on float32[N, 4].
    static var relu: [UInt8] {
        var maker = ModelMaker()
        maker.input("x", ["N", 4])
        maker.output("y", ["N", 4])
        maker.node("Relu", ["x"], ["y"])
        return maker.model
    }

    /// `y = −(relu(w · x))`, a convolution of one pixel by ∞ and what is fused with it.
    static var endlessWeight: [UInt8] {
        var maker = ModelMaker()
        maker.input("x", [1, 1, 1, 2])
        maker.output("y", [1, 1, 1, 2])
        maker.constant("w", 1, [1, 1, 1, 1], [0, 0, 0x80, 0x7F])
        maker.node("Abs", ["x"], ["size"])
        maker.node("Conv", ["size", "w"], ["product"])
        maker.node("Relu", ["product"], ["bent"])
        maker.node("Neg", ["bent"], ["y"])
        return maker.model
    }

    /// `y = x / x` on float32[2].
    static var quotient: [UInt8] {
        var maker = ModelMaker()
        maker.input("x", [2])
        maker.output("y", [2])
        maker.node("Div", ["x", "x"], ["y"])
        return maker.model
    }

    /// A loop whose condition never ends it; with `doubles` its value is twice as long after each trip.
    static func endless(doubles: Bool) -> [UInt8] {
        var body = ModelMaker()
        body.input("trip", [], element: 7)
        body.input("go", [], element: 9)
        body.input("v", ["n"])
        body.node("Identity", ["go"], ["go on"])
        if doubles {
            body.node("Concat", ["v", "v"], ["w"], attributes: [attribute("axis", 0)])
        } else {
            body.node("Abs", ["v"], ["w"])
        }
        body.output("go on", [], element: 9)
        body.output("w", ["m"])
        var maker = ModelMaker()
        maker.input("x", ["N"])
        maker.output("y", ["M"])
        maker.constant("yes", 9, [], [1])
        maker.node("Loop", ["", "yes", "x"], ["y"], attributes: [attribute("body", graph: body.graph)])
        return maker.model
    }
}
