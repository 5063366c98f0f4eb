#!/usr/bin/env python3
"""Writes the small models of `fixtures/`, with inputs and expected outputs from the slow references.

    tools/generate-fixtures.py                 all of them; the same bytes every time
    tools/generate-fixtures.py spellings       one folder of: first, spellings, decompositions
    tools/generate-fixtures.py --check         exits 1 when a stored fixture differs from what would be written

Each fixture is a folder with model.onnx and test_data_set_0/{input,output}_K.pb, as `dcn-run --test-data` reads it.
"""

import argparse
import filecmp
import shutil
import sys
import tempfile
from pathlib import Path

from python_environment import require

require("numpy", "onnx")
from fixture_sets import custom, decompositions, deform, detection, first, frameworks, roi, suppression  # noqa: E402

FOLDERS = {
    "first": ("Standard operators, one small model each: the first things a change should keep running.", [first]),
    "spellings": (
        "One model per spelling of a deformable or RoI operator, attributes as the exporter in question writes them.",
        [deform, roi, suppression, custom, frameworks, detection],
    ),
    "decompositions": (
        "Sub-graphs that exporters write instead of one deformable operator. Names that begin with `refuse` must not"
        " be raised: their constants do not describe one.",
        [decompositions],
    ),
}


def write(name: str, place: Path) -> int:
    """Fills the folder `place` and returns the number of fixtures."""
    purpose, modules = FOLDERS[name]
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    made = [fixture for module in modules for fixture in module.fixtures()]
    names = [fixture.name for fixture in made]
    if len(set(names)) < len(names):
        raise ValueError(f"names are used twice: {sorted({n for n in names if names.count(n) > 1})}")
    for fixture in made:
        fixture.write(place)
    (place / "README.md").write_text(f"{purpose}\n\nWritten by `tools/generate-fixtures.py {name}`.\n")
    return len(made)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def differs(stored: Path, fresh: Path) -> bool:
    return files(stored) != files(fresh) or any(
        not filecmp.cmp(stored / name, fresh / name, shallow=False) for name in files(stored)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="*", choices=[*FOLDERS, []], help="which folders (default: all)")
    parser.add_argument("--check", action="store_true", help="write nothing; compare")
    options = parser.parse_args()
    target = Path(__file__).resolve().parent.parent / "fixtures"
    stale = []
    for name in options.folder or FOLDERS:
        if options.check:
            with tempfile.TemporaryDirectory() as folder:
                write(name, Path(folder) / name)
                if differs(target / name, Path(folder) / name):
                    stale.append(name)
        else:
            print(f"fixtures/{name}: {write(name, target / name)} models")
    if stale:
        print(f"not what the script writes: {', '.join(stale)}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
