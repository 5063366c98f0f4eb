"""torchvision's networks with seeded random weights, exported to ONNX and run by several runtimes."""
