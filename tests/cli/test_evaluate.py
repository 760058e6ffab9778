import json
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
from PIL import Image

from attseg.checkpoint import read_weights, save_weights
from attseg.cli import main
from attseg.data.sets.scenes import SCENES

KEYS = {
    *("miou", "pixel_accuracy", "mean_accuracy", "frequency_weighted_iou", "per_class", "absent", "protocol"),
    *("recipe", "seed", "step", "probes", "pictures", "data", "split"),
}


def evaluate_json(capsys, *arguments):
    assert main(["evaluate", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def printed(trained):
    """What ``attseg evaluate`` prints; it also writes the files."""
    with redirect_stdout(StringIO()) as text:
        assert main(["evaluate", str(trained)]) == 0
    return text.getvalue()


@pytest.mark.slow
def test_json_is_one_object_with_the_number_of_the_training(trained, capsys, tmp_path):
    file = tmp_path / "mine.safetensors"
    file.write_bytes((trained / "best.safetensors").read_bytes())  # which is all that is needed
    values = evaluate_json(capsys, file)
    assert values.keys() >= KEYS
    assert (values["recipe"], values["seed"], values["pictures"], values["split"]) == ("pan-scenes", 0, 5, "val")
    assert values["miou"] == json.loads((trained / "report.json").read_text())["miou"]
    assert set(values["probes"]) == {"context", "scale", "boundary"}
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.slow
def test_a_run_folder_gets_files(trained, printed):
    out = trained / "evaluation"
    assert printed.endswith(f"\nreport.json, classes.csv, confusion.csv, confusion.png and samples.png are in {out}\n")
    assert json.loads((out / "report.json").read_text())["weights"] == str(trained / "best.safetensors")
    for name in ("confusion.png", "samples.png"):
        with Image.open(out / name) as picture:
            assert min(picture.size) > 100


def test_the_table_names_every_class_in_percent(trained, printed):
    values = json.loads((trained / "evaluation" / "report.json").read_text())
    rows = {line.split()[0]: line.split() for line in printed.splitlines() if line.strip()}
    for name, iou in values["per_class"].items():
        assert rows[name][1] == ("-" if iou is None else f"{100 * iou:.2f}")
    assert rows["mean"][1:3] == [f"{100 * values[score]:.2f}" for score in ("miou", "mean_accuracy")]
    assert f"pixel accuracy {100 * values['pixel_accuracy']:.2f} %\n" in printed
    assert rows["boundary"][1] == f"{100 * values['probes']['boundary']['miou']:.2f}"


def test_options_change_the_data(trained, capsys):
    file = trained / "last.safetensors"
    values = evaluate_json(capsys, file, "--split", "test", "--data.options.count", "3")
    assert (values["split"], values["pictures"]) == ("test", 3)


@pytest.mark.data
def test_a_data_set_with_other_classes_is_refused(trained, capsys, camvid_root):
    assert main(["evaluate", str(trained), "--data.name", "camvid", "--data.root", str(camvid_root)]) == 2
    assert (
        "knows 12 classes (sky, building, tree, water and 8 more), and the data set has 11" in capsys.readouterr().err
    )


def test_weights_that_do_not_say_their_data_need_it_named(trained, capsys, tmp_path):
    weights = read_weights(trained / "best.safetensors")
    file = tmp_path / "bare.safetensors"
    save_weights(
        file, weights.state, model=weights.model, classes=weights.classes, preprocessing=weights.preprocessing, info={}
    )
    assert main(["evaluate", str(file)]) == 2
    assert "does not say which data it was trained on; name a data set with --data.name" in capsys.readouterr().err
    values = evaluate_json(capsys, file, "--data.name", "scenes", "--data.options", "{size: [64, 64], count: 2}")
    assert (values["recipe"], values["pictures"]) == (None, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothere"], "there is no file or folder 'nothere'"),
        (["--split", "vall"], "there is no split of the scenes 'vall'; did you mean 'val'"),
        (["--data.root", "x"], "scenes are generated and lie in no folder"),
        (["--machine.device", "gpu"], "there is no device 'gpu'; a GPU is called cuda"),
        (["--machine.compile", "true"], "there is no option '--machine.compile'"),
    ],
)
def test_wrong_use_is_explained(arguments, message, trained, capsys):
    run = [] if arguments[0] == "nothere" else [str(trained)]
    assert main(["evaluate", *run, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_split_of_which_no_pixel_counts_has_no_score(trained, capsys, tmp_path):
    names = "".join(f"{index},{name},\n" for index, name in enumerate(SCENES.names))
    for kind, values in (("images", np.zeros((64, 64, 3), np.uint8)), ("labels", np.full((64, 64), 255, np.uint8))):
        (tmp_path / kind / "val").mkdir(parents=True)
        Image.fromarray(values).save(tmp_path / kind / "val" / "a.png")
    (tmp_path / "classes.csv").write_text(f"index,name,ignore\n{names}255,nothing,1\n")
    run = [
        "evaluate",
        str(trained),
        "--data.name",
        "folder",
        "--data.root",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*run, "--machine.device", "cpu"]) == 1
    assert "no pixel of the split 'val' counts" in capsys.readouterr().err
    assert not (tmp_path / "out" / "report.json").exists()
