"""The parts of `tools/compare-peers`: cases, rivals, and measuring them in turn."""
