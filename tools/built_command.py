"""Finds the commands that this repository builds."""

import shutil
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def built_command(name: str = "dcn-run", release_only: bool = False) -> str:
    """The newest build of a command, else the one on the PATH; ends with a message when there is none."""
    kinds = ("release",) if release_only else ("release", "debug")
    builds = [path for kind in kinds if (path := REPOSITORY / ".build" / kind / name).exists()]
    builds.sort(key=lambda path: -path.stat().st_mtime)
    found = str(builds[0]) if builds else shutil.which(name)
    if not found:
        sys.exit(f"{name} is not built: swift build -c release --product {name}")
    return found
