"""Slow references, one loop per formula, in float64: what fixtures expect and kernels are compared with."""
