"""Runs one model in one other runtime and prints what it took as a line of JSON; a process of its own each time.

    python -m peers.rivals RUNTIME MODEL.onnx INPUTS THREADS WARMUP REPEAT
"""

import json
import sys
import time
from pathlib import Path

import numpy


class Unsupported(Exception):
    """The runtime has no way to run this model."""


def attributes_of(node) -> dict:
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def only_node(model: Path):
    """The node of a one-node model, its attributes and its initialisers."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(model).graph
    if len(graph.node) != 1:
        raise Unsupported("only single layers")
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    return graph.node[0], attributes_of(graph.node[0]), constants


def onnxruntime(model: Path, inputs: dict, threads: int):
    import onnxruntime as runtime

    settings = runtime.SessionOptions()
    settings.intra_op_num_threads, settings.log_severity_level = threads, 4
    try:
        session = runtime.InferenceSession(str(model), settings, ["CPUExecutionProvider"])
    except Exception as error:
        raise Unsupported(str(error).splitlines()[0]) from error
    return lambda: session.run(None, inputs)[0]


def openvino(model: Path, inputs: dict, threads: int):
    """The layers that openvino's reader refuses are given to it as its own operators."""
    import openvino as runtime
    from openvino import opset8
    from openvino.frontend.onnx import ConversionExtension

    def operand(node, k):
        value = node.get_input(k) if k < node.get_input_size() else None
        return None if value is None or value.get_node().get_type_name() == "NullNode" else value

    def deform(node):
        x, weight, offset, bias, mask = (operand(node, k) for k in range(5))
        pads, group = list(node.get_attribute("pads")), node.get_attribute("group", 1)
        made = [list(node.get_attribute("strides", [1, 1])), pads[:2], pads[2:],
                list(node.get_attribute("dilations", [1, 1]))]
        answer = opset8.deformable_convolution(x, offset, weight, *made, mask, "EXPLICIT", group,
                                               node.get_attribute("offset_group", 1), True)
        if bias is not None:
            shape = opset8.constant(numpy.array([1, -1, 1, 1]))
            answer = opset8.add(answer, opset8.reshape(bias, shape, False))
        return answer.outputs()

    def ps_pool(node):
        made = opset8.psroi_pooling(node.get_input(0), node.get_input(1), node.get_attribute("output_dim"),
                                    node.get_attribute("group_size"), node.get_attribute("spatial_scale"), 1, 1,
                                    "average")
        return made.outputs()

    def deform_ps_pool(node):
        samples, trans = node.get_attribute("sample_per_part"), operand(node, 2)
        made = opset8.deformable_psroi_pooling(
            node.get_input(0), node.get_input(1), node.get_attribute("output_dim"),
            node.get_attribute("spatial_scale"), node.get_attribute("group_size"), "bilinear_deformable", samples,
            samples, node.get_attribute("trans_std"), node.get_attribute("part_size"), *([trans] if trans else []))
        return made.outputs()

    core = runtime.Core()
    core.add_extension(ConversionExtension("DeformConv", deform))
    core.add_extension(ConversionExtension("PSROIPooling", "org.apache.mxnet", ps_pool))
    core.add_extension(ConversionExtension("DeformablePSROIPooling", "org.apache.mxnet", deform_ps_pool))
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
    try:
        request = core.compile_model(core.read_model(model), "CPU", settings).create_infer_request()
    except Exception as error:
        raise Unsupported(" ".join(str(error).split())[-200:]) from error

    def run():
        request.infer(inputs)
        return request.get_output_tensor(0).data

    return run


def torchvision(model: Path, inputs: dict, threads: int):
    import torch
    import torchvision.ops as ops

    node, attributes, constants = only_node(model)
    torch.set_num_threads(threads)
    value = {name: torch.from_numpy(array.copy()) for name, array in (inputs | constants).items()}
    x = value["x"]
    common = {"spatial_scale": attributes.get("spatial_scale")}
    if node.op_type in ("Conv", "DeformConv"):
        geometry = [attributes.get("strides", [1, 1]), attributes["pads"][:2], attributes["dilations"]]
    if node.op_type == "DeformConv":
        call = lambda: ops.deform_conv2d(  # noqa: E731
            x, value["offset"], value["weight"], value["bias"], *geometry, value["mask"])
    elif node.op_type == "Conv":
        call = lambda: torch.nn.functional.conv2d(  # noqa: E731
            x, value["weight"], value["bias"], *geometry, attributes["group"])
    elif node.op_type == "RoiAlign":
        rois = torch.cat([value["batch"][:, None].float(), value["rois"]], 1)
        call = lambda: ops.roi_align(x, rois, attributes["output_height"], sampling_ratio=2,  # noqa: E731
                                     aligned=True, **common)
    elif node.op_type == "MaxRoiPool":
        call = lambda: ops.roi_pool(x, value["rois"], attributes["pooled_shape"], **common)  # noqa: E731
    elif node.op_type == "PSROIPooling":
        # Its bins are rounded otherwise: a rival in time, not in numbers.
        call = lambda: ops.ps_roi_pool(x, value["rois"], 7, **common)  # noqa: E731
    else:
        raise Unsupported(f"{node.op_type} is not in torchvision")

    def run():
        with torch.inference_mode():
            return call().numpy()

    return run


def ncnn(model: Path, inputs: dict, threads: int):
    """Graphs of convolutions, one picture at a time, written in ncnn's own form; float32 throughout."""
    import tempfile

    import ncnn as runtime
    import onnx

    from peers.ncnn_model import NcnnWriter, Untranslatable

    if any(len(array) > 1 for array in inputs.values()):
        raise Unsupported("ncnn takes one picture")
    net = runtime.Net()
    net.opt.num_threads, net.opt.use_fp16_packed, net.opt.use_fp16_storage = threads, False, False
    net.opt.use_fp16_arithmetic, net.opt.use_bf16_storage = False, False
    with tempfile.TemporaryDirectory() as folder:
        try:
            writer = NcnnWriter(onnx.load(model))
            text, weights = writer.write(Path(folder))
        except Untranslatable as error:
            raise Unsupported(str(error)) from error
        if net.load_param(str(text)) or net.load_model(str(weights)):
            raise Unsupported("ncnn does not load the layers")
    blobs = {name: runtime.Mat(numpy.ascontiguousarray(inputs[name][0])) for name in writer.names}

    def run():
        extractor = net.create_extractor()
        for name, blob in blobs.items():
            extractor.input(name, blob)
        return numpy.array(extractor.extract(writer.result)[1])[None]

    return run


def mnn(model: Path, inputs: dict, threads: int):
    """Converted by MNN's own converter; float32 throughout ("high" precision)."""
    import subprocess
    import tempfile

    import MNN as runtime
    import onnx

    result = onnx.load(model, load_external_data=False).graph.output[0].name
    settings = {"backend": "CPU", "numThread": threads, "precision": "high"}
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "model.mnn"
        done = subprocess.run([Path(sys.executable).parent / "mnnconvert", "-f", "ONNX", "--modelFile", model,
                               "--MNNModel", made, "--bizCode", "dcn"], capture_output=True, text=True)
        if not made.exists():
            raise Unsupported(" ".join((done.stdout + done.stderr).split())[-200:])
        manager = runtime.nn.create_runtime_manager((settings,))
        net = runtime.nn.load_module_from_file(str(made), list(inputs), [result], runtime_manager=manager)
    if net is None:
        raise Unsupported("MNN does not load the model")
    kinds = {"float32": runtime.numpy.float32, "int64": runtime.numpy.int32, "int32": runtime.numpy.int32}

    def operand(array):
        # Its integers have 32 bits.
        kept = array.astype(numpy.int32) if array.dtype == numpy.int64 else array
        made = runtime.expr.placeholder(list(array.shape), runtime.expr.NCHW, kinds[str(array.dtype)])
        made.write(numpy.ascontiguousarray(kept))
        return made

    operands = [operand(array) for array in inputs.values()]
    return lambda: numpy.array(net.forward(operands)[0].read())


RIVALS = {"onnxruntime": onnxruntime, "openvino": openvino, "torchvision": torchvision, "ncnn": ncnn, "mnn": mnn}


def own_memory(field: str) -> int:
    """A figure of this process in bytes. (The one of `getrusage` would begin with the parent's.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)


def main(name: str, model: str, folder: str, threads: int, warmup: int, repeat: int, keep: str = "") -> None:
    inputs = {path.stem: numpy.load(path) for path in sorted(Path(folder).glob("*.npy"))}
    start = time.perf_counter()
    try:
        run = RIVALS[name](Path(model), inputs, threads)
        loaded = time.perf_counter()
        answer = run()
        first = time.perf_counter()
    except Unsupported as error:
        print(json.dumps({"unsupported": str(error)[:200]}))
        return
    if keep:
        numpy.save(keep, answer)
    for _ in range(warmup):
        run()
    samples = []
    for _ in range(repeat):
        began = time.perf_counter()
        run()
        samples.append(1e3 * (time.perf_counter() - began))
    print(json.dumps({"samples_ms": samples, "load_ms": 1e3 * (loaded - start), "first_run_ms": 1e3 * (first - loaded),
                      "peak_rss_bytes": own_memory("VmHWM"), "anonymous_bytes": own_memory("RssAnon")}))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(*arguments[:3], *map(int, arguments[3:6]), *arguments[6:])
