import ArgumentParser
import DCN
import DCNCommandLine
import DCNFiles
import DCNVision

/// Shows where the deformable layers of a model look.
struct OffsetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offsets", abstract: "Show where deformable layers look in a picture.",
        usage: "dcn-run offsets MODEL PICTURE -o DIR [OPTIONS]",
        discussion: """
            Example:
              dcn-run offsets detector.onnx street.jpg -o looks --at 320,240 --boxes street.json

            DIR gets offsets.json with the effective dilation (mean distance between the places of adjacent taps) and the
            length of offsets of every layer; for each layer N-magnitude.png, how far its taps move over the picture; and
            for each place N-points.png, all that the last layer sees from there through the layers before it.
            """)

    @OptionGroup var file: ModelArguments

    @Argument(help: "A PNG or JPEG file.", completion: .file())
    var picture: String

    @OptionGroup var options: PictureOptions

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("Folder for what is found.", valueName: "DIR"))
    var out: String

    @Option(help: ArgumentHelp("A place in the picture (repeatable; default: the middle).", valueName: "X,Y"))
    var at: [String] = []

    @Option(help: ArgumentHelp("The layer to look from, counted from 0 (default: the last).", valueName: "N"))
    var layer: Int?

    @Option(help: "How many stacked layers are followed back.")
    var depth = 3

    @Option(
        help: ArgumentHelp(
            "Boxes of objects, as detect writes them: dilations are told by size of object.",
            valueName: "FILE"))
    var boxes: String?

    @Option(help: "Draw on the picture made this many times as large.")
    var enlarge = 1

    @Flag(help: "Results as JSON on standard output, errors as JSON on standard error.")
    var json = false

    @Flag(help: "Print results only.")
    var quiet = false

    @OptionGroup var running: RunArguments

    func run() throws {
        try perform(isJson: json) {
            let places = try at.map(place)
            guard (1...16).contains(depth) else { throw UsageMistake("--depth is \(depth), expected 1 … 16") }
            let boxes = try boxes.map(readBoxes) ?? []
            let picture = try Picture(contentsOf: picture)
            try checkEnlargement(enlarge, of: picture)
            let view = try view(of: picture)
            let shown = layer ?? view.layers.count - 1
            guard view.layers.indices.contains(shown) else {
                throw UsageMistake(
                    "--layer is \(shown), the model has \(view.layers.count) deformable layers")
            }
            let report = report(view, boxes)
            try makeFolder(out)
            try writeFile(out + "/offsets.json", report.text + "\n")
            for index in view.layers.indices {
                try view.magnitudes(of: index, on: picture, times: enlarge).writePng(
                    "\(out)/\(index)-magnitude.png")
            }
            let middle = (y: Double(picture.height) / 2, x: Double(picture.width) / 2)
            for (index, place) in (places.isEmpty ? [middle] : places).enumerated() {
                try view.drawing(of: shown, at: place, depth: depth, on: picture, times: enlarge)
                    .writePng("\(out)/\(index)-points.png")
            }
            if json { try Console.print(report.text) } else { try list(view, boxes) }
            if !quiet { Console.note("wrote \(escaped(out))/offsets.json and pictures") }
            return true
        }
    }

    private func place(_ text: String) throws -> (y: Double, x: Double) {
        let numbers = text.split(separator: ",").compactMap { Double($0) }
        guard numbers.count == 2, numbers.allSatisfy(\.isFinite) else {
            throw UsageMistake("--at '\(escaped(text))' is not X,Y in pixels")
        }
        return (numbers[1], numbers[0])
    }

    /// Runs the model on the picture, watched.
    private func view(of picture: Picture) throws -> SamplingView {
        let form = try options.form()
        let deadline = try running.limits.deadline()
        let model = try running.limits.load(file)
        guard let input = model.inputs.first, model.inputs.count == 1 else {
            throw DCNError(
                .model, .run, "has \(model.inputs.count) inputs, expected one picture",
                at: Origin(file: file.model, path: ""))
        }
        let watcher = OffsetWatcher(model)
        guard watcher.count > 0 else {
            throw DCNError(.model, .run, "has no deformable layers", at: Origin(file: file.model, path: ""))
        }
        let (tensor, placement) = try DCNFiles.tensor(of: picture, as: input.type, form, named: input.name)
        var session = try Session(model, options: try running.options(observer: watcher))
        let _: [String: Datum] = try session.run([input.name: .tensor(tensor)], deadline: deadline)
        let layers = watcher.sampled([input.name: tensor])
        guard !layers.isEmpty else {
            throw DCNError(
                .unsupported, .run, "no layer's offsets could be read", at: Origin(file: file.model, path: "")
            )
        }
        let spatial = Array(tensor.extents.suffix(3))
        let extents = spatial[0] == 3 ? Array(spatial[1...]) : Array(spatial[..<2])
        return SamplingView(layers, extents: extents, placement: placement)
    }

    private func report(_ view: SamplingView, _ boxes: [Box]) -> Json {
        let layers = view.layers.map { layer -> Json in
            var members: [(String, Json)] = [
                ("name", .string(layer.name)), ("kernel", .array(layer.kernel.map(Json.int))),
                ("dilation", .array(layer.dilations.map(Json.int))), ("offset_groups", .int(layer.groups)),
                ("output", .array(layer.output.map(Json.int))),
                ("effective_dilation", Spread(layer.map(layer.effectiveDilation)).json),
                ("offset_length", Spread(layer.map(layer.magnitude)).json),
            ]
            if !boxes.isEmpty {
                let sizes = layer.dilations(among: boxes) { view.picturePlace($0, in: layer) }
                members.append(
                    (
                        "effective_dilation_by_object",
                        .object(
                            ObjectSize.allCases.compactMap { size in
                                sizes[size].map { (size.rawValue, $0.json) }
                            })
                    ))
            }
            return .object(members)
        }
        return .object([("picture", .string(picture)), ("layers", .array(layers))])
    }

    private func list(_ view: SamplingView, _ boxes: [Box]) throws {
        var rows = [["layer", "kernel", "output", "effective dilation", "offset length"]]
        let sizes = boxes.isEmpty ? [] : ObjectSize.allCases
        rows[0] += sizes.map(\.rawValue)
        for layer in view.layers {
            let dilation = Spread(layer.map(layer.effectiveDilation))
            let length = Spread(layer.map(layer.magnitude))
            let bySize = layer.dilations(among: boxes) { view.picturePlace($0, in: layer) }
            rows.append(
                [
                    escaped(layer.name), "\(layer.kernel[0])×\(layer.kernel[1])",
                    "\(layer.output[0])×\(layer.output[1])", printed(dilation), printed(length),
                ] + sizes.map { bySize[$0].map(printed) ?? "–" })
        }
        for line in table(rows) { try Console.print(line) }
    }

    private func printed(_ spread: Spread) -> String {
        "\(fixed(spread.mean, 2)) ± \(fixed(spread.deviation, 2))"
    }
}

/// The boxes in a file that `detect` wrote, or of the form of one entry of `truth.json`.
private func readBoxes(_ path: String) throws(DCNError) -> [Box] {
    let json = try readJson(path)
    let lists =
        json["detections"]?.elements?.map { $0["box"]?.elements } ?? json["boxes"]?.elements?.map(\.elements)
    guard let lists else { throw inputError(path, "holds neither detections nor boxes") }
    var boxes: [Box] = []
    for list in lists {
        guard let edges = list?.compactMap(\.double), edges.count == 4 else {
            throw inputError(path, "has a box that is not four numbers")
        }
        boxes.append(Box(edges[0], edges[1], edges[2], edges[3]))
    }
    return boxes
}
