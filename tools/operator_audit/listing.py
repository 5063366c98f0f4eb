"""What `dcn-convert list-operators` says of types, beside what the standard allows."""

import json
import subprocess

from onnx import defs

# Names of element types where the standard has others.
NAMES = {"float32": "float", "float64": "double"}


def listed(command: str) -> dict[tuple[str, str], list[list[str]]]:
    """By domain and operator the types of each operand that must be there, as the standard writes them."""
    rows = json.loads(subprocess.run([command, "list-operators", "--json"], capture_output=True, check=True).stdout)
    return {
        (row["domain"], row["operator"]): [
            [f"tensor({NAMES.get(name, name)})" for name in names] for names in row["types"]
        ]
        for row in rows
    }


def allowed_tensors(schema: defs.OpSchema, place: int) -> list[str]:
    """The tensor types of an operand in the definition."""
    text = schema.inputs[min(place, len(schema.inputs) - 1)].type_str
    texts = {item.type_param_str: item.allowed_type_strs for item in schema.type_constraints}.get(text, [text])
    return [text for text in texts if text.startswith("tensor(")]


def newest(rows: dict) -> list[tuple[defs.OpSchema, list[list[str]]]]:
    """The newest definition of each listed operator that has operands, with their types."""
    found = []
    for (domain, name), types in sorted(rows.items()):
        if types and defs.has(name, domain=domain) and not defs.get_schema(name, domain=domain).deprecated:
            found.append((defs.get_schema(name, domain=domain), types))
    return found


def gaps(rows: dict) -> list[tuple[str, str]]:
    """Names of operands, and what the standard allows for each that is not listed."""
    found = []
    for schema, types in newest(rows):
        for place, names in enumerate(types):
            missing = sorted(set(allowed_tensors(schema, place)) - set(names))
            if missing:
                operand = schema.inputs[min(place, len(schema.inputs) - 1)].name
                found.append((f"listed/{schema.name}/{operand}", ", ".join(missing)))
    return found


def beyond(rows: dict) -> dict[tuple[str, str], dict[str, list[str]]]:
    """By operator and type variable the types that are listed although the newest definition does not allow them."""
    found: dict = {}
    for schema, types in newest(rows):
        for place, names in enumerate(types):
            variable = schema.inputs[min(place, len(schema.inputs) - 1)].type_str
            allowed = allowed_tensors(schema, place)
            more = sorted(set(names) - set(allowed)) if allowed else []
            if more and "(" not in variable and variable not in found.get((schema.domain, schema.name), {}):
                found.setdefault((schema.domain, schema.name), {})[variable] = more
    return found
