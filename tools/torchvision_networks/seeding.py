"""Random weights that behave like trained ones: common activations, no dead branch, distinct scores.

torchvision leaves some networks mute until they are trained: last layers of zeros, residual branches scaled
by 1e-6, statistics of batch normalisation that fit nothing. Then wrong kernels would go unseen.
"""

import re

import torch
import torch.nn as nn
from torchvision.models.regnet import ResBottleneckBlock
from torchvision.models.resnet import BasicBlock, Bottleneck

from .networks import Case, example

NORMS = (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)


def build(case: Case, seed: int) -> nn.Module:
    """The case's network, seeded, enlivened and ready to be asked."""
    torch.manual_seed(seed)
    network = case.build().eval()
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            enliven(module, random)
        fit_statistics(network, case, seed)
        fit_heads(network, case, seed)
    return network


def enliven(module: nn.Module, random: torch.Generator) -> None:
    """Gives a layer's constant parameters seeded values of the size training would give them."""
    last = last_norm(module)
    if last is not None:
        last.weight.uniform_(0.1, 0.4, generator=random)
    for name, parameter in module.named_parameters(recurse=False):
        if parameter.numel() < 2 or parameter.min() != parameter.max():
            continue
        if isinstance(module, NORMS) and name == "weight":
            parameter.uniform_(0.5, 1, generator=random)
        elif name == "layer_scale":
            parameter.uniform_(0.1, 0.3, generator=random)
        elif name == "weight":
            parameter.normal_(0, parameter[0].numel() ** -0.5, generator=random)
        else:
            parameter.normal_(0, 0.1, generator=random)


def last_norm(module: nn.Module) -> nn.Module | None:
    """The normalisation that ends a residual branch.

    Full-sized branches amplify rounding from block to block; trained ones are small.
    """
    if isinstance(module, Bottleneck):
        return module.bn3
    if isinstance(module, BasicBlock):
        return module.bn2
    return module.f.c[1] if isinstance(module, ResBottleneckBlock) else None


def fit_statistics(network: nn.Module, case: Case, seed: int) -> None:
    """Sets each batch normalisation's mean and variance to those that its own inputs have."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    hooks = [layer.register_forward_pre_hook(take_statistics) for layer in layers]
    network(*example(case, seed).values())
    for hook in hooks:
        hook.remove()


def take_statistics(layer: nn.BatchNorm2d, inputs: tuple) -> None:
    """Before a layer runs: its statistics become those of what it is about to get.

    The least variance follows from the size of all channels: nearly dead ones must not amplify rounding, and
    a map of a single cell has no variance at all.
    """
    x = inputs[0]
    variance = x.var((0, 2, 3), correction=0)
    least = torch.maximum(0.25 * variance.mean(), 0.1 * x.square().mean()) + 1e-4
    layer.running_mean.copy_(x.mean((0, 2, 3)))
    layer.running_var.copy_(variance.clamp(min=least))


def fit_heads(network: nn.Module, case: Case, seed: int) -> None:
    """Scales the layers that the case calls heads: scores vary by 1.5 around zero, boxes by 0.3."""
    heads = {
        module: 0.3 if re.search("bbox_(pred|reg)|regression", name) else 1.5
        for name, module in network.named_modules()
        if re.search(case.heads, name) and isinstance(module, (nn.Conv2d, nn.Linear))
    }
    answers = {head: [] for head in heads}

    def collect(head: nn.Module, _: tuple, answer: torch.Tensor) -> None:
        answers[head].append(answer.flatten())

    hooks = [head.register_forward_hook(collect) for head in heads]
    network(*example(case, seed).values())
    for hook in hooks:
        hook.remove()
    for head, deviation in heads.items():
        scale_to(deviation, head, torch.cat(answers[head]))


def scale_to(deviation: float, layer: nn.Module, answers: torch.Tensor) -> None:
    """Makes a layer that answered `answers` (feature pyramids ask it several times) vary by `deviation`."""
    factor = deviation / (answers.std() + 1e-6)
    layer.weight.mul_(factor)
    if layer.bias is not None:
        layer.bias.copy_((layer.bias - answers.mean()) * factor)
