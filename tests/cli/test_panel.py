import pytest
from PIL import Image

from attseg.checkpoint import save_weights
from attseg.cli import main
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import SCENES, Scenes
from attseg.models import build_model
from attseg.recipes.recipe import ModelSpec

ARGS = {"encoder": "test_resnet", "channels": 8}
DATA = ("--data.name", "scenes", "--data.options.size", "64,96", "--data.options.count", "3")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two files of untrained weights."""
    files = []
    for name in ("FCN", "PAN"):
        state = build_model(name, ARGS, len(SCENES)).state_dict()
        files.append(tmp_path_factory.mktemp("weights") / f"{name.lower()}.safetensors")
        spec = ModelSpec(name=name, args=ARGS)
        save_weights(files[-1], state, model=spec, classes=SCENES, preprocessing=Preprocessing(), info={})
    return [str(file) for file in files]


@pytest.mark.slow
def test_a_row_a_picture_and_a_column_a_run(runs, tmp_path, capsys):
    out = tmp_path / "panel.png"
    assert main(["panel", *runs, *DATA, "--rows", "2", "--out", str(out)]) == 0
    named = capsys.readouterr().out.strip().removeprefix(f"{out}: ").split(", ")
    assert set(named) < {sample.name for sample in Scenes("val", size=(64, 96), count=3)}
    with Image.open(out) as picture:
        assert picture.width > 1.5 * picture.height
    more = ("--picture", named[1], "--names", "a,b", "--out", str(tmp_path / "one.svg"))
    assert main(["panel", *runs, *DATA, *more]) == 0
    assert capsys.readouterr().out.strip().endswith(f": {named[1]}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no run was given"),
        (("a", "--names", "x,y"), "--names has 2 names for 1 run"),
        (("a", "--out", "panel.gif"), "ends in .png, .pdf or .svg"),
    ],
)
def test_what_makes_no_figure_is_refused(arguments, message, tmp_path, capsys):
    out = () if "--out" in arguments else ("--out", str(tmp_path / "panel.png"))
    assert main(["panel", *arguments, *out]) == 2
    assert message in capsys.readouterr().err
