"""The house stays as it was drawn: imports point one way, and importing does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "attseg"

# What each room may import, beside itself and the ground floor; rooms are listed from the ground up.
GROUND = {"errors", "files", "tensors"}
ALLOWED = {
    "errors": set(),
    "files": set(),
    "tensors": set(),
    "layers": set(),
    "data": set(),
    "recipes": set(),
    "attention": {"layers"},
    "encoders": {"layers"},
    "context": {"attention", "layers"},
    "decoders": {"attention", "layers"},
    "models": {"attention", "context", "decoders", "encoders", "layers"},
    "losses": {"data", "models", "recipes"},
    "metrics": set(),
    "checkpoint": {"data", "recipes"},
    "converters": {"attention", "checkpoint", "data", "encoders", "models", "recipes"},
    "explain": {"attention", "data", "evaluation", "layers", "models", "prediction"},
    "prediction": {"data", "models"},
    "evaluation": {"data", "metrics", "models", "prediction"},
    "hub": {"checkpoint", "data", "prediction", "recipes"},
    "inference": {"attention", "checkpoint", "data", "explain", "hub", "models", "prediction"},
    "bulk": {"data", "inference", "prediction"},
    "web": {"attention", "data", "explain", "hub", "inference", "models", "prediction"},
    "profiling": {"checkpoint", "hub", "inference", "models", "recipes"},
    "training": {"checkpoint", "data", "evaluation", "losses", "metrics", "models", "prediction", "recipes"},
    "reproduce": {"data", "evaluation", "hub", "inference", "prediction", "recipes", "training"},
    "export": {"data", "encoders", "evaluation", "inference", "layers", "models", "profiling"},
    "doctor": {"data"},
}
TOP = {"__init__", "__main__", "cli", "demo"}


def files():
    return sorted(SOURCE.rglob("*.py"))


def room(path):
    relative = path.relative_to(SOURCE)
    return relative.parts[0].removesuffix(".py")


def imports(path):
    """Modules that a file imports, in functions and for types too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            if node.module == "attseg":
                yield from (f"attseg.{alias.name}" for alias in node.names)
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_imports_point_one_way():
    for path in files():
        here = room(path)
        if here not in TOP:
            used = {module.split(".")[1] for module in imports(path) if module.startswith("attseg.")}
            assert used <= ALLOWED[here] | GROUND | {here}, path.relative_to(SOURCE)


def test_lightning_is_imported_by_training_alone():
    users = {room(path) for path in files() for module in imports(path) if module.split(".")[0] == "lightning"}
    assert users == {"training"}


def test_files_are_short_and_say_what_they_are():
    for path in files():
        text = path.read_text()
        assert text.count("\n") <= 400, path.relative_to(SOURCE)
        assert ast.get_docstring(ast.parse(text)), f"{path.relative_to(SOURCE)} needs a docstring"


def test_only_the_command_line_prints():
    for path in files():
        calls = [
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        assert room(path) == "cli" or "print" not in calls, path.relative_to(SOURCE)


def test_importing_attseg_loads_nothing_heavy():
    code = "import sys, attseg; print(sorted({'torch', 'timm', 'lightning', 'numpy'} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert (found.stdout.strip(), found.stderr) == ("[]", "")


def test_public_names_are_there():
    import attseg

    assert all(getattr(attseg, name) for name in attseg.__all__)
    assert dir(attseg) == sorted(attseg.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'PANN'; it has .*FCN, PAN"):
        _ = attseg.PANN
