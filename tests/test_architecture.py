"""The house stays as it was drawn: imports point one way, and importing does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "attseg"

# What each room may import, beside itself and the ground floor; rooms are listed from the ground up.
GROUND = {
    "ahead",
    "arguments",
    "console",
    "devices",
    "errors",
    "extras",
    "files",
    "json_files",
    "json_lines",
    "lazy",
    "locks",
    "templates",
    "tensors",
    "text",
    "written",
}
ALLOWED = {
    "ahead": set(),
    "arguments": set(),
    "console": set(),
    "text": set(),
    "errors": set(),
    "devices": set(),
    "extras": set(),
    "files": set(),
    "json_files": set(),
    "json_lines": set(),
    "lazy": set(),
    "templates": set(),
    "locks": set(),
    "written": set(),
    "tensors": set(),
    "layers": set(),
    "data": set(),
    "attention": {"layers"},
    "encoders": {"layers"},
    "context": {"attention", "layers"},
    "decoders": {"attention", "layers"},
    "models": {"attention", "context", "decoders", "encoders", "layers"},
    "losses": {"data", "models"},
    "recipes": {"data", "losses"},
    "metrics": set(),
    "transfer": {"checkpoint", "data"},
    "checkpoint": {"data", "recipes"},
    "converters": {"attention", "checkpoint", "context", "data", "decoders", "encoders", "models", "recipes"},
    "explain": {"attention", "data", "encoders", "evaluation", "layers", "metrics", "models", "prediction"},
    "prediction": {"data", "layers", "models"},
    "evaluation": {"checkpoint", "data", "metrics", "models", "prediction", "recipes"},
    "hub": {"checkpoint", "data", "prediction", "recipes"},
    "inference": {"attention", "checkpoint", "converters", "data", "explain", "hub", "models", "prediction"},
    "bulk": {"data", "evaluation", "inference", "prediction", "recipes"},
    "web": {"attention", "data", "explain", "hub", "inference", "models", "prediction"},
    "profiling": {"checkpoint", "converters", "encoders", "hub", "inference", "models", "recipes"},
    "runs": {"checkpoint", "data", "evaluation", "models", "prediction", "recipes"},
    "training": {
        "checkpoint",
        "converters",
        "data",
        "encoders",
        "evaluation",
        "hub",
        "losses",
        "models",
        "recipes",
        "runs",
        "transfer",
    },
    "suggest": {"checkpoint", "data", "models", "profiling", "recipes", "runs", "training"},
    "reproduce": {"data", "evaluation", "hub", "inference", "prediction", "profiling", "recipes", "runs", "training"},
    "export": {
        "checkpoint",
        "data",
        "encoders",
        "evaluation",
        "inference",
        "layers",
        "models",
        "profiling",
        "recipes",
    },
    "doctor": {"data"},
    "api": {
        "checkpoint",
        "converters",
        "data",
        "evaluation",
        "inference",
        "models",
        "prediction",
        "recipes",
        "runs",
        "training",
    },
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


def test_modules_of_our_own_that_are_imported_exist():
    """mypy reads the source alone: a module that was renamed would end tests and scripts only where they are run."""
    root = SOURCE.parents[1]
    for folder in ("tests", "benchmarks", "examples", "docs"):
        for path in sorted((root / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "attseg":
                    place = root / "src" / node.module.replace(".", "/")
                    assert place.is_dir() or place.with_suffix(".py").is_file(), f"{path}: {node.module}"


@pytest.mark.slow
def test_lightning_is_imported_by_training_alone():
    users = {
        room(path)
        for path in files()
        for module in imports(path)
        if module.split(".")[0] in ("lightning", "lightning_fabric")
    }
    assert users == {"training"}


def test_files_are_short_and_say_what_they_are():
    for path in files():
        text = path.read_text()
        assert text.count("\n") <= 400, path.relative_to(SOURCE)
        assert ast.get_docstring(ast.parse(text)), f"{path.relative_to(SOURCE)} needs a docstring"


@pytest.mark.slow
def test_only_the_command_line_prints():
    for path in files():
        calls = [
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        screen = path.relative_to(SOURCE).as_posix() == "inference/screen.py"  # `Result.show`, which is called by hand
        assert room(path) == "cli" or screen or "print" not in calls, path.relative_to(SOURCE)


OPENERS = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "touch"}
"""Builtins and methods of paths that open whatever has a name."""
LIBRARIES = {
    "openvino.Core().read_model",
    "Image.open",
    "PIL.Image.open",
    "av.open",
    "bz2.open",
    "codecs.open",
    "gzip.open",
    "io.open",
    "io.FileIO",
    "json.load",
    "load_file",
    "load_state_dict_from_file",
    "loadmat",
    "lzma.open",
    "np.fromfile",
    "np.genfromtxt",
    "np.load",
    "np.loadtxt",
    "np.memmap",
    "onnx.load",
    "os.open",
    "rasterio.open",
    "runtime.InferenceSession",
    "safe_open",
    "scipy.io.loadmat",
    "tarfile.open",
    "tifffile.TiffFile",
    "tifffile.imread",
    "timm.models.load_state_dict",
    "torch.export.load",
    "torch.jit.load",
    "torch.load",
    "yaml.load",
    "zipfile.ZipFile",
}
"""Functions of libraries that open a file by its name, or read one that is open."""
CHECKED = ("open_file(", "bounded(", "replacing(", "require_file(", "BytesIO(", "StringIO(")
OPENED_OTHERWISE = {
    ("bulk/label_raster.py", "rasterio.open"): "a file of a name of our own, which GDAL writes and reads back",
    ("files.py", "open"): "open_file itself",
    ("files.py", "os.open"): "open_file itself",
    ("web/folder.py", "os.open"): "with O_NOFOLLOW: a link of the explorer's folder is not followed",
    ("cli/__init__.py", "os.open"): "/dev/null, where the reader of a pipe has gone",
    ("web/browser.py", "webbrowser.open"): "a browser",
    ("recipes/files.py", "yaml.load"): "text",
    ("web/app.py", "file.read_bytes"): "a file of this package",
    ("evaluation/submission.py", "tarfile.open"): "an open file, to write to",
    ("evaluation/submission.py", "zipfile.ZipFile"): "an open file, to write to",
    ("bulk/frames.py", "av.open"): "an open file, to write to",
    ("export/formats.py", "openvino.Core().read_model"): "bytes",
    ("tensors.py", "zipfile.ZipFile"): "an open file",
    ("tensors.py", "torch.load"): "an open file",
}


def opens(path):
    """Calls in a file that open something by its name, but for those whose argument has been opened or checked in place."""
    tree = ast.parse(path.read_text())
    for scope in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Module)]:
        inside = list(within(scope))
        known = {
            name.id
            for node in inside
            for value, target in [*bound(node)]
            if any(word in ast.unparse(value) for word in CHECKED)
            for name in ast.walk(target)
            if isinstance(name, ast.Name)
        }
        for call in inside:
            if not isinstance(call, ast.Call):
                continue
            called = ast.unparse(call.func)
            short = called.rpartition(".")[2]
            if called not in LIBRARIES and (short not in OPENERS or called in ("read_text", "read_bytes")):
                continue
            given = [*call.args, *(keyword.value for keyword in call.keywords)][:1]
            by_name = short in OPENERS and called not in LIBRARIES and called != "open"
            if not by_name and any(
                any(word in ast.unparse(one) for word in CHECKED) or (isinstance(one, ast.Name) and one.id in known)
                for one in given
            ):
                continue
            if "resources.files(" not in called:
                yield called


def within(scope):
    """Nodes of a function or module, without those of functions inside."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)


def bound(node):
    if isinstance(node, ast.Assign):
        yield from ((node.value, target) for target in node.targets)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield node.context_expr, node.optional_vars


@pytest.mark.slow
def test_all_files_are_opened_by_one_helper():
    found = {(path.relative_to(SOURCE).as_posix(), call) for path in files() for call in opens(path)}
    assert found - OPENED_OTHERWISE.keys() == set(), "use attseg.files.open_file, read_bytes, read_text or require_file"


@pytest.mark.parametrize(
    "code",
    [
        "open('x')",
        "path.open()",
        "Path('x').read_text()",
        "def f():\n  with path.open('rb') as file:\n    pass",
        "Image.open(path)",
        "torch.load(path, weights_only=True)",
        "with safe_open(path, framework='pt') as file: pass",
        "lambda: (folder / 'a').write_bytes(b'')",
        "def f():\n  file = open_file(p)\ndef g():\n  Image.open(file)",
    ],
)
def test_the_search_for_opens_finds_them(tmp_path, code):
    (tmp_path / "code.py").write_text(code)
    assert len([*opens(tmp_path / "code.py")]) == 1


def test_what_was_opened_by_the_helper_may_be_read(tmp_path):
    (tmp_path / "code.py").write_text(
        "with open_file(p) as file, Image.open(file) as image: pass\nread_text(p)\ntorch.load(require_file(p))"
    )
    assert [*opens(tmp_path / "code.py")] == []


ON_POSIX_ALONE = {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "posix", "syslog", "readline", "curses"}
NAMES_ON_POSIX = {
    "DupFd",
    "forkserver",
    "SIGKILL",
    "SIGHUP",
    "SIGALRM",
    "pthread_sigmask",
    "sched_getaffinity",
    "memfd_create",
    "fork",
}


@pytest.mark.slow
def test_modules_can_be_imported_on_every_system():
    for path in files():
        for node in within(ast.parse(path.read_text())):
            where = f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', '')}"
            if isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & ON_POSIX_ALONE, where
            elif isinstance(node, ast.ImportFrom):
                assert node.module not in ON_POSIX_ALONE, where
                assert not {alias.name for alias in node.names} & (NAMES_ON_POSIX | ON_POSIX_ALONE), where
            elif isinstance(node, ast.Attribute):
                assert node.attr not in NAMES_ON_POSIX, where


def test_importing_attseg_loads_nothing_heavy():
    code = "import sys, attseg; print(sorted({'torch', 'timm', 'lightning_fabric', 'numpy'} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert (found.stdout.strip(), found.stderr) == ("[]", "")


@pytest.mark.slow
def test_consoles_filter_what_they_print():
    """Rich writes escape sequences past the filter of standard output, so that all consoles but quiet ones are ours."""
    made = {
        (path.relative_to(SOURCE).as_posix(), ast.unparse(node))
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Console"
    }
    assert {call for _, call in made} <= {"Console(quiet=True)"}
