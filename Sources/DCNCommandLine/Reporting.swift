internal import ArgumentParser
package import DCN
package import DCNFiles

/// A mistake in how a command was called: exit code 64.
package struct UsageMistake: Error, Sendable {
    /// What is wrong, in a sentence.
    package let reason: String
    /// A mistake told in a sentence.
    package init(_ reason: String) { self.reason = reason }
}

/// Does the work of a command and ends as scripts expect: 1 when `work` says false, and for errors one line each on
/// standard error (an object with `isJson`) and the code of their kind.
package func perform(isJson: Bool, _ work: () throws -> Bool) throws {
    do {
        if try !work() { throw ExitCode(1) }
    } catch let error as DCNError {
        Console.note(isJson ? json(error).text : error.description)
        throw ExitCode(error.kind.rawValue)
    } catch let mistake as UsageMistake {
        let facts: [(String, Json)] = [
            ("kind", .string("usage")), ("code", .int(64)), ("message", .string(mistake.reason)),
        ]
        Console.note(isJson ? Json.object(facts).text : mistake.reason)
        throw ExitCode(64)
    }
}

/// The facts of an error as an object.
package func json(_ error: DCNError) -> Json {
    var members: [(String, Json)] = [
        ("kind", .string("\(error.kind)")), ("code", .int(Int(error.kind.rawValue))),
        ("stage", .string(error.stage.rawValue)),
    ]
    if let origin = error.origin {
        members.append(("file", .string(origin.file)))
        if !origin.path.isEmpty { members.append(("path", .string(origin.path))) }
        if !origin.node.isEmpty { members.append(("node", .string(origin.node))) }
        if !origin.written.isEmpty { members.append(("operator", .string(origin.written))) }
    }
    switch error.reason {
    case .message(let text): members.append(("reason", .string(text)))
    case .misfit(let misfit): members.append(("reason", .string("\(misfit)")))
    case .unsupported(let operators):
        members.append(
            (
                "unsupported",
                .array(
                    operators.map {
                        .object([
                            ("operator", .string($0.written)), ("count", .int($0.count)),
                            ("nodes", .array($0.firstNodes.map(Json.string))), ("hint", .string($0.hint)),
                        ])
                    })
            ))
    }
    members.append(("message", .string(error.description)))
    return .object(members)
}
