import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import attseg

PACKAGES = sorted(
    file.parent.relative_to(Path(attseg.__file__).parents[1]).as_posix().replace("/", ".")
    for file in Path(attseg.__file__).parent.rglob("__init__.py")
    if "= lazy" in file.read_text("utf-8")
)


def test_the_rooms_that_documents_name_are_lazy():
    assert {"attseg", "attseg.attention", "attseg.context", "attseg.decoders", "attseg.losses"} <= {*PACKAGES}
    assert {"attseg.encoders", "attseg.evaluation", "attseg.models", "attseg.explain", "attseg.data"} <= {*PACKAGES}


def test_importing_rooms_loads_nothing_heavy():
    code = f"import sys, {', '.join(PACKAGES)}; print(sorted({{'torch', 'timm', 'numpy', 'PIL'}} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert (found.stdout.strip(), found.stderr) == ("[]", "")


def typed(module):
    """Names that a package imports for type checkers, with the modules that they come from."""
    for block in ast.parse(Path(module.__file__).read_text("utf-8")).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for node in block.body:
                for alias in node.names:
                    names = import_module(node.module).__all__ if alias.name == "*" else [alias.name]
                    yield from ((name, node.module) for name in names)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there_for_python_and_for_type_checkers(package):
    module = import_module(package)
    folder = Path(module.__file__).parent
    known = dict(typed(module))
    defined = {name: package for name in module.__all__ if name in vars(module) and name not in known}
    assert dir(module) == sorted(module.__all__) == sorted(known | defined)
    for name, home in (known | defined).items():
        assert getattr(module, name) is getattr(import_module(home), name)
        assert not (folder / name).exists() and not (folder / f"{name}.py").exists(), f"{name} would hide a submodule"


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(AttributeError, match=r"no name in attseg called 'PANN'; did you mean 'PAN'\?"):
        _ = attseg.PANN
    with pytest.raises(ImportError, match="FeaturePyramid"):
        from attseg.attention import FeaturePyramid  # noqa: F401


def test_submodules_can_still_be_imported_from_their_room():
    from attseg.context import aspp
    from attseg.evaluation import evaluate, report

    assert aspp.ASPP is import_module("attseg.context").ASPP
    assert callable(evaluate) and report.__name__ == "attseg.evaluation.report"
