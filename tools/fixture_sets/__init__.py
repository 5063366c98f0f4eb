"""What `tools/generate-fixtures.py` writes: one module per family of fixtures."""
