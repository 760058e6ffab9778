"""Label files that ``attseg predict`` writes, put in the place of a data set's own, evaluate to 100 %: for every data set."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

import layouts
from attseg.checkpoint import read_weights, save_weights
from attseg.cli import main
from attseg.data.catalog import open_data, open_files
from attseg.data.checking.check import check
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.camvid import CAMVID
from attseg.inference.segmenter import load
from attseg.models import build_model
from attseg.recipes.recipe import ModelSpec

SPEC = ModelSpec(name="FCN", args={"encoder": "test_resnet", "pretrained": False})


def write_model(path, classes):
    """A network that knows nothing, but predicts many classes: all equally often on noise."""
    torch.manual_seed(0)
    model = build_model(SPEC.name, SPEC.args, len(classes)).eval()
    state = model.state_dict()
    weight, bias = (next(t for t in state.values() if t.dim() == d and len(t) == len(classes)) for d in (4, 1))
    weight.normal_()
    with torch.inference_mode():
        bias -= model(torch.randn(4, 3, 64, 96)).logits.mean((0, 2, 3))
    save_weights(path, state, model=SPEC, classes=classes, preprocessing=Preprocessing(), info={})
    return path


def enlarge(root):
    """The small pictures and label files of ``layouts``, at 64 x 96, and each picture another one."""
    for place, path in enumerate(sorted(path for path in root.rglob("*") if path.suffix in (".png", ".jpg"))):
        with Image.open(path) as image:
            larger = image.resize((96, 64), Image.Resampling.NEAREST)
        if image.mode == "RGB":
            blocks = np.random.default_rng(place).integers(0, 256, (4, 6, 3), np.uint8)
            larger = Image.fromarray(blocks).resize((96, 64), Image.Resampling.NEAREST)
        larger.save(path)


def evaluated(weights, name, root, out, options=()):
    call = ["evaluate", str(weights), "--data.name", name, "--data.root", str(root), "--out", str(out), *options]
    assert main([*call, "--split", "val", "--machine.workers", "0"]) == 0
    return json.loads((out / "report.json").read_text())


def to_labels(name, root, options):
    """Where the label file of each sample of val lies, by the sample's name."""
    return {pair.name: pair.labels for pair in open_files(name, root, **options).survey("val").pairs}


def round_trip(weights, name, root, tmp_path, *, options=None, write=shutil.copyfile, given=None):
    """Predict val, put the files in the place of its labels, and check and evaluate the data set.

    One image a batch: several together may differ in the last bits, which decides where two classes are equally likely.
    """
    options = options or {}
    flags = [text for key, value in options.items() for text in (f"--data.options.{key}", str(value))]
    out = tmp_path / "predicted"
    split = ["--split", "val", "--data.name", name, "--data.root", str(root), *flags]
    assert main(["predict", str(weights), *(given or split), "--out", str(out), "--batch", "1"]) == 0
    for sample, labels in to_labels(name, root, options).items():
        write(out / "labels" / f"{sample}.png", labels)
    assert not [finding for finding in check(name, root, options=options).findings if finding.severity == "error"]
    report = evaluated(weights, name, root, tmp_path / "evaluation", flags)
    assert len(report["per_class"]) - len(report["absent"]) >= 2, (
        "the network predicts one class only: nothing is tested"
    )
    assert report["miou"] == report["pixel_accuracy"] == 1
    assert report["ignored_pixels"] == 0
    return out


def write_folder(root, table, seed=0):
    """A data folder whose label files hold the given values, void ones included."""
    random = np.random.default_rng(seed)
    rows = "".join(f"{value},{name},{int(ignored)}\n" for value, name, ignored in table)
    root.mkdir()
    (root / "classes.csv").write_text(f"index,name,ignore\n{rows}")
    values = np.array([value for value, _, _ in table])
    for split, count in (("train", 2), ("val", 2)):
        for place in range(count):
            layouts.write_noise(root / "images" / split / f"{place}.png", 0, "PNG")
            labels = values[np.arange(64 * 96).reshape(64, 96) % len(values)]
            path = root / "labels" / split / f"{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.permuted(labels).astype(np.uint16 if values.max() > 255 else np.uint8)).save(path)
    for path in (root / "images").rglob("*.png"):
        blocks = random.integers(0, 256, (4, 6, 3), np.uint8)
        Image.fromarray(blocks).resize((96, 64), Image.Resampling.NEAREST).save(path)
    return root


TABLES = {
    "in order": [(0, "a", False), (1, "b", False), (2, "c", False)],
    "counted from 1": [(0, "void", True), (1, "a", False), (2, "b", False), (3, "c", False)],
    "with gaps": [(3, "a", False), (7, "b", False), (200, "c", False), (255, "void", True)],
    "void in the middle": [(0, "a", False), (1, "void", True), (2, "b", False), (3, "d", False)],
    "permuted rows": [(9, "z", False), (2, "a", False), (4, "m", False), (0, "void", True)],
    "255 is a class": [(0, "void", True), (128, "a", False), (255, "b", False)],
    "16 bits": [(0, "void", True), (7, "a", False), (300, "b", False), (65535, "c", False)],
}


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_folder_with_any_numbers(table, tmp_path):
    root = write_folder(tmp_path / "mine", table)
    weights = write_model(tmp_path / "w.safetensors", open_data("folder", "val", root=root).classes)
    out = round_trip(weights, "folder", root, tmp_path, given=[str(root / "images" / "val")])
    means = {value: name for value, name, ignored in table if not ignored}
    for line in map(json.loads, (out / "manifest.jsonl").read_text().splitlines()):
        with Image.open(out / "labels" / f"{line['name']}.png") as labels:  # read by Pillow alone
            found, counts = np.unique(np.asarray(labels), return_counts=True)
            told = json.loads(labels.text["attseg-classes"])
        assert line["classes"] == {means[value]: n for value, n in zip(found.tolist(), counts.tolist(), strict=True)}
        assert line["values"] == {means[value]: value for value in found.tolist()}
        assert line["numbering"] == told["numbering"] == "file values"
        assert told["values"] == {name: value for value, name in sorted(means.items())}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make", "options"),
    [
        ("voc2012", layouts.make_voc, {}),
        ("ade20k", layouts.make_ade20k, {}),
        ("cityscapes", layouts.make_cityscapes, {"labels": "labelIds"}),
        ("cityscapes", layouts.make_cityscapes, {"labels": "trainIds"}),
    ],
)
def test_public_data_sets(name, make, options, tmp_path):
    make(tmp_path / "data")
    enlarge(tmp_path / "data")
    classes = open_data(name, "val", root=tmp_path / "data", **options).classes
    weights = write_model(tmp_path / "w.safetensors", classes)
    round_trip(weights, name, tmp_path / "data", tmp_path, options=options)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [".mat", ".png"])
def test_sbd_takes_them_as_matlab_and_as_png_files(kind, tmp_path):
    layouts.make_sbd(tmp_path / "data")
    enlarge(tmp_path / "data")
    for path in tmp_path.rglob("*.mat"):
        savemat(
            path, {"GTcls": {"Segmentation": np.resize(np.array([0, 15], np.uint8), (64, 96))}}, do_compression=True
        )
    weights = write_model(tmp_path / "w.safetensors", open_data("sbd", "val", root=tmp_path / "data").classes)

    def write(source, target):
        if kind == ".png":
            shutil.copy(source, target.with_suffix(".png"))
            return
        with Image.open(source) as labels:
            savemat(target, {"GTcls": {"Segmentation": np.asarray(labels)}}, do_compression=True)

    round_trip(weights, "sbd", tmp_path / "data", tmp_path, write=write)


@pytest.mark.slow
@pytest.mark.parametrize("layout", [("images/{}", "labels/{}"), ("{}", "{}annot")])
def test_camvid_in_both_layouts(layout, tmp_path):
    images, labels = layout
    for seed, split in enumerate(("train", "val")):
        for place in range(2):
            layouts.write_noise(tmp_path / "data" / images.format(split) / f"{place}.png", (seed, place), "PNG")
            layouts.save(tmp_path / "data" / labels.format(split) / f"{place}.png", np.resize((0, 5, 11), (8, 12)))
    enlarge(tmp_path / "data")
    round_trip(write_model(tmp_path / "w.safetensors", CAMVID), "camvid", tmp_path / "data", tmp_path)


@pytest.mark.slow
def test_scenes_as_a_folder(tmp_path):
    scenes, root = open_data("scenes", "val", size=(40, 56), count=2), tmp_path / "data"
    rows = "".join(f"{index},{name}\n" for index, name in enumerate(scenes.classes.names))
    for split in ("train", "val"):
        for place, sample in enumerate((scenes[0], scenes[1])):
            layouts.save(root / "images" / split / f"{split}{place}.png", sample.image)
            layouts.save(root / "labels" / split / f"{split}{place}.png", sample.labels)
    (root / "classes.csv").write_text(f"index,name\n{rows}255,ignore\n")
    round_trip(write_model(tmp_path / "w.safetensors", scenes.classes), "folder", root, tmp_path)


@pytest.mark.parametrize(
    ("name", "folder", "options"),
    [
        ("voc2012", "voc", {}),
        ("ade20k", "ade20k", {}),
        ("cityscapes", "cityscapes", {"labels": "labelIds"}),
        ("cityscapes", "cityscapes", {"labels": "trainIds"}),
    ],
)
@pytest.mark.slow
def test_real_samples(name, folder, options, samples_root, tmp_path):
    shutil.copytree(samples_root / folder, tmp_path / "data")
    classes = open_data(name, "val", root=tmp_path / "data", **options).classes
    weights = write_model(tmp_path / "w.safetensors", classes)
    round_trip(weights, name, tmp_path / "data", tmp_path, options=options)


@pytest.mark.slow
def test_a_split_that_is_named_gets_its_own_numbers(tmp_path, capsys):
    """Trained where 0 and 1 are the classes, used on a data set where 4 and 9 are."""
    root = write_folder(tmp_path / "mine", [(4, "a", False), (9, "b", False)])
    weights = write_model(tmp_path / "w.safetensors", ClassTable(("a", "b"), ((1, 2, 3), (4, 5, 6))))
    round_trip(weights, "folder", root, tmp_path)
    assert "4 a, 9 b" in capsys.readouterr().out


def test_a_split_whose_classes_stand_in_another_order_gets_values_by_name(tmp_path, capsys):
    """The classes are the same, but their numbers are permuted: names decide, not places."""
    weights = write_model(tmp_path / "w.safetensors", ClassTable(("a", "b", "c"), ((1, 2, 3), (4, 5, 6), (7, 8, 9))))
    root = write_folder(tmp_path / "mine", [(2, "c", False), (5, "a", False), (7, "void", True), (9, "b", False)])
    split = ["--split", "val", "--data.name", "folder", "--data.root", str(root)]
    assert main(["predict", str(weights), *split, "--out", str(tmp_path / "out")]) == 0
    assert "5 a, 9 b, 2 c" in capsys.readouterr().out
    means = {2: 2, 5: 0, 9: 1}
    segmenter = load(weights)
    for path in (root / "images" / "val").iterdir():
        with Image.open(tmp_path / "out" / "labels" / path.name) as labels:
            values = np.asarray(labels)
        assert np.vectorize(means.get)(values).tolist() == segmenter(path).labels.tolist()
    assert main(["evaluate", str(weights), "--data.name", "folder", "--data.root", str(root), "--split", "val"]) == 2
    assert "in the order a, b, c, and the data set in the order c, a, b" in capsys.readouterr().err


def test_a_split_of_other_classes_is_said_to_get_the_values_of_the_model(tmp_path, capsys):
    weights = write_model(tmp_path / "w.safetensors", ClassTable(("a", "b"), ((1, 2, 3), (4, 5, 6))))
    root = write_folder(tmp_path / "mine", [(0, "a", False), (1, "z", False)])
    split = ["--split", "val", "--data.name", "folder", "--data.root", str(root)]
    assert main(["predict", str(weights), *split, "--out", str(tmp_path / "out")]) == 0
    assert "other classes" in (told := capsys.readouterr().err) and str(root) in told


def without_values(path):
    """Weights as attseg 0.1.0 wrote them."""
    weights = read_weights(path)
    table = ClassTable(weights.classes.names, weights.classes.colors, values_known=False)
    save_weights(
        path, weights.state, model=weights.model, classes=table, preprocessing=weights.preprocessing, info=weights.info
    )


def test_old_weights_write_class_indices_and_say_so(tmp_path, capsys):
    root = write_folder(tmp_path / "mine", TABLES["with gaps"])
    weights = write_model(tmp_path / "w.safetensors", open_data("folder", "val", root=root).classes)
    out = tmp_path / "out"
    without_values(weights)
    assert main(["predict", str(weights), str(root / "images" / "val"), "--out", str(out)]) == 0
    assert "class indices" in (printed := capsys.readouterr().out)
    assert "0 a, 1 b, 2 c" in printed
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert {line["numbering"] for line in lines} == {"class indices"}
    assert set(lines[0]["values"].items()) <= {("a", 0), ("b", 1), ("c", 2)}
    with Image.open(out / "labels" / "0.png") as labels:
        assert set(np.unique(np.asarray(labels)).tolist()) == set(lines[0]["values"].values())


@pytest.mark.slow
def test_a_folder_of_class_indices_is_not_continued_with_file_values(tmp_path, capsys):
    root = write_folder(tmp_path / "mine", TABLES["with gaps"])
    weights = write_model(tmp_path / "w.safetensors", open_data("folder", "val", root=root).classes)
    shutil.copyfile(weights, tmp_path / "new.safetensors")
    without_values(weights)
    call = [str(root / "images" / "val"), "--out", str(tmp_path / "out")]
    assert main(["predict", str(weights), *call]) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out" / "labels").iterdir()}
    assert main(["predict", str(tmp_path / "new.safetensors"), *call]) == 1
    assert "is there already" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in (tmp_path / "out" / "labels").iterdir()}
    assert main(["predict", str(weights), *call]) == 0
    assert "0 segmented, 2 done before" in capsys.readouterr().out
