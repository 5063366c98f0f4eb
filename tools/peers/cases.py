"""The layer cases: ONNX files of one node, or a few that are one layer, with inputs, row-major in and out."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy
import onnx
from onnx import helper, numpy_helper

MXNET = "org.apache.mxnet"


@dataclass
class Case:
    """A model made on demand, and how many times the best rival's speed it should reach (0: none stated)."""

    name: str
    group: str
    make: object
    target: float = 0.0
    folder: Path = field(default=Path())

    @property
    def model(self) -> Path:
        return self.folder / f"{self.name}.onnx"

    def inputs(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted((self.folder / self.name).glob("*.npy"))}

    def prepare(self, folder: Path) -> None:
        """Writes the model and its inputs unless they are there."""
        self.folder = folder
        if not self.model.exists():
            place = folder / self.name
            place.mkdir(parents=True, exist_ok=True)
            model, inputs = self.make()
            for name, array in inputs.items():
                numpy.save(place / f"{name}.npy", array)
            self.model.write_bytes(model.SerializeToString())


def one_node(kind, operands, fed, attributes, domain="", outputs=("y",)):
    """A model of one node; operands named in `fed` are inputs, the others initialisers."""
    node = helper.make_node(kind, list(operands), list(outputs), name=kind, domain=domain, **attributes)
    inputs = {name: operands[name] for name in fed}
    infos = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
             for name, array in inputs.items()]
    answer = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    stored = [numpy_helper.from_array(array, name) for name, array in operands.items() if name not in fed]
    graph = helper.make_graph([node], kind, infos, [answer], stored)
    opsets = [helper.make_opsetid("", 19)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=9), inputs


def normal(seed, *shape, scale=1.0):
    return numpy.random.default_rng(seed).standard_normal(shape, numpy.float32) * numpy.float32(scale)


def smooth(seed, count, channels, height, width, reach=2.0, cell=8):
    """Fields that change slowly: a coarse random grid, interpolated; the deviation at its nodes is `reach`."""
    coarse = normal(seed, count, channels, height // cell + 2, width // cell + 2, scale=reach)

    def along(array, axis, size):
        place = numpy.arange(size, dtype=numpy.float32) / cell
        low = place.astype(int)
        part = (place - low).reshape([-1 if k == axis else 1 for k in range(4)])
        return array.take(low, axis) * (1 - part) + array.take(low + 1, axis) * part

    return numpy.ascontiguousarray(along(along(coarse, 2, height), 3, width), dtype=numpy.float32)


def deform(channels, height, width, kernel=3, dilation=1, group=1, offset_group=1, batch=1):
    """A modulated deformable convolution that keeps the size."""
    taps, pad = kernel * kernel, dilation * (kernel - 1) // 2
    mask = 1 / (1 + numpy.exp(-smooth(3, batch, offset_group * taps, height, width)))
    operands = {
        "x": normal(0, batch, channels, height, width),
        "weight": normal(1, channels, channels // group, kernel, kernel, scale=(channels // group * taps) ** -0.5),
        "offset": smooth(2, batch, 2 * offset_group * taps, height, width),
        "bias": normal(4, channels), "mask": mask.astype(numpy.float32),
    }  # fmt: skip
    return one_node("DeformConv", operands, ["x", "offset", "mask"],
                    {"kernel_shape": [kernel] * 2, "pads": [pad] * 4, "dilations": [dilation] * 2, "group": group,
                     "offset_group": offset_group})


def conv(channels, outputs, height, width, kernel=3, stride=1, dilation=1, group=1):
    """A convolution that keeps the size but for its stride."""
    pad = dilation * (kernel - 1) // 2
    fan_in = channels // group * kernel * kernel
    operands = {"x": normal(0, 1, channels, height, width),
                "weight": normal(1, outputs, channels // group, kernel, kernel, scale=fan_in**-0.5),
                "bias": normal(2, outputs)}
    return one_node("Conv", operands, ["x"], {"kernel_shape": [kernel] * 2, "pads": [pad] * 4, "group": group,
                                              "strides": [stride] * 2, "dilations": [dilation] * 2})


def stem(height, width):
    """The first layer of a residual network: convolution, ReLU and the maxima of its results."""
    model, inputs = conv(3, 64, height, width, 7, 2)
    nodes = model.graph.node
    nodes[0].output[0] = "results"
    nodes.append(helper.make_node("Relu", ["results"], ["kept"]))
    nodes.append(helper.make_node("MaxPool", ["kept"], ["y"], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4))
    return model, inputs


def regions(count, height, width, scale):
    """Regions (x1, y1, x2, y2) of all sizes inside a picture."""
    generator = numpy.random.default_rng(5)
    limit = numpy.array([width / scale - 1, height / scale - 1])
    size = numpy.exp(generator.uniform(numpy.log(24), numpy.log(limit.min()), (count, 2)))
    start = generator.uniform(0, 1, (count, 2)) * (limit - size).clip(0)
    return numpy.concatenate([start, (start + size).clip(max=limit)], 1).astype(numpy.float32)


def roi_align(channels, height, width, scale, pooled, count):
    operands = {"x": normal(0, 1, channels, height, width), "rois": regions(count, height, width, scale),
                "batch": numpy.zeros(count, numpy.int64)}
    return one_node("RoiAlign", operands, list(operands),
                    {"output_height": pooled, "output_width": pooled, "sampling_ratio": 2, "spatial_scale": scale})


def with_batch(rois):
    return numpy.pad(rois, ((0, 0), (1, 0)))


def roi_pool(channels, height, width, count, scale=1 / 16):
    operands = {"x": normal(0, 1, channels, height, width), "rois": with_batch(regions(count, height, width, scale))}
    return one_node("MaxRoiPool", operands, list(operands), {"pooled_shape": [7, 7], "spatial_scale": scale})


def ps_roi_pool(depth, count, height=38, width=63, deformable=False):
    operands = {"x": normal(0, 1, 49 * depth, height, width),
                "rois": with_batch(regions(count, height, width, 1 / 16))}
    attributes = {"spatial_scale": 1 / 16, "output_dim": depth, "pooled_size": 7, "group_size": 7}
    if not deformable:
        return one_node("PSROIPooling", operands, list(operands), attributes, MXNET)
    operands["trans"] = normal(6, count, 2, 7, 7)
    attributes |= {"part_size": 7, "sample_per_part": 4, "trans_std": 0.1, "no_trans": 0}
    return one_node("DeformablePSROIPooling", operands, list(operands), attributes, MXNET)


def layer_cases() -> list[Case]:
    """All layers of the targets."""
    deforms = {
        "res5": ((512, 38, 64), {"dilation": 2}, 1.3), "res4": ((256, 38, 64), {}, 1.4),
        "res3": ((128, 100, 168), {}, 1.45), "center64": ((64, 128, 128), {}, 2.2),
        "center256": ((256, 32, 32), {}, 1.4), "sr-og8": ((64, 180, 320), {"offset_group": 8}, 3.5),
        "sr-og16": ((64, 180, 320), {"offset_group": 16}, 4), "kernel5": ((128, 64, 80), {"kernel": 5}, 1.5),
        "kernel1": ((256, 38, 64), {"kernel": 1}, 1.3), "group32": ((256, 100, 168), {"group": 32}, 5),
        "depthwise": ((128, 100, 168), {"group": 128}, 8), "res4-batch8": ((256, 38, 64), {"batch": 8}, 1.4),
        "center64-batch8": ((64, 128, 128), {"batch": 8}, 2.2),
    }  # fmt: skip
    convs = {
        "3x3-64": (64, 64, 150, 250), "3x3-128": (128, 128, 75, 125), "3x3-256": (256, 256, 38, 63),
        "3x3-512-dilated": (512, 512, 38, 63, 3, 1, 2), "1x1-1024-256": (1024, 256, 38, 63, 1),
        "1x1-256-1024": (256, 1024, 38, 63, 1), "offsets-512-18": (512, 18, 38, 63, 3, 1, 2),
        "offsets-64-27": (64, 27, 128, 128), "stem": (3, 64, 600, 1000, 7, 2),
        "depthwise-64": (64, 64, 150, 250, 3, 1, 1, 64), "depthwise-512": (512, 512, 38, 63, 3, 1, 1, 512),
    }  # fmt: skip
    rois = {
        "align-256-300": (roi_align, (256, 200, 336, 0.25, 7, 300), 1.3),
        "align-256-1000": (roi_align, (256, 200, 336, 0.25, 7, 1000), 1.3),
        "align-1024-300": (roi_align, (1024, 38, 63, 1 / 16, 14, 300), 1.3),
        "max-256-300": (roi_pool, (256, 38, 63, 300), 1), "max-1024-300": (roi_pool, (1024, 38, 63, 300), 1),
        "ps-81-300": (ps_roi_pool, (81, 300), 3), "ps-10-1000": (ps_roi_pool, (10, 1000), 3),
        "deformable-ps-81-300": (ps_roi_pool, (81, 300, 38, 63, True), 5),
        "deformable-ps-10-1000": (ps_roi_pool, (10, 1000, 38, 63, True), 5),
    }  # fmt: skip
    answer = [Case(f"deform-{name}", "deform", lambda a=sizes, k=more: deform(*a, **k), target)
              for name, (sizes, more, target) in deforms.items()]
    answer += [Case(f"conv-{name}", "conv", lambda a=sizes: conv(*a)) for name, sizes in convs.items()]
    answer += [Case("conv-stem-pooled", "conv", lambda: stem(600, 1000), 1.2)]
    answer += [Case(f"roi-{name}", "roi", lambda f=make, a=sizes: f(*a), target)
               for name, (make, sizes, target) in rois.items()]
    return answer


NETWORK_TARGETS = {"resnet101": 1.4, "resnet101-dcn-v1-res5": 1.35, "resnet101-dcn-v2-c3-c5": 1.5,
                   "deeplabv3-r101": 1.4}


def network_case(name: str) -> Case:
    """A network of `tools/paper-networks.py --bench`, made when it is first wanted."""

    def make():
        from networks import bench
        from networks.network import Network

        size = bench.SIZES.get(name, (600, 1000))
        network = Network(name)
        bench.NETWORKS[name](network, size)
        return network.model(), {"data": smooth(0, 1, 3, *size, reach=1.5)}

    return Case(name, "network", make, NETWORK_TARGETS[name])


def detector_case() -> Case:
    """torchvision's Faster R-CNN with ResNet-50 and feature pyramid, as PyTorch's TorchScript exporter writes it."""

    def make():
        import tempfile

        from torchvision.models import detection
        from torchvision_networks import exporting, networks, seeding

        made = networks.detector("faster-rcnn-r50-fpn", detection.fasterrcnn_resnet50_fpn, min_size=600, max_size=1000)
        made = replace(made, inputs={"image": (3, 600, 1000)})
        network, inputs = seeding.build(made, 3), networks.example(made, 3)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            exporting.write_model(made, network, inputs, False, 18, path)
            return onnx.load(path), {name: value.numpy() for name, value in inputs.items()}

    return Case("faster-rcnn-r50-fpn", "network", make, 1.4)


def file_case(path: Path) -> Case:
    """A model of the user's own, with random inputs; open dimensions are 1."""

    def make():
        model = onnx.load(path)
        stored = {tensor.name for tensor in model.graph.initializer}
        inputs = {}
        for info in model.graph.input:
            if info.name not in stored:
                kind = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
                shape = [dimension.dim_value or 1 for dimension in info.type.tensor_type.shape.dim]
                inputs[info.name] = normal(0, *shape).astype(kind)
        return model, inputs

    return Case(path.stem, "file", make)
