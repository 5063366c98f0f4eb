import DCN
import DCNCommandLine
import DCNFiles

extension Job {
    /// Prints a line for each output: name, type, shape, least, mean, greatest, count of NaN.
    func summarise(_ answer: [String: Datum]) throws {
        let tensors = ordered(answer).flatMap { entries(of: $0.datum, named: $0.name) }
        if command.json {
            var members: [(String, Json)] = [
                ("outputs", .array(tensors.map { described($0.name, $0.tensor) }))
            ]
            if command.watching.profile { members.append(("profile", watcher.jsonProfile(runs: 1))) }
            try Console.print(Json.object(members).text)
            return
        }
        let rows = tensors.map { name, tensor -> [String] in
            let statistics = Statistics(tensor)
            let first = [escaped(name), "\(tensor.type.with(layout: .rowMajor))"]
            if tensor.type.element == .string { return first + strings(tensor) }
            guard let range = statistics.range else {
                return first + ["", "", "", "nan \(statistics.nanCount)"]
            }
            return first + [
                "min \(brief(range.least))", "mean \(brief(range.mean))", "max \(brief(range.greatest))",
                "nan \(statistics.nanCount)",
            ]
        }
        for line in table(rows) { try Console.print(line) }
        for (name, datum) in ordered(answer) where entries(of: datum, named: name).isEmpty {
            try Console.print("\(escaped(name))  \(datum.type)  empty")
        }
    }

    private func strings(_ tensor: Tensor) -> [String] {
        tensor.byteStrings.prefix(3).map { "'" + escaped(String($0.text.prefix(40))) + "'" }
    }

    private func described(_ name: String, _ tensor: Tensor) -> Json {
        let statistics = Statistics(tensor)
        var members: [(String, Json)] = [
            ("name", .string(name)), ("type", .string("\(tensor.type.element)")),
            ("shape", .array(tensor.extents.map(Json.int))),
        ]
        if let range = statistics.range {
            members += [
                ("min", .number(range.least)), ("mean", .number(range.mean)),
                ("max", .number(range.greatest)),
            ]
        }
        return .object(members + [("nan", .int(statistics.nanCount))])
    }
}
