"""Which networks there are: how each is built, what it takes, and what its exported outputs are called."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn as nn
from torchvision import models
from torchvision.models import detection, optical_flow, segmentation

NO_WEIGHTS = {"weights": None, "weights_backbone": None}


@dataclass(frozen=True)
class Case:
    """A network to build and how to ask it. `heads` matches the modules whose outputs are made to vary."""

    name: str
    kind: str
    build: Callable[[], nn.Module]
    inputs: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    heads: str = "$^"


class FirstOutput(nn.Module):
    """A segmentation network that answers its main map only."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image)["out"]


class OnePicture(nn.Module):
    """A detector that takes one picture (3 x H x W) and answers its tensors by name."""

    def __init__(self, network: nn.Module, outputs: tuple[str, ...]):
        super().__init__()
        self.network, self.outputs = network, outputs

    def forward(self, image):
        found = self.network([image])
        found = found[1] if isinstance(found, tuple) else found
        return tuple(found[0][name] for name in self.outputs)


class LastFlow(nn.Module):
    """Optical flow after two refinements."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, first, second):
        return self.network(first, second, num_flow_updates=2)[-1]


def classifier(name: str, build: Callable, side: int = 64, batch: int = 2) -> Case:
    last = r"^(fc|head|heads\.head|classifier\.\d)$"
    return Case(name, "classification", build, {"image": (batch, 3, side, side)}, ("scores",), last)


def segmenter(name: str, build: Callable) -> Case:
    return Case(
        name,
        "segmentation",
        lambda: FirstOutput(build(**NO_WEIGHTS, num_classes=5, aux_loss=None)),
        {"image": (1, 3, 64, 96)},
        ("out",),
    )


BOXES = ("boxes", "labels", "scores")
HEADS = r"(cls_logits|bbox_pred|cls_score|bbox_reg|bbox_ctrness|(classification|regression)_head.*\.\d\.1)$"


def detector(name: str, build: Callable, more: tuple[str, ...] = (), **options) -> Case:
    outputs = BOXES + more
    return Case(
        name,
        "detection",
        lambda: OnePicture(build(**NO_WEIGHTS, num_classes=4, **options), outputs),
        {"image": (3, 90, 120)},
        outputs,
        HEADS,
    )


def small_vit() -> nn.Module:
    return models.VisionTransformer(
        image_size=64, patch_size=16, num_layers=4, num_heads=4, hidden_dim=128, mlp_dim=256
    )


def small_maxvit() -> nn.Module:
    return models.MaxVit(
        input_size=(64, 64),
        stem_channels=32,
        partition_size=4,
        block_channels=[32, 64],
        block_layers=[1, 2],
        head_dim=16,
        stochastic_depth_prob=0.0,
    )


SIZES = {"min_size": 96, "max_size": 160}
RCNN = SIZES | {
    "box_score_thresh": 0.3,
    "box_detections_per_img": 20,
    "rpn_pre_nms_top_n_test": 100,
    "rpn_post_nms_top_n_test": 50,
}
DENSE = {"score_thresh": 0.6, "detections_per_img": 20, "topk_candidates": 100}

CASES = (
    classifier("resnet18", models.resnet18),
    classifier("resnet50", models.resnet50),
    classifier("mobilenet_v3_small", models.mobilenet_v3_small),
    classifier("mobilenet_v3_large", models.mobilenet_v3_large),
    classifier("efficientnet_b0", models.efficientnet_b0),
    classifier("convnext_tiny", models.convnext_tiny),
    classifier("swin_t", models.swin_t),
    classifier("swin_v2_t", models.swin_v2_t),
    classifier("vit", small_vit),
    classifier("maxvit", small_maxvit),
    classifier("regnet_y_400mf", models.regnet_y_400mf),
    detector("fasterrcnn_resnet50_fpn", detection.fasterrcnn_resnet50_fpn, **RCNN),
    detector("maskrcnn_resnet50_fpn", detection.maskrcnn_resnet50_fpn, ("masks",), **RCNN),
    detector(
        "keypointrcnn_resnet50_fpn",
        detection.keypointrcnn_resnet50_fpn,
        ("keypoints", "keypoints_scores"),
        num_keypoints=5,
        **RCNN,
    ),
    detector("retinanet_resnet50_fpn", detection.retinanet_resnet50_fpn, **SIZES, **DENSE),
    detector("fcos_resnet50_fpn", detection.fcos_resnet50_fpn, **SIZES, **DENSE),
    detector("ssdlite320_mobilenet_v3_large", detection.ssdlite320_mobilenet_v3_large, **DENSE),
    segmenter("deeplabv3_mobilenet_v3_large", segmentation.deeplabv3_mobilenet_v3_large),
    segmenter("deeplabv3_resnet50", segmentation.deeplabv3_resnet50),
    segmenter("lraspp_mobilenet_v3_large", segmentation.lraspp_mobilenet_v3_large),
    segmenter("fcn_resnet50", segmentation.fcn_resnet50),
    Case(
        "raft_small",
        "optical flow",
        lambda: LastFlow(optical_flow.raft_small(weights=None)),
        {"first": (1, 3, 128, 136), "second": (1, 3, 128, 136)},
        ("flow",),
    ),
    Case(
        "raft_large",
        "optical flow",
        lambda: LastFlow(optical_flow.raft_large(weights=None)),
        {"first": (1, 3, 128, 136), "second": (1, 3, 128, 136)},
        ("flow",),
    ),
)


def example(case: Case, seed: int) -> dict[str, torch.Tensor]:
    """Seeded smooth noise in 0...1 for each input."""
    random = torch.Generator().manual_seed(seed)
    made = {}
    for name, shape in case.inputs.items():
        coarse = torch.rand(1, shape[-3] * max(1, len(shape) == 4 and shape[0]), 9, 9, generator=random)
        smooth = nn.functional.interpolate(coarse, shape[-2:], mode="bilinear", align_corners=True)
        noisy = smooth.reshape(shape) + 0.1 * torch.randn(shape, generator=random)
        made[name] = noisy.clamp(0, 1)
    return made
