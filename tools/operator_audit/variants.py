"""Samples rewritten: for another version of the operator, with other element types, with every default written."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import defs, helper, numpy_helper

from .samples import Sample, code, dtype

# What says the type of an output, where no input has it.
TYPE_ATTRIBUTES = ("to", "dtype", "output_dtype")
# Attributes whose tensors have the type of a type variable.
TENSOR_ATTRIBUTES = {
    "LabelEncoder": {"keys_tensor": "T1", "values_tensor": "T2", "default_tensor": "T2"},
    "TreeEnsemble": {"nodes_splits": "T", "leaf_weights": "T", "nodes_hitrates": "T"},
}
# Operators between whose elements there may be others, which between strings there are not.
INTERPOLATING = ("Resize", "Upsample", "GridSample")
INTEGER_KINDS = "iu"


@dataclass
class Variant:
    """A model with its inputs, and what it tries."""

    name: str
    model: onnx.ModelProto
    values: list
    chosen: dict[str, str]
    is_newest: bool
    # Whether types are among those that the standard does not allow.
    is_beyond: bool = False


def converted(value, kind: str):
    """A value in another element type: integers small and without zero, so that no division fails."""
    if value is None:
        return None
    if isinstance(value, list):
        return [converted(item, kind) for item in value]
    target = dtype(kind)
    if value.dtype == target or (value.dtype == object and kind.endswith("string)")):
        return value
    if value.dtype == object:
        value = np.arange(value.size, dtype=np.float32).reshape(value.shape)
    if kind.endswith("string)"):
        flat = value.ravel().astype(np.float32) if value.dtype.kind == "V" else value.ravel()
        return np.array([str(item) for item in flat], dtype=object).reshape(value.shape)
    if np.iscomplexobj(value):
        value = value.real
    name = kind.removeprefix("seq(").removeprefix("tensor(").rstrip(")")
    if "int" in name:
        # One step aside where rounding would make zeros of everything.
        if value.dtype.kind not in INTEGER_KINDS and value.dtype != bool:
            value = np.floor(np.abs(np.nan_to_num(value.astype(np.float64), posinf=3, neginf=2)) * 3) + 1
        top = {"uint2": 3, "int2": 1, "int4": 7, "uint4": 15}.get(name, 100)
        value = np.clip(value.astype(np.int64), 0 if name[0] == "u" else -top, top)
    return (value.astype(np.float32) if value.dtype.kind == "V" else value).astype(target)


def type_of(variable: str, chosen: dict[str, str]) -> str | None:
    """The type string of an operand: itself, or what was chosen for its variable."""
    return variable if "(" in variable else chosen.get(variable)


def parameters(given) -> list:
    """The formal parameter of each operand, the last one repeated."""
    return [given[min(place, len(given) - 1)] for place in range(64)] if given else []


def allowed(schema: defs.OpSchema) -> dict[str, list[str]]:
    """Tensor and sequence types by type variable."""
    return {
        item.type_param_str: sorted(
            text for text in item.allowed_type_strs if text.startswith(("tensor(", "seq(tensor("))
        )
        for item in schema.type_constraints
    }


def present(sample: Sample) -> dict[str, str]:
    """What the sample has for each type variable of its inputs."""
    chosen = {}
    formal = parameters(sample.schema.inputs)
    for place, value in enumerate(sample.values):
        if value is None or "(" in formal[place].type_str:
            continue
        single = value[0] if isinstance(value, list) and value else value
        if isinstance(single, list):
            continue
        name = helper.tensor_dtype_to_string(helper.np_dtype_to_tensor_dtype(single.dtype))
        text = f"tensor({name.removeprefix('TensorProto.').lower()})"
        chosen[formal[place].type_str] = f"seq({text})" if isinstance(value, list) else text
    return chosen


def attributes(sample: Sample, schema: defs.OpSchema, chosen: dict[str, str], folded: dict) -> list:
    """The node's attributes as far as the definition has them, types of outputs as chosen."""
    kept = {item.name: item for item in sample.node.attribute if item.name in schema.attributes}
    inputs = {item.type_str for item in schema.inputs}
    for item in schema.outputs:
        wanted = chosen.get(item.type_str)
        name = next((name for name in TYPE_ATTRIBUTES if name in schema.attributes), None)
        if item.type_str not in inputs and wanted and name and name in kept:
            kept[name] = helper.make_attribute(name, code(wanted))
        if item.type_str not in inputs and wanted and "value" in kept and kept["value"].HasField("t"):
            tensor = converted(numpy_helper.to_array(kept["value"].t), wanted)
            kept["value"] = helper.make_attribute("value", numpy_helper.from_array(tensor))
    for name, variable in TENSOR_ATTRIBUTES.get(schema.name, {}).items():
        if name in kept and variable in chosen:
            tensor = converted(numpy_helper.to_array(kept[name].t), chosen[variable])
            kept[name] = helper.make_attribute(name, numpy_helper.from_array(tensor))
    for name, value in folded.items():
        kept[name] = helper.make_attribute(name, value, attr_type=int(schema.attributes[name].type.value))
    return list(kept.values())


def folded_inputs(sample: Sample, schema: defs.OpSchema) -> dict | None:
    """Inputs that are attributes in this definition, as such; None where an input has no place in it."""
    formal = parameters(sample.schema.inputs)
    olds = {item.name for item in schema.inputs}
    folded = {}
    for place, value in enumerate(sample.values):
        name = formal[place].name
        stays = name in olds or (name not in schema.attributes and (place < len(olds) or variadic(schema.inputs)))
        if value is None or stays:
            continue
        if name not in schema.attributes:
            return None
        flat = value.tolist()
        kinds = defs.OpSchema.AttrType
        kind = schema.attributes[name].type
        numbers = np.ravel(flat).astype(float if kind in (kinds.FLOAT, kinds.FLOATS) else int).tolist()
        folded[name] = numbers[0] if kind in (kinds.INT, kinds.FLOAT) else numbers
    return folded


def variant(sample: Sample, schema: defs.OpSchema, version: int, chosen: dict, label: str) -> Variant | None:
    """The sample under a version of the domain with the chosen types; None where it can't be said there."""
    folded = folded_inputs(sample, schema)
    if folded is None or not sayable(sample, schema, chosen):
        return None
    names = [item.name for item in parameters(sample.schema.inputs)]
    formal = parameters(schema.inputs)
    operands, values, declared = [], [], []
    for place, value in enumerate(sample.values):
        if names[place] in folded:
            continue
        operands.append("" if value is None else f"in{place}")
        if value is not None:
            kind = type_of(formal[len(operands) - 1].type_str, chosen)
            value = value if kind is None else converted(tame(value, schema, chosen), kind)
            # The standard's rivals leave the zero point of narrow floats out, as files do.
            values.append(value * 0 if "zero_point" in names[place] and "float" in str(kind) else value)
            declared.append(declaration(operands[-1], values[-1]))
    outputs = [
        name if place < len(schema.outputs) or variadic(schema.outputs) else ""
        for place, name in enumerate(sample.node.output)
    ]
    node = helper.make_node(sample.node.op_type, operands, outputs, domain=sample.node.domain)
    node.attribute.extend(attributes(sample, schema, chosen, folded))
    results = [item for item in result_types(sample, schema, chosen) if item.name in outputs]
    graph = helper.make_graph([node], "sample", declared, results)
    newest = defs.get_schema(schema.name, domain=schema.domain).since_version
    model = model_of(graph, sample.node.domain, version)
    return Variant(label, model, values, chosen, schema.since_version == newest)


def tame(value, schema: defs.OpSchema, chosen: dict[str, str]):
    """What is cast to integers stays within them: what happens beyond is not defined."""
    if schema.name not in ("Cast", "CastLike") or "int" not in chosen.get("T2", "") or isinstance(value, list):
        return value
    if value.dtype == object:
        return np.array([str(place % 2) for place in range(value.size)], dtype=object).reshape(value.shape)
    return (np.arange(value.size).reshape(value.shape) % 2).astype(value.dtype)


def width(text: str) -> int:
    """Bits of an element as stored, by the name of its type."""
    name = text.removeprefix("tensor(").rstrip(")")
    narrow = {"int4": 4, "uint4": 4, "float4e2m1": 4, "int2": 2, "uint2": 2, "string": 0}
    return narrow.get(name, 8 * dtype(text).itemsize)


def sayable(sample: Sample, schema: defs.OpSchema, chosen: dict) -> bool:
    """Whether the definition has all the attributes, and its other rules allow the types."""
    given = {item.name: item for item in sample.node.attribute}
    mode = given["mode"].s if "mode" in given else b"nearest" if schema.name != "GridSample" else b"linear"
    if schema.name in INTERPOLATING and mode != b"nearest" and "tensor(string)" in chosen.values():
        return False
    if schema.name == "Resize" and schema.since_version < 11 and mode == b"cubic":
        return False
    if schema.name == "Col2Im" and "tensor(string)" in chosen.values():
        return False  # Strings have no sums.
    if schema.name == "TfIdfVectorizer" or {"keys_strings", "keys_int64s", "keys_floats"} & set(given):
        own = present(sample)
        return all(chosen[name] == own[name] for name in own)
    if schema.name == "BitCast":
        target = helper.tensor_dtype_to_string(sample.node.attribute[0].i).removeprefix("TensorProto.")
        return width(chosen["T1"]) == width(chosen.get("T2", f"tensor({target.lower()})"))
    return all(item.name in schema.attributes for item in sample.node.attribute)


def variadic(formal) -> bool:
    """Whether the last parameter stands for any number of operands."""
    return bool(formal) and formal[-1].option == defs.OpSchema.FormalParameterOption.Variadic


def declaration(name: str, value) -> onnx.ValueInfoProto:
    """The declared type of an input that holds the value."""
    if isinstance(value, list):
        element = helper.np_dtype_to_tensor_dtype(value[0].dtype) if value else 1
        return helper.make_tensor_sequence_value_info(name, element, None)
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)


def result_types(sample: Sample, schema: defs.OpSchema, chosen: dict) -> list[onnx.ValueInfoProto]:
    """The outputs as the sample declares them, with the chosen element types."""
    formal = parameters(schema.outputs)
    results = []
    for place, name in enumerate(sample.node.output):
        stated = next((item for item in sample.graph.output if item.name == name), None)
        if stated is None:
            continue
        result = onnx.ValueInfoProto()
        result.CopyFrom(stated)
        kind = type_of(formal[place].type_str, chosen)
        if kind and result.type.HasField("tensor_type"):
            result.type.tensor_type.elem_type = code(kind)
        elif kind and result.type.HasField("sequence_type"):
            result.type.sequence_type.elem_type.tensor_type.elem_type = code(kind)
        results.append(result)
    return results


def model_of(graph: onnx.GraphProto, domain: str, version: int) -> onnx.ModelProto:
    imports = [helper.make_opsetid(domain, version)]
    if domain:
        imports.append(helper.make_opsetid("", 21))
    model = helper.make_model(graph, opset_imports=imports)
    model.ir_version = 13 if max(item.version for item in imports) > 24 else 10
    return model


def with_defaults(made: Variant, schema: defs.OpSchema) -> Variant | None:
    """The variant with every default of the definition written out; None where there is nothing to write."""
    model = onnx.ModelProto()
    model.CopyFrom(made.model)
    node = model.graph.node[0]
    written = {item.name for item in node.attribute}
    missing = [
        item.default_value
        for name, item in schema.attributes.items()
        if name not in written and item.default_value.name
    ]
    node.attribute.extend(missing)
    name = made.name + "+defaults"
    return Variant(name, model, made.values, made.chosen, made.is_newest) if missing else None
