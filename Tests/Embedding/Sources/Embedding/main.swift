import DCN

let model = try Model(contentsOf: CommandLine.arguments[1])
var session = try Session(model, options: Options(threads: 2))
if let image = Tensor(extents: [1, 3, 160, 160], [Float](repeating: 0.5, count: 3 * 160 * 160)) {
    let answer: [String: Tensor] = try session.run(["image": image])
    for (name, tensor) in answer.sorted(by: { $0.key < $1.key }) { print(name, tensor.type) }
}
