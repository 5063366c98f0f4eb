"""Calls of com.microsoft's operators that exported vision models hold: each attribute of each of them in some call.

Real operands stand for every real type of onnxruntime's definition, bytes for both quantised types.
"""

from dataclasses import dataclass, field

import numpy as np

RANDOM = np.random.default_rng(5)


@dataclass
class Call:
    """An operator with operands (None: left out), attributes, and how many outputs are asked for."""

    name: str
    operands: list
    attributes: dict = field(default_factory=dict)
    outputs: int = 1


def real(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def byte(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 255, shape).astype(np.uint8)


def number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


def zero(value: int) -> np.ndarray:
    return np.array(value, np.uint8)


X, W, B = real(2, 4, 6, 7), real(6, 4, 3, 3), real(6)
GRID = RANDOM.uniform(-1.2, 1.2, (2, 5, 6, 2)).astype(np.float32)
PLANES = real(2, 6, 7, 4)
ROWS, SKIP = real(2, 3, 8), real(2, 3, 8)
Q, SCALE, ZERO = byte(2, 3, 4, 5), number(0.05), zero(128)
PAIR = [Q, SCALE, ZERO, byte(2, 3, 4, 5), number(0.07), zero(120), number(0.1), zero(127)]
MAPPED = [Q, SCALE, ZERO, number(1 / 256), zero(0)]
POOLED = [Q, SCALE, ZERO, number(0.02), zero(110)]
SAME = {"pads": [1, 1, 1, 1]}

CONVOLUTIONS = [
    Call("FusedConv", [X, W, B], {"activation": "Relu", **SAME}),
    Call("FusedConv", [X, W], {"activation": "Tanh", "kernel_shape": [3, 3]}),
    Call("FusedConv", [X, W, B], {"activation": "Sigmoid", "dilations": [2, 1]}),
    Call("FusedConv", [X, W, B], {"activation": "LeakyRelu", "activation_params": [0.1], "strides": [2, 2]}),
    Call("FusedConv", [X, W, B], {"activation": "HardSigmoid", "activation_params": [0.2, 0.5]}),
    Call("FusedConv", [X, W, B], {"activation": "Clip", "activation_params": [-0.5, 0.5]}),
    Call("FusedConv", [X, real(6, 2, 3, 3), B], {"activation": "Relu", "group": 2, "auto_pad": "SAME_UPPER"}),
    Call("FusedConv", [X, W, B], {"auto_pad": "SAME_LOWER", "strides": [2, 3]}),
    Call("FusedConv", [X, W, B, real(2, 6, 6, 7)], {"activation": "Relu", **SAME}),
    Call("FusedConv", [X, W, None, real(2, 6, 6, 7)], SAME),
    Call("FusedConv", [real(2, 4, 9), real(6, 4, 3), B], {"activation": "Relu"}),
    Call("FusedConv", [real(1, 2, 4, 5, 6), real(6, 2, 2, 2, 2), B], {"activation": "Relu"}),
    Call("NhwcConv", [PLANES, real(5, 3, 3, 4), real(5)], SAME),
    Call("NhwcConv", [PLANES, real(6, 3, 3, 2)], {"group": 2, "strides": [2, 2], "kernel_shape": [3, 3]}),
    Call("NhwcConv", [PLANES, real(5, 3, 3, 4), real(5)], {"dilations": [2, 2], "auto_pad": "SAME_UPPER"}),
]

PRODUCTS = [
    Call("FusedMatMul", [real(2, 3, 4), real(2, 4, 5)], {"alpha": 0.5}),
    Call("FusedMatMul", [real(2, 4, 3), real(2, 5, 4)], {"transA": 1, "transB": 1}),
    Call("FusedMatMul", [real(3, 2, 4), real(2, 4, 5)], {"transBatchA": 1, "alpha": 2.0}),
    Call("FusedMatMul", [real(2, 3, 4), real(4, 2, 5)], {"transBatchB": 1}),
    Call("FusedMatMul", [real(2, 7, 3, 4), real(2, 7, 5, 4)], {"transB": 1}),
    Call("FusedMatMul", [real(4), real(4, 5)], {"alpha": 3.0}),
    Call("FusedGemm", [real(3, 4), real(4, 5), real(5)], {"alpha": 0.5, "beta": 2.0, "activation": "Relu"}),
    Call("FusedGemm", [real(3, 4), real(4, 5)], {"activation": "Tanh"}),
    Call("FusedGemm", [real(3, 4), real(4, 5), real(3, 1)], {"activation": "Sigmoid"}),
    Call("FusedGemm", [real(4, 3), real(5, 4), real(3, 5)],
         {"transA": 1, "transB": 1, "activation": "LeakyRelu", "activation_alpha": 0.2}),
    Call("FusedGemm", [real(3, 4), real(4, 5), real(1)],
         {"activation": "HardSigmoid", "activation_alpha": 0.3, "activation_beta": 0.4}),
    Call("FusedGemm", [real(3, 4), real(4, 5)], {"activation": "Elu", "activation_alpha": 0.7}),
    Call("FusedGemm", [real(3, 4), real(4, 5)],
         {"activation": "Selu", "activation_alpha": 1.6, "activation_gamma": 1.1}),
    Call("FusedGemm", [real(3, 4), real(4, 5)], {"activation": "Softplus"}),
    Call("FusedGemm", [real(3, 4), real(4, 5)], {"activation": "Softsign"}),
    Call("FusedGemm", [real(3, 4), real(4, 5)], {"activation": "ThresholdedRelu", "activation_alpha": 0.5}),
]  # fmt: skip

MAPS = [
    Call("Gelu", [ROWS]),
    Call("FastGelu", [ROWS]),
    Call("FastGelu", [ROWS, real(8)]),
    Call("QuickGelu", [ROWS]),
    Call("QuickGelu", [ROWS], {"alpha": 1.2}),
    Call("BiasGelu", [ROWS, real(8)]),
    Call("LayerNormalization", [ROWS, real(8), real(8)], {"axis": -1, "epsilon": 1e-3, "stash_type": 1}),
    Call("LayerNormalization", [ROWS, real(3, 8)], {"axis": 1}, outputs=3),
    Call("SimplifiedLayerNormalization", [ROWS, real(8)], {"axis": -1, "epsilon": 1e-3, "stash_type": 1}),
    Call("SkipLayerNormalization", [ROWS, SKIP, real(8), real(8), real(8)], {"epsilon": 1e-3}),
    Call("SkipLayerNormalization", [ROWS, SKIP, real(8)]),
    Call("SkipLayerNormalization", [ROWS, SKIP, real(8), None, real(8)], outputs=4),
    Call("SkipLayerNormalization", [ROWS, real(1, 3, 8), real(8), real(8)]),
    Call("SkipLayerNormalization", [ROWS, real(3, 8), real(8), real(8)]),
    Call("SkipSimplifiedLayerNormalization", [ROWS, SKIP, real(8), real(8)], {"epsilon": 1e-3}, outputs=4),
    Call("Inverse", [real(2, 3, 3) + 3 * np.eye(3, dtype=np.float32)]),
    Call("GridSample", [X, GRID]),
    Call("GridSample", [X, GRID], {"mode": "bicubic", "padding_mode": "border", "align_corners": 1}),
    Call("GridSample", [X, GRID], {"mode": "nearest", "padding_mode": "reflection"}),
    Call("GridSample", [X, GRID], {"mode": "bilinear", "padding_mode": "reflection", "align_corners": 1}),
]

QUANTISED = [
    Call("NhwcMaxPool", [byte(1, 7, 8, 3)],
         {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    Call("NhwcMaxPool", [byte(1, 7, 8, 3)], {"kernel_shape": [2, 2], "dilations": [2, 2], "ceil_mode": 1}),
    Call("NhwcMaxPool", [byte(2, 7, 8, 3)], {"kernel_shape": [3, 2], "auto_pad": "SAME_LOWER"}),
    Call("NhwcMaxPool", [byte(2, 9, 3)], {"kernel_shape": [3]}),
    Call("QLinearAdd", PAIR),
    Call("QLinearAdd", [Q, SCALE, None, byte(5), number(0.07), None, number(0.1), None]),
    Call("QLinearAdd", [byte(3, 1, 1), SCALE, ZERO, *PAIR[3:]]),
    Call("QLinearMul", PAIR),
    Call("QLinearMul", [Q, SCALE, None, byte(1), number(0.07), zero(3), number(0.1), None]),
    Call("QLinearConcat", [number(0.1), zero(127), Q, SCALE, ZERO, PAIR[3], number(0.07), zero(120)],
         {"axis": 1}),
    Call("QLinearConcat", [number(0.1), zero(127), Q, SCALE, ZERO, byte(2, 3, 4, 2), number(0.07), zero(120)],
         {"axis": -1}),
    Call("QLinearSigmoid", MAPPED),
    Call("QLinearSigmoid", [Q, SCALE, None, number(1 / 256), None]),
    Call("QLinearLeakyRelu", [Q, SCALE, ZERO, number(0.06), zero(100)], {"alpha": 0.2}),
    Call("QLinearLeakyRelu", [Q, SCALE, None, number(0.06), None]),
    Call("QLinearGlobalAveragePool", POOLED),
    Call("QLinearGlobalAveragePool", POOLED, {"channels_last": 1}),
]  # fmt: skip

CALLS = CONVOLUTIONS + PRODUCTS + MAPS + QUANTISED
