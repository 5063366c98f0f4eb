"""Which variants there are of all samples."""

from collections import Counter
from collections.abc import Iterator

from onnx import defs

from .samples import Sample
from .variants import Variant, allowed, present, variant, with_defaults

OLDEST = {"": 7}


def definitions(domain: str, name: str) -> list[tuple[int, defs.OpSchema]]:
    """All definitions of an operator that hold from opset 7 on, with the version to ask each under."""
    every = [
        item for item in defs.get_all_schemas_with_history() if item.domain == domain and item.name == name
    ]
    every.sort(key=lambda item: item.since_version)
    oldest = OLDEST.get(domain, 1)
    held = [
        item
        for item, after in zip(every, [*every[1:], None], strict=True)
        if not item.deprecated and (after is None or after.since_version > oldest)
    ]
    return [(max(oldest, item.since_version), item) for item in held]


def variants(chosen: dict[tuple[str, str], list[Sample]], totals: Counter) -> Iterator[Variant]:
    """Every definition of each operator with its defaults, and every type of each type variable."""
    operators = {(item.domain, item.name) for item in defs.get_all_schemas()}
    for key in sorted(chosen):
        totals["operators of the standard with a sample"] += key in operators
        for version, schema in definitions(*key):
            totals["definitions"] += 1
            made = list(of_definition(chosen[key], version, schema))
            totals["definitions without a model"] += not made
            yield from made


def of_definition(every: list[Sample], version: int, schema: defs.OpSchema) -> Iterator[Variant]:
    seen = set()
    for number, sample in enumerate(every):
        if sample.has_graphs and sample.schema.since_version != schema.since_version:
            continue  # The graph inside is written for another version.
        for chosen in choices(sample, schema):
            types = ", ".join(f"{name}={text}" for name, text in sorted(chosen.items()))
            domain = f"{schema.domain}." if schema.domain else ""
            label = f"{domain}{schema.name}@{version}[{types}]#{number}"
            made = variant(sample, schema, version, chosen, label)
            if made is None:
                continue
            mark = tuple(sorted(chosen.items()))
            if chosen != base(sample, schema) and mark in seen:
                continue
            seen.add(mark)
            yield made
            if chosen == base(sample, schema) and (written := with_defaults(made, schema)):
                yield written


def base(sample: Sample, schema: defs.OpSchema) -> dict[str, str]:
    """The sample's own types where the definition allows them, else the first that it allows."""
    own = present(sample)
    chosen = {}
    for name, texts in allowed(schema).items():
        wanted = own.get(name)
        if wanted in texts:
            chosen[name] = wanted
        elif name in own and texts:
            chosen[name] = "tensor(float)" if "tensor(float)" in texts else texts[0]
    return chosen


def choices(sample: Sample, schema: defs.OpSchema) -> Iterator[dict[str, str]]:
    """The sample's own types, then each allowed type of each variable in place of its own."""
    start = base(sample, schema)
    yield start
    if sample.has_graphs:
        return  # The graph inside has types of its own.
    for name, texts in allowed(schema).items():
        for text in texts:
            wanted = start | {name: text}
            # Sequences and their elements are two variables of the standard, and one choice.
            for other, held in start.items():
                if other != name and text.startswith("seq(") and not held.startswith("seq("):
                    if f"seq({held})" == start.get(name):
                        wanted[other] = text[4:-1]
            if wanted != start:
                yield wanted
