"""The parts of `tools/conformance`: generating the cases of the onnx package, and running them."""
