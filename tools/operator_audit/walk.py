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


def variants(
    chosen: dict[tuple[str, str], list[Sample]], more: dict[tuple[str, str], dict], totals: Counter
) -> Iterator[Variant]:
    """Every definition of each operator with its defaults, and every type of each type variable.

    The newest definitions with the types beyond the standard too that are listed for the operator.
    """
    operators = {(item.domain, item.name) for item in defs.get_all_schemas()}
    for key in sorted(chosen):
        totals["operators of the standard with a sample"] += key in operators
        for version, schema in definitions(*key):
            totals["definitions"] += 1
            is_newest = schema.since_version == defs.get_schema(key[1], domain=key[0]).since_version
            made = list(of_definition(chosen[key], version, schema, more.get(key, {}) if is_newest else {}))
            totals["definitions without a model"] += not made
            yield from made


def of_definition(
    every: list[Sample], version: int, schema: defs.OpSchema, more: dict[str, list[str]]
) -> Iterator[Variant]:
    seen = set()
    for number, sample in enumerate(every):
        if sample.has_graphs and sample.schema.since_version != schema.since_version:
            continue  # The graph inside is written for another version.
        for chosen in choices(sample, schema, more):
            types = ",".join(f"{name}={text}" for name, text in sorted(chosen.items()))
            domain = f"{schema.domain}." if schema.domain else ""
            label = f"{domain}{schema.name}@{version}[{types}]#{number}"
            made = variant(sample, schema, version, chosen, label)
            if made is None:
                continue
            mark = tuple(sorted(chosen.items()))
            if chosen != base(sample, schema) and mark in seen:
                continue
            seen.add(mark)
            made.is_beyond = any(chosen.get(name) in types for name, types in more.items())
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


def choices(sample: Sample, schema: defs.OpSchema, more: dict[str, list[str]]) -> Iterator[dict[str, str]]:
    """The sample's own types, then each allowed or listed type of each variable in place of its own."""
    start = base(sample, schema)
    yield start
    if sample.has_graphs:
        return  # The graph inside has types of its own.
    for name, texts in allowed(schema).items():
        for text in texts + more.get(name, []):
            wanted = start | {name: text}
            # Sequences and their elements are two variables of the standard, and one choice.
            for other, held in start.items():
                if name in start and are_coupled(held, start[name], allowed(schema)[other], texts):
                    wanted[other] = f"seq({inner(text)})" if is_sequence(held) else inner(text)
            if wanted != start:
                yield wanted


def are_coupled(one: str, other: str, ones: list[str], others: list[str]) -> bool:
    """Whether one variable is of sequences of what the other is of."""
    same_elements = {inner(text) for text in ones} == {inner(text) for text in others}
    return is_sequence(one) != is_sequence(other) and inner(one) == inner(other) and same_elements


def is_sequence(text: str) -> bool:
    return text.startswith("seq(")


def inner(text: str) -> str:
    """The type of a sequence's elements, else the type itself."""
    return text[4:-1] if is_sequence(text) else text
