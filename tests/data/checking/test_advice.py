"""A folder that is arranged in another way is recognised, and what the check says to type works."""

import shlex

import numpy as np
import pytest
from PIL import Image

import arranging
import labelling
from attseg.cli import main
from attseg.data.checking import candidates
from attseg.data.checking.advice import advise
from attseg.data.checking.check import check
from attseg.data.checking.propose import propose_classes
from attseg.data.checking.recognise import recognise
from attseg.data.sample import DataError
from attseg.data.sets.folder import Folder, FolderFiles
from attseg.data.sets.own import RECORD
from attseg.errors import UsageError
from attseg.recipes.files import value_of


@pytest.fixture
def usual(tmp_path):
    """Ten pictures in the usual layout."""
    return arranging.write_noise(tmp_path / "usual", train=7, val=3)


def options_of(command):
    """The options of the data set in a command line."""
    words = shlex.split(command)
    return {
        word.removeprefix("--data.options."): value_of(words[place + 1])
        for place, word in enumerate(words)
        if word.startswith("--data.options.")
    }


@pytest.mark.parametrize("form", arranging.FORMS)
def test_each_arrangement_is_recognised_with_the_options_that_read_it(form, usual, tmp_path):
    stated = arranging.arrange(form, usual, tmp_path / "mine")
    result = check("folder", tmp_path / "mine")
    assert not result.ok
    assert result.advice is not None
    first, second = result.advice.commands
    assert first.startswith(f"attseg data check {tmp_path / 'mine'} --data.options.")
    assert second.startswith(f"attseg train pan-folder --data.root {tmp_path / 'mine'} --data.options.")
    options = options_of(first)
    assert options == options_of(second)
    for split in ("train", "val"):
        expected, found = Folder(tmp_path / "mine", split, **stated), Folder(tmp_path / "mine", split, **options)
        assert [pair[1:] for pair in expected.pairs] == [pair[1:] for pair in found.pairs]
    again = check("folder", tmp_path / "mine", options=options)
    assert again.ok
    assert again.advice is None
    assert again.splits["train"].pictures + again.splits["val"].pictures == 10


def test_nothing_is_said_of_a_folder_in_order(usual):
    assert check("folder", usual).advice is None


def test_a_split_of_another_name_is_an_option_of_training(usual, tmp_path):
    arranging.arrange("inner", usual, tmp_path / "mine")
    (tmp_path / "mine/val").rename(tmp_path / "mine/valid")
    advice = check("folder", tmp_path / "mine").advice
    assert advice is not None
    assert " --data.val valid " in advice.commands[1]


def test_colours_in_the_usual_layout_are_seen(usual, tmp_path):
    rows = arranging.rows_of(usual)
    for file in list((usual / "labels").rglob("*.png")):
        arranging.copy_colored(file, file, rows)
    advice = check("folder", usual).advice
    assert advice is not None
    assert "label files hold colours, all of which the classes have" in advice.why
    assert advice.commands[0] == f"attseg data check {usual} --data.options.masks color"
    assert check("folder", usual, options={"masks": "color"}).ok


def test_masks_of_0_and_255_are_colours_where_the_classes_say_so(usual):
    for file in list((usual / "labels").rglob("*.png")):
        values = np.array(Image.open(file))
        Image.fromarray(np.where(values == 1, 255, 0).astype(np.uint8)).save(file)
    (usual / "classes.csv").write_text("index,name,r,g,b\n0,ground,0,0,0\n1,crack,255,255,255\n")
    advice = check("folder", usual).advice
    assert advice is not None
    assert advice.commands[0].endswith("--data.options.masks color")
    assert Folder(usual, "train", masks="color").classes.names == ("ground", "crack")


def test_two_patterns_that_fit_are_both_named(usual, tmp_path):
    for image, labels in arranging.pairs_of(usual)["train"]:
        for word in ("mask", "label"):
            arranging.copy(labels, tmp_path / "mine" / f"{labels.stem}_{word}.png")
        Image.open(image).convert("RGB").save(tmp_path / "mine" / f"{image.stem}.jpg")
    advice = advise(tmp_path / "mine", {}, [])
    assert advice is not None
    assert "2 arrangements fit, with other label files for the same pictures" in advice.why[0]
    assert [word in " ".join(advice.commands) for word in ("{stem}_mask.png", "{stem}_label.png")] == [True, True]


def test_what_is_drawn_is_no_label_file_and_what_is_left_out_is_counted(usual, tmp_path):
    for image, labels in arranging.pairs_of(usual)["train"]:
        arranging.copy(image, tmp_path / "mine" / image.name)
        arranging.copy(labels, tmp_path / "mine" / f"{labels.stem}_mask.png")
        arranging.copy(image, tmp_path / "mine" / "overlays" / image.name)
    (found,) = recognise(tmp_path / "mine")
    assert found.options == {"images": ".", "labels": "{stem}_mask.png", "split": 0.8}
    assert "7 other picture files not read" in found.describe()


def test_suffixes_alone_and_words_for_both_tell_pictures_from_labels(usual, tmp_path):
    for image, labels in arranging.pairs_of(usual)["train"]:
        arranging.copy(labels, tmp_path / "a" / labels.name)
        Image.open(image).convert("RGB").save(tmp_path / "a" / f"{image.stem}.jpg")
        arranging.copy(image, tmp_path / "b" / f"{image.stem}_rgb.png")
        arranging.copy(labels, tmp_path / "b" / f"{image.stem}_mask.png")
    for place, images, labels in (("a", "{stem}.jpg", "{stem}.png"), ("b", "{stem}_rgb.png", "{stem}_mask.png")):
        (found,) = recognise(tmp_path / place)
        assert (found.options["images"], found.options["labels"]) == (images, labels)


def test_frames_of_videos_bring_the_option_to_group(usual, tmp_path):
    pairs = arranging.pairs_of(usual)
    for index, (image, labels) in enumerate(pairs["train"] + pairs["val"]):
        arranging.copy(image, tmp_path / "mine" / f"clip{'ab'[index % 2]}_{index:03d}.png")
        arranging.copy(labels, tmp_path / "mine" / f"clip{'ab'[index % 2]}_{index:03d}_mask.png")
    arranging.copy(usual / "classes.csv", tmp_path / "mine" / "classes.csv")
    advice = advise(tmp_path / "mine", {}, [])
    assert advice is not None
    (line,) = [line for line in advice.why if "group" in line]
    group = shlex.split(line[line.index("'") : line.rindex("'") + 1])[0]
    data = Folder(tmp_path / "mine", "val", images=".", labels="{stem}_mask.png", split=0.5, group=group)
    assert {data.name(index)[:5] for index in range(len(data))} in ({"clipa"}, {"clipb"})


def test_a_folder_without_pairs_is_left_alone(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    assert recognise(tmp_path) == []
    assert check("folder", tmp_path).advice is None


def test_classes_are_proposed_from_values(usual):
    (usual / "classes.csv").unlink()
    advice = check("folder", usual).advice
    assert advice is not None
    assert advice.commands[0] == f"attseg data check {usual} --propose {usual / 'classes.csv'}"
    assert propose_classes(FolderFiles(RECORD, usual)).splitlines() == [
        "index,name,r,g,b,ignore",
        "0,class 0,0,0,0,",
        "1,class 1,128,0,0,",
        "2,class 2,0,128,0,",
        "255,ignored,224,224,192,1",
    ]
    assert not (usual / "classes.csv").exists()


def test_classes_are_proposed_from_colours(usual, tmp_path):
    options = arranging.arrange("colors", usual, tmp_path / "mine")
    (tmp_path / "mine/classes.csv").unlink()
    advice = check("folder", tmp_path / "mine").advice
    assert advice is not None
    assert "--data.options.masks color --propose" in advice.commands[0]
    text = propose_classes(FolderFiles(RECORD, tmp_path / "mine", **options))
    (tmp_path / "mine/classes.csv").write_text(text)
    assert sorted(line.split(",", 2)[2] for line in text.splitlines()[1:]) == [
        "0,0,255,",
        "0,255,0,",
        "255,0,0,",
        "9,9,9,",
    ]
    assert check("folder", tmp_path / "mine", options=options).ok


def test_binary_masks_get_the_usual_names(usual):
    (usual / "classes.csv").unlink()
    for file in list((usual / "labels").rglob("*.png")):
        Image.fromarray((np.array(Image.open(file)) == 1).astype(np.uint8) * 255).save(file)
    assert propose_classes(FolderFiles(RECORD, usual)).splitlines()[1:] == [
        "0,background,0,0,0,",
        "255,foreground,128,0,0,",
    ]


def test_too_many_values_are_no_classes(usual):
    noise = np.random.default_rng(0).integers(0, 65535, (40, 40)).astype(np.uint16)
    Image.fromarray(noise).save(next((usual / "labels/train").iterdir()))
    with pytest.raises(DataError, match="over 255 values, more than there can be classes"):
        propose_classes(FolderFiles(RECORD, usual))


def test_a_split_that_cannot_be_is_no_advice(tmp_path):
    with pytest.raises(UsageError):
        check("folder", tmp_path, options={"split": 2})


def test_colour_masks_beside_pictures_make_one_list_and_the_commands(tmp_path, capsys):
    root = tmp_path / "flat"
    root.mkdir()
    rng = np.random.default_rng(0)
    for index in range(1, 11):
        mask = np.zeros((48, 64, 3), np.uint8)
        mask[10:30, 10:40], mask[30:40, 20:60] = (255, 0, 0), (0, 128, 0)
        Image.fromarray(rng.integers(0, 256, mask.shape, np.uint8)).save(root / f"img_{index:03d}.jpg")
        Image.fromarray(mask).save(root / f"img_{index:03d}_mask.png")
    assert main(["data", "check", str(root)]) == 1
    text = capsys.readouterr().out
    options = "--data.options.images . --data.options.labels '{stem}_mask.png' --data.options.split 0.8"
    options += " --data.options.masks color"
    assert text.splitlines() == [
        f"folder in {root}",
        "",
        f"error: {root} is not arranged as images/train/*.jpg, labels/train/*.png, classes.csv; the options at the end read it "
        "where it lies",
        "1 error, to be mended before training: missing split (1)",
        "",
        "recognised:",
        "  - 10 pictures with labels",
        "  - label files hold colours",
        "  - there is no table of classes; the first command writes classes.csv with the colours that occur, and you put in "
        "their names",
        "to read this folder where it lies:",
        f"  attseg data check {root} {options} --propose {root / 'classes.csv'}",
        f"  attseg train pan-folder --data.root {root} {options}",
    ]
    assert main(shlex.split(text.splitlines()[-2])[1:]) == 0
    assert check("folder", root, options=options_of(text.splitlines()[-1])).ok


def test_a_folder_that_is_not_recognised_shows_what_was_expected(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (finding,) = check("folder", tmp_path).findings
    assert "expected" in finding.message
    assert finding.message.endswith("\nno other arrangement of pictures and labels was recognised")


@pytest.mark.parametrize(
    ("image", "labels", "options"),
    [
        ("{}_sat.jpg", "{}_mask.png", {"images": "{stem}_sat.jpg", "labels": "{stem}_mask.png", "split": 0.8}),
        ("img_{}.jpg", "mask_{}.png", {"images": "img_{stem}.jpg", "labels": "mask_{stem}.png", "split": 0.8}),
        (
            "rgb/img_{}.jpg",
            "gt/lbl_{}.png",
            {"images": "rgb/img_{stem}.jpg", "labels": "gt/lbl_{stem}.png", "split": 0.8},
        ),
        (
            "images/{}_leftImg8bit.png",
            "labels/{}_labelIds.png",
            {"images": "images/{stem}_leftImg8bit.png", "labels": "labels/{stem}_labelIds.png", "split": 0.8},
        ),
        ("img_dir/train/{}.jpg", "ann_dir/train/{}.png", {"images": "img_dir/{split}", "labels": "ann_dir/{split}"}),
    ],
)
def test_words_of_pictures_and_of_label_files_are_seen_at_both_ends_of_names(image, labels, options, tmp_path):
    for number in range(6):
        for name, shape in ((image, (8, 12, 3)), (labels, (8, 12))):
            path = tmp_path / name.format(f"{number:03d}")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros(shape, np.uint8)).save(path)
    (found,) = recognise(tmp_path)
    assert (found.options, found.pairs, found.problems) == (options, 6, [])


def test_words_that_differ_in_every_name_take_no_time():
    folders = [candidates._Folder(kind, {f"{kind}_a{n}": {".png"} for n in range(20_000)}) for kind in ("img", "lbl")]
    assert len([*candidates._two_folders(folders)]) < 200


@pytest.mark.parametrize(
    ("write", "format"),
    [
        (labelling.labelme_folder, "labelme"),
        (labelling.roboflow_folder, "COCO"),
        (labelling.coco_folder, "COCO"),
        (labelling.cvat_folder, "CVAT for images"),
        (labelling.studio_folder, "Label Studio"),
        (labelling.supervisely_folder, "Supervisely"),
    ],
)
def test_what_a_labelling_tool_exported_is_recognised_and_can_be_imported_as_said(write, format, tmp_path):
    write(tmp_path / "my export")
    result = check("folder", tmp_path / "my export")
    assert result.advice is not None and result.advice.imports
    assert result.advice.why[0].startswith(format)
    assert "the commands at the end import it" in result.findings[0].message
    imports, train = result.advice.commands
    assert main(shlex.split(imports)[1:]) == 0
    assert check("folder", shlex.split(train)[-1]).ok


def test_an_export_that_may_be_two_formats_names_both_commands(tmp_path):
    labelling.coco_folder(tmp_path / "both")
    labelling.cvat_folder(tmp_path / "both")
    advice = check("folder", tmp_path / "both").advice
    assert advice is not None
    first, second, _ = advice.commands
    assert sorted((first.split()[-1], second.split()[-1])) == ["coco", "cvat"]
