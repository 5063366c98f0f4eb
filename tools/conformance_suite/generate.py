"""Writes the backend tests of the onnx package as folders: model.onnx, test_data_set_K/{input,output}_K.pb."""

import json
import shutil
import warnings
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper

SUITES = ("node", "simple", "pytorch-operator", "pytorch-converted", "light")


def generate(folder: Path) -> list[dict]:
    """Fills `folder` with all cases and their index `cases.json`; an index made by this version is reused.

    Each entry of the index: name, suite, operators, rtol, atol; the files lie in `folder/suite/name`.
    """
    index = folder / "cases.json"
    if index.exists():
        stored = json.loads(index.read_text())
        if stored["onnx"] == onnx.__version__:
            return stored["cases"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        cases = [*write_generated(folder), *copy_shipped(folder), *copy_light(folder)]
    cases.sort(key=lambda case: (SUITES.index(case["suite"]), case["name"]))
    index.write_text(json.dumps({"onnx": onnx.__version__, "cases": cases}, indent=1))
    return cases


def entry(name: str, suite: str, operators: list[str], rtol: float = 1e-3, atol: float = 1e-7) -> dict:
    return {"name": name, "suite": suite, "operators": operators, "rtol": rtol, "atol": atol}


def operators_of(graph: onnx.GraphProto) -> list[str]:
    """The operators of a graph, by name with their domain unless it is the default one."""
    return sorted({f"{node.domain}::{node.op_type}".removeprefix("::") for node in graph.node})


def write_generated(folder: Path):
    """The node tests and those simple tests that the package builds in code."""
    import onnx.backend.test.case.model as models
    from onnx.backend.test.loader import load_node_model_tests

    numpy.random.seed(0)
    tested = None
    for case in load_node_model_tests():
        # An expansion follows the case of the operator whose function it writes out.
        if "_expanded" not in case.name:
            tested = operators_of(case.model.graph)
        write_case(folder / "node" / case.name, case)
        yield entry(case.name, "node", tested, case.rtol, case.atol)
    for case in models.collect_testcases():
        if case.kind == "simple":
            write_case(folder / "simple" / case.name, case)
            yield entry(case.name, "simple", operators_of(case.model.graph), case.rtol, case.atol)


def write_case(folder: Path, case) -> None:
    """One case that the package holds in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir(exist_ok=True)
        for kind, values, declared in (
            ("input", inputs, case.model.graph.input),
            ("output", outputs, case.model.graph.output),
        ):
            for position, (value, info) in enumerate(zip(values, declared, strict=False)):
                (data / f"{kind}_{position}.pb").write_bytes(serialized(value, info))


def serialized(value, info: onnx.ValueInfoProto) -> bytes:
    """A value in the protobuf message that its declared type asks for."""
    if isinstance(value, onnx.TensorProto):
        return value.SerializeToString()
    writers = {
        "map_type": numpy_helper.from_dict,
        "sequence_type": numpy_helper.from_list,
        "optional_type": numpy_helper.from_optional,
    }
    for field, write in writers.items():
        if info.type.HasField(field):
            return write(value, info.name).SerializeToString()
    return numpy_helper.from_array(numpy.asarray(value), info.name).SerializeToString()


def shipped_data() -> Path:
    """The folder of test data inside the installed package."""
    return Path(onnx.__file__).parent / "backend" / "test" / "data"


def copy_shipped(folder: Path):
    """The cases that the package ships as files."""
    for suite in ("simple", "pytorch-operator", "pytorch-converted"):
        for source in sorted((shipped_data() / suite).iterdir()):
            model = source / "model.onnx"
            if not model.exists() or (folder / suite / source.name).exists():
                continue
            shutil.copytree(source, folder / suite / source.name)
            tolerance = {}
            if (source / "data.json").exists():
                stored = json.loads((source / "data.json").read_text())
                tolerance = {key: stored[key] for key in ("rtol", "atol") if key in stored}
            graph = onnx.load(model, load_external_data=False).graph
            yield entry(source.name, suite, operators_of(graph), **tolerance)


def copy_light(folder: Path):
    """The classic networks with constant weights; the input is a ramp, as the package's own runner makes it."""
    for description in sorted((shipped_data() / "real").glob("*/data.json")):
        stored = json.loads(description.read_text())
        name, source = description.parent.name, shipped_data() / "light" / f"light_{stored['model_name']}"
        data = folder / "light" / name / "test_data_set_0"
        data.mkdir(parents=True)
        shutil.copy(f"{source}.onnx", data.parent / "model.onnx")
        graph = onnx.load(f"{source}.onnx").graph
        stored_names = {tensor.name for tensor in graph.initializer}
        given = [info for info in graph.input if info.name not in stored_names]
        for position, info in enumerate(given):
            shape = [dimension.dim_value or 1 for dimension in info.type.tensor_type.shape.dim]
            count = numpy.prod(shape)
            ramp = (numpy.arange(count).reshape(shape) / count).astype(numpy.float32)
            (data / f"input_{position}.pb").write_bytes(
                numpy_helper.from_array(ramp, info.name).SerializeToString()
            )
        for position in range(len(graph.output)):
            shutil.copy(f"{source}_output_{position}.pb", data / f"output_{position}.pb")
        # The package's own runner compares these with its defaults unless the description says otherwise.
        tolerance = {key: stored[key] for key in ("rtol", "atol") if key in stored}
        yield entry(name, "light", operators_of(graph), **tolerance)
