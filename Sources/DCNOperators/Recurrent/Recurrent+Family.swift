internal import DCNGraph

extension Family {
    /// Networks that walk sequences.
    static let recurrences = Family(
        [RNN.self, GRU.self, LSTM.self],
        [
            "": [
                "RNN": { (node) throws(Misfit) in Meaning(try RNN(onnx: node)) },
                "GRU": { (node) throws(Misfit) in Meaning(try GRU(onnx: node)) },
                "LSTM": { (node) throws(Misfit) in Meaning(try LSTM(onnx: node)) },
            ]
        ])
}
