"""Networks of the deformable papers, built as ONNX graphs with seeded weights; see `tools/paper-networks.py`."""
