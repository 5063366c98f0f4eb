"""Every spelling of deformable convolution, and DCNv3 and DCNv4."""

from references.deform import deform_aggregate, deform_conv, offset_mask_width, split_offset_mask

from .build import eighths, numpy, single


class Case:
    """Operands of one deformable convolution. Offsets reach past every border; all values are exact."""

    def __init__(self, seed, *, group=1, offset_group=1, strides=(1, 1), pads=(1, 1, 1, 1), dilations=(1, 1),
                 kernel=(3, 3), channels=4, outputs=4, size=(5, 6), batch=1, mask=True, bias=True):
        self.group, self.offset_group = group, offset_group
        self.strides, self.pads, self.dilations, self.kernel = strides, pads, dilations, kernel
        taps = kernel[0] * kernel[1]
        out = [(size[a] + pads[a] + pads[a + 2] - dilations[a] * (kernel[a] - 1) - 1) // strides[a] + 1
               for a in (0, 1)]
        self.x = eighths(seed, batch, channels, *size)
        self.weight = eighths(seed + 1, outputs, channels // group, *kernel, low=-1, high=1)
        self.offset = eighths(seed + 2, batch, offset_group * taps * 2, *out, low=-3, high=3)
        self.mask = eighths(seed + 3, batch, offset_group * taps, *out, low=0, high=1) if mask else None
        self.bias = eighths(seed + 4, outputs) if bias else None

    def answer(self, border="zero"):
        return deform_conv(self.x, self.weight, self.offset, self.bias, self.mask, strides=self.strides,
                           pads=self.pads, dilations=self.dilations, group=self.group,
                           offset_group=self.offset_group, border=border)

    def fixture(self, name, spelling, order, attributes, answer=None, **extra):
        """`order` names the operands in file order; trailing ones that are missing are left out."""
        operands = {key: getattr(self, key) for key in order.split()}
        while list(operands.values())[-1] is None:
            operands.popitem()
        results = {"y": self.answer() if answer is None else answer}
        return single(name, spelling, operands, results, attributes, fed=["x", "offset", "mask"], **extra)


MIXED = {"group": 2, "offset_group": 2, "strides": (2, 1), "dilations": (1, 2)}


def onnx_attributes(case, **more):
    return {"strides": case.strides, "pads": case.pads, "dilations": case.dilations, "group": case.group,
            "offset_group": case.offset_group} | more


def standard():
    """ONNX 19 and 22, as the standard and the exporters of PyTorch and Paddle write them."""
    order = "x weight offset bias mask"
    full = Case(10, **MIXED, pads=(1, 0, 2, 3), batch=2)
    for version in (19, 22):
        yield full.fixture(f"onnx-{version}", "DeformConv", order, onnx_attributes(full, kernel_shape=(3, 3)),
                           imports={"": version})
    plain = Case(20, mask=False, bias=False, pads=(0, 0, 0, 0))
    yield plain.fixture("onnx-19-defaults", "DeformConv", order, {})
    masked = Case(30, bias=False)
    yield masked.fixture("onnx-19-mask-without-bias", "DeformConv", order, {"pads": masked.pads})
    dynamo = Case(40, offset_group=2, mask=False)
    yield dynamo.fixture("onnx-20-torch-export", "DeformConv", order, onnx_attributes(dynamo), imports={"": 20})
    # Paddle's exporter never writes offset_group, and one release wrote a bias of ones.
    paddle = Case(50, offset_group=2)
    paddle.bias = numpy.ones(4, numpy.float32)
    attributes = onnx_attributes(paddle)
    del attributes["offset_group"]
    yield paddle.fixture("onnx-19-paddle", "DeformConv", order, attributes)


def torchvision():
    """The 14 inputs of torchvision's operator; without a mask a dummy of zeros must not be multiplied."""
    for number, (domain, kind) in enumerate((("torchvision", "deform_conv2d"), ("ai.onnx.contrib", "DeformConv"))):
        for use_mask in (True, False):
            case = Case(100 + 20 * number + use_mask, **MIXED, pads=(1, 2, 1, 2), mask=use_mask)
            numbers = [*case.strides, *case.pads[:2], *case.dilations, case.group, case.offset_group]
            operands = {key: getattr(case, key) for key in "x weight offset mask bias".split()}
            if not use_mask:
                operands["mask"] = numpy.zeros((1, 1), numpy.float32)
            names = "stride_h stride_w pad_h pad_w dilation_h dilation_w groups offset_groups".split()
            operands |= {key: numpy.array(value, numpy.int64) for key, value in zip(names, numbers, strict=True)}
            operands["use_mask"] = numpy.array(use_mask)
            name = f"{domain.replace('.', '-')}-{'mask' if use_mask else 'no-mask'}"
            fed = ["x", "offset", "mask"] if use_mask else ["x", "offset"]
            yield single(name, f"{domain}::{kind}", operands, {"y": case.answer()}, fed=fed)


def mmcv_attributes(case, **more):
    return {"stride": case.strides, "padding": case.pads[:2], "dilation": case.dilations, "groups": case.group,
            "deform_groups": case.offset_group} | more


def mmcv():
    """mmcv and mmdeploy, both versions of the operator."""
    version1, version2 = "x offset weight", "x offset mask weight bias"
    first = Case(200, **MIXED, pads=(1, 2, 1, 2), mask=False, bias=False)
    yield first.fixture("mmcv-v1", "mmcv::MMCVDeformConv2d", version1,
                        mmcv_attributes(first, bias=0, im2col_step=32))
    scalar = Case(210, strides=(2, 2), mask=False, bias=False)
    yield scalar.fixture("mmcv-v1-scalars", "mmcv::MMCVDeformConv2d", version1,
                         {"stride": 2, "padding": 1, "dilation": 1, "groups": 1, "deform_groups": 1, "bias": 0,
                          "im2col_step": 32})
    square = Case(220, pads=(2, 1, 2, 1), mask=False, bias=False)
    yield square.fixture("mmdeploy-v1", "mmdeploy::MMCVDeformConv2d", version1,
                         mmcv_attributes(square, padding=(2, 2, 1, 1)))
    second = Case(230, **MIXED, pads=(1, 2, 1, 2))
    for domain in ("mmcv", "mmdeploy"):
        yield second.fixture(f"{domain}-v2", f"{domain}::MMCVModulatedDeformConv2d", version2,
                             mmcv_attributes(second))
    bare = Case(240, bias=False)
    yield bare.fixture("mmcv-v2-without-bias", "mmcv::MMCVModulatedDeformConv2d", version2, mmcv_attributes(bare))
    yield bare.fixture("mmcv-v2-without-import", "mmcv::MMCVModulatedDeformConv2d", version2,
                       mmcv_attributes(bare), imports={"": 11})
    documented = mmcv_attributes(second)
    documented["deformable_groups"] = documented.pop("deform_groups")
    yield second.fixture("mmcv-v2-deformable-groups", "mmcv::MMCVModulatedDeformConv2d", version2, documented)


def recipes():
    """Names that export recipes gave the operator, with the attributes of each."""
    order = "x offset mask weight bias"
    case = Case(300, offset_group=2, strides=(2, 2), dilations=(2, 2), pads=(2, 2, 2, 2), size=(6, 7))
    scalars = {"stride": 2, "padding": 2, "dilation": 2, "groups": 1, "deformable_group": 2}
    yield case.fixture("centernet-dcnv2", "DCNv2", order, scalars, imports={"": 9})
    for kind in ("_DCNv2", "DCNv2_2", "ModulatedDeformConv2d", "DCN", "modulated_deform_conv"):
        yield case.fixture(f"recipe-{kind.strip('_').lower()}", kind, order, scalars, imports={"": 11})
    texts = {f"{key}_{axis}": "2" for key in ("dilation", "padding", "stride") for axis in "hw"}
    yield case.fixture("yolact-dcnv2", "yolact::DCNv2", order, texts | {"deformable_groups": "2", "name": "DCNv2"})
    yield case.fixture("dcn-dcnv2", "dcn::DCNv2", order,
                       {"stride": (2, 2), "padding": (2, 2), "dilation": (2, 2), "kernel": (3, 3),
                        "deformable_groups": 2})
    first = Case(320, mask=False, bias=False)
    for kind in ("DeformConv2d", "DeformableConv2d", "deform_conv2d"):
        yield first.fixture(f"recipe-{kind.replace('_', '-').lower()}", kind, "x offset weight",
                            mmcv_attributes(first), imports={"": 11})


def openvino():
    """mmdeploy's spelling for OpenVINO: trained with the zero-corner border, which is how it is read."""
    case = Case(340, pads=(1, 1, 1, 1), offset_group=2, mask=False, bias=False)
    common = {"strides": case.strides, "pads": case.pads, "dilations": case.dilations,
              "deformable_groups": case.offset_group, "kernel_shape": (3, 3)}
    yield case.fixture("openvino", "org.openvinotoolkit::DeformableConv2D", "x offset weight",
                       common | {"groups": 1})
    masked = Case(350, group=2, offset_group=2, bias=False)
    yield masked.fixture("openvino-mask", "org.openvinotoolkit::DeformableConv2D", "x offset weight mask",
                         common | {"group": 2})


def aggregates():
    """DCNv3 (with its own exporter's name) and DCNv4."""
    group, share = 2, 2
    geometry = {"kernel_h": 3, "kernel_w": 3, "stride_h": 1, "stride_w": 2, "pad_h": 1, "pad_w": 1,
                "dilation_h": 1, "dilation_w": 2, "group": group, "group_channels": share}
    settings = {"kernel": (3, 3), "strides": (1, 2), "pads": (1, 1), "dilations": (1, 2), "group": group}
    x = eighths(400, 1, 5, 7, group * share)
    out = (5, 3)
    for spelling, scale, removed, written in (
        ("mmdeploy::TRTDCNv3", 1.0, False, {}),
        ("mmdeploy::TRTDCNv3", 2.0, False, {"remove_center": 0}),
        ("mmdeploy::TRTDCNv3", 1.0, True, {"remove_center": 1}),
        ("mmdeploy::TRTDCNv3", 2.0, True, {}),
        ("DCNv3", 0.5, False, {"remove_center": 0}),
    ):
        taps = 9 - removed
        operands = {"x": x, "offset": eighths(401, 1, *out, group * taps * 2),
                    "mask": eighths(402, 1, *out, group * taps, low=0, high=1)}
        answer = deform_aggregate(*operands.values(), **settings, offset_scale=scale, remove_center=removed)
        attributes = geometry | {"offset_scale": scale, "im2col_step": 256} | written
        kind = "without-center" if removed else f"scale-{scale:g}".replace(".", "-")
        absent = "" if written else "-unsaid"
        yield single(f"{spelling.split('::')[-1].lower()}-{kind}{absent}", spelling, operands, {"y": answer},
                     attributes, fed=list(operands))
    for removed in (False, True):
        taps = 9 - removed
        both = eighths(410, 1, *out, offset_mask_width(group, taps))
        answer = deform_aggregate(x, *split_offset_mask(both, group, taps), **settings, remove_center=removed)
        yield single(f"dcnv4{'-without-center' if removed else ''}", "DCNv4", {"x": x, "offset_mask": both},
                     {"y": answer}, geometry | {"offset_scale": 1.0, "im2col_step": 256,
                                                "remove_center": int(removed)}, fed=["x", "offset_mask"])


def fixtures():
    for family in (standard, torchvision, mmcv, recipes, openvino, aggregates):
        yield from family()
