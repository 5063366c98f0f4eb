"""The Python environment that the tools share, outside the repository.

`require("numpy", "onnx")` returns when the packages can be imported by the running interpreter. Otherwise it
makes sure that a virtual environment holds them and starts the calling script again inside it.

The environment lies in `$DCN_VENV` when that is set, else in `${XDG_CACHE_HOME:-$HOME/.cache}/dcn/venv`.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

# The versions that results in this repository were made with.
VERSIONS = {
    "numpy": "2.4.6",
    "onnx": "1.23.2",
    "onnxruntime": "1.32.0",
    "onnxscript": "0.7.2",
    "torch": "2.15.0",
    "torchvision": "0.29.2",
    "scikit-learn": "1.9.1",
    "pillow": "13.0.0",
    "pycocotools": "2.0.11",
    "openvino": "2026.4.1",
    "ncnn": "1.0.20261020",
    "MNN": "3.6.1",
}

# What a package is imported as, where that is not its own name.
MODULES = {"scikit-learn": "sklearn", "pillow": "PIL"}


def cache_folder() -> Path:
    """Where the tools keep what they generate: `$DCN_CACHE`, else the user's cache folder."""
    if "DCN_CACHE" in os.environ:
        return Path(os.environ["DCN_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dcn"


def environment_folder() -> Path:
    """The folder of the virtual environment."""
    if "DCN_VENV" in os.environ:
        return Path(os.environ["DCN_VENV"])
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dcn" / "venv"


def can_import(package: str) -> bool:
    """Whether the running interpreter finds the package."""
    return importlib.util.find_spec(MODULES.get(package, package)) is not None


def run_quietly(command: list[str]) -> None:
    """Runs a command with its output on stderr; ends this process when it fails."""
    if subprocess.run(command, stdout=sys.stderr).returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}")


def prepare(packages: tuple[str, ...]) -> Path:
    """Makes the environment hold the packages and returns its interpreter."""
    folder = environment_folder()
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making the Python environment {folder}", file=sys.stderr)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if subprocess.run([sys.executable, "-m", "venv", folder], stdout=sys.stderr).returncode:
            sys.exit("could not make a virtual environment (Debian: apt install python3-venv)")
    modules = [MODULES.get(package, package) for package in packages]
    probe = f"import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in {modules!r}))"
    if subprocess.run([python, "-c", probe]).returncode:
        wanted = [f"{name}=={VERSIONS[name]}" if name in VERSIONS else name for name in packages]
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run_quietly([*install, *wanted])
    return python


def require(*packages: str) -> None:
    """Returns when the packages are importable, else runs the calling script where they are."""
    if all(can_import(package) for package in packages):
        return
    python = prepare(packages)
    importlib.invalidate_caches()
    if Path(sys.prefix).resolve() == environment_folder().resolve():
        if all(can_import(package) for package in packages):
            return
        sys.exit(f"the Python environment lacks one of: {', '.join(packages)}")
    os.execv(python, [str(python), *sys.argv])


if __name__ == "__main__":
    print(prepare(tuple(sys.argv[1:])))
