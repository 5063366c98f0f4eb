import DCN
import DCNFiles
import DCNFormats
import DCNGraph

/// The facts of a graph as an object.
func summaryJson(_ summary: GraphSummary, fileSize: Int?) -> Json {
    .object([
        ("nodes", .int(summary.nodeCount)),
        ("operators", .object(summary.operators.map { ($0.name, .int($0.count)) })),
        ("parameters", .int(summary.parameterCount)), ("constant_bytes", .int(summary.constantByteCount)),
        ("multiply_adds", summary.multiplyAdds.map(Json.int) ?? .null),
        ("planned_bytes", summary.plannedByteCount.map(Json.int) ?? .null),
        ("is_complete", .bool(summary.isComplete)), ("file_bytes", fileSize.map(Json.int) ?? .null),
    ])
}

/// How many bytes a file has; nil when it can't be had.
func fileSize(_ path: String) -> Int? {
    guard let file = try? MappedFile(path: path) else { return nil }
    return file.bytes.count
}

/// A number with spaces between groups of three digits.
func grouped(_ number: Int) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, digit.isNumber, (digits.count - index) % 3 == 0, text.last != "-" { text += " " }
        text.append(digit)
    }
    return text
}
