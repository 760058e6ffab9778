"""What all formats share: splits, overlaps, names, orientation, and a folder that is whole or not there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import attseg
from attseg.data.checking import check as checking
from attseg.data.importing.job import import_data
from attseg.data.sample import DataError
from attseg.data.splitting import read_splits
from attseg.errors import UsageError
from labelling import (
    CRACK,
    HEIGHT,
    LEAF,
    WIDTH,
    coco,
    coco_folder,
    cvat_folder,
    flat,
    labelme_folder,
    labelme_mask,
    labelme_shape,
    read_labels,
    roboflow_folder,
    supervisely_folder,
    voc_folder,
    write_json,
    write_labelme,
    write_picture,
)


def contents(folder):
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def masks(*regions):
    """labelme's shapes of rectangles of pixels: (label, top, left, height, width)."""
    return [labelme_mask(label, np.ones((h, w), bool), left, top) for label, top, left, h, w in regions]


@pytest.mark.parametrize(
    "make", [labelme_folder, coco_folder, roboflow_folder, cvat_folder, supervisely_folder, voc_folder]
)
def test_the_check_finds_nothing_wrong(tmp_path, make):
    report = attseg.import_data(make(tmp_path / "e"), tmp_path / "out")
    result = checking.check("folder", tmp_path / "out")
    assert result.ok and not [finding for finding in result.findings if finding.severity != "note"]
    assert {split: summary.pictures for split, summary in result.splits.items()} == report.splits
    assert list(result.classes.names) == report.classes
    for split, summary in result.splits.items():
        assert summary.pixels == [report.pixels[split].get(name, 0) for name in report.classes]


def test_two_imports_are_equal(tmp_path):
    labelme_folder(tmp_path / "e")
    for out in ("a", "b"):
        import_data(tmp_path / "e", tmp_path / out)
    ours, theirs = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == ["import.json"]  # holds times of files


def test_pictures_are_the_same_bytes_or_links(tmp_path):
    folder = labelme_folder(tmp_path / "e")
    import_data(folder, tmp_path / "copied")
    import_data(folder, tmp_path / "linked", link=True)
    for out in ("copied", "linked"):
        for path in (tmp_path / out / "images").rglob("*.jpg"):
            assert path.read_bytes() == (folder / path.name).read_bytes()
            assert path.samefile(folder / path.name) == (out == "linked")


def test_the_later_or_the_smaller_region_wins(tmp_path):
    folder = labelme_folder(tmp_path / "e", 2)
    write_labelme(
        folder / "p0.json",
        masks(("crack", 5, 5, 4, 4), ("leaf", 0, 0, 20, 20), ("crack", 2, 2, 2, 2), ("crack", 2, 3, 2, 2)),
    )
    later, smaller = (import_data(folder, tmp_path / rule, overlap=rule) for rule in ("later", "smaller"))
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[:20, :20] = 2
    expected[2:4, 2:5] = 1
    assert (read_labels(next((tmp_path / "later").rglob("p0.png"))) == expected).all()
    expected[5:9, 5:9] = 1
    assert (read_labels(next((tmp_path / "smaller").rglob("p0.png"))) == expected).all()
    other = later.overlaps["crack", "leaf"] - 16  # of the other picture
    assert later.overlaps == {("crack", "leaf"): 16 + other, ("leaf", "crack"): 6}
    assert smaller.overlaps["leaf", "crack"] == 16 + 6 + (other if ("crack", "leaf") not in smaller.overlaps else 0)
    assert later.overlapping_pictures == 2
    assert any("what was drawn later wins (--overlap smaller" in remark for remark in later.remarks)


def test_pixels_that_no_region_covers_may_be_ignored(tmp_path):
    folder = labelme_folder(tmp_path / "e")
    write_labelme(folder / "p0.json", [])
    report = import_data(folder, tmp_path / "out", uncovered="ignore")
    assert report.classes == ["crack", "leaf"]
    assert report.skipped == {"p0": "no region is on them, and what is not covered is ignored"}
    labels = read_labels(next((tmp_path / "out" / "labels").rglob("p1.png")))
    assert sorted(np.unique(labels)) == [0, 1, 255]
    assert checking.check("folder", tmp_path / "out").ok


def test_shares_seeds_and_groups(tmp_path):
    folder = tmp_path / "e"
    for video in "abcde":
        for frame in range(4):
            name = f"video_{video}-{frame:03d}"
            write_picture(folder / f"{name}.jpg", ord(video) * 10 + frame)
            write_labelme(folder / f"{name}.json", [labelme_shape("crack", CRACK), labelme_shape("leaf", LEAF)])
    report = import_data(folder, tmp_path / "a", split=0.6, group="video_[a-z]")
    assert report.splits == {"train": 12, "val": 8}
    splits = read_splits(tmp_path / "a" / "splits.csv")
    assert len(splits) == 20 and len({name[:7] for name, split in splits.items() if split == "val"}) == 2
    for name, split in splits.items():
        assert (tmp_path / "a" / "images" / split / f"{name}.jpg").is_file()
    seeds = [tuple(sorted(read_splits_of(folder, tmp_path / f"s{seed}", seed=seed).items())) for seed in (1, 1, 2)]
    assert seeds[0] == seeds[1] != seeds[2]
    with pytest.raises(UsageError, match="--split is 8"):
        import_data(folder, tmp_path / "b", split=8.0)


def test_pictures_with_nothing_on_them_are_spread_too(tmp_path):
    """Pairs of pictures, as in docs/start/first-model.md: every second pair has one without a region."""
    folder = tmp_path / "e"
    for index in range(40):
        name = f"wall{index // 2:02d}_{index % 2}"
        write_picture(folder / f"{name}.jpg", index)
        write_labelme(folder / f"{name}.json", [labelme_shape("crack", CRACK)] * (index % 4 > 0))
    report = import_data(folder, tmp_path / "out", group="wall[0-9]+")
    assert report.splits == {"train": 32, "val": 8}
    empty = [not read_labels(path).any() for path in (tmp_path / "out" / "labels" / "val").iterdir()]
    assert sum(empty) == 2


def read_splits_of(folder, out, **options):
    import_data(folder, out, **options)
    return read_splits(out / "splits.csv")


def test_a_split_file_is_kept_for_old_pictures(tmp_path):
    folder = labelme_folder(tmp_path / "e", 10)
    before = read_splits_of(folder, tmp_path / "a", split=0.5)
    for index in range(10, 14):
        write_picture(folder / f"p{index}.jpg", index)
        write_labelme(folder / f"p{index}.json", [labelme_shape("crack", CRACK)])
    after = read_splits_of(folder, tmp_path / "b", split=tmp_path / "a" / "splits.csv")
    assert {name: after[name] for name in before} == before
    assert len(after) == 14


def test_the_splits_of_an_export_are_taken_or_made_anew(tmp_path):
    folder = roboflow_folder(tmp_path / "e")
    assert import_data(folder, tmp_path / "a").splits == {"train": 4, "val": 2, "test": 1}
    report = import_data(folder, tmp_path / "b", split=0.5)
    assert report.splits == {"train": 3, "val": 3, "test": 1}
    assert any("were not taken, by --split" in remark for remark in report.remarks)
    shutil.rmtree(folder / "valid")
    assert import_data(folder, tmp_path / "c").splits == {"train": 3, "val": 1, "test": 1}
    with pytest.raises(UsageError, match="add --split"):
        import_data(roboflow_folder(tmp_path / "f"), tmp_path / "d", group="folder")


def test_odd_names(tmp_path):
    folder = tmp_path / "e x"
    names = ["a b/Straße (1)", "c/Straße (1)", "漢字", "a'b,c", "é", "x.y", "UPPER", ".hidden"]
    for index, name in enumerate(names[:-1]):
        write_picture(folder / f"{name}.JPG", index, format="JPEG")
        write_labelme(
            folder / f"{name}.json",
            [labelme_shape("crack", CRACK), labelme_shape("leaf", LEAF)],
            f"{name.split('/')[-1]}.JPG",
        )
    write_picture(folder / "upper.png", 20)
    write_labelme(folder / "upper.json", [labelme_shape("crack", CRACK)], "upper.png")
    report = import_data(folder, tmp_path / "out", split=0.5)
    assert report.ok, report.broken
    images = tmp_path / "out" / "images"
    found = {path.relative_to(images).as_posix().partition("/")[2] for path in images.rglob("*.*") if path.is_file()}
    assert found == {
        "a b/Straße (1).JPG",
        "c/Straße (1).JPG",
        "漢字.JPG",
        "a'b,c.JPG",
        "é.JPG",
        "x.y.JPG",
        "UPPER.JPG",
        "upper_2.png",
    }
    assert checking.check("folder", tmp_path / "out").ok


def test_names_that_are_not_unicode_or_very_long(tmp_path):
    folder = labelme_folder(tmp_path / "e", 3)
    for number, stem in enumerate((b"caf\xe9", b"x" * 240, b"con\x1b[31m", "\u202egpj.x".encode())):
        name = os.fsdecode(stem)
        write_picture(folder / f"{name}.jpg", 50 + number)
        write_labelme(folder / f"{name}.json", [labelme_shape("crack", CRACK)], "")
        (folder / f"{name}.json").write_text((folder / f"{name}.json").read_text().replace(f'"{name}.jpg"', "null"))
    report = import_data(folder, tmp_path / "out")
    assert report.ok, report.broken
    assert sum(report.splits.values()) == 7
    names = [path.name for path in (tmp_path / "out" / "images").rglob("*.jpg")]
    assert all(name.isprintable() and len(name.encode()) < 200 for name in names)
    assert checking.check("folder", tmp_path / "out").ok


def test_names_of_classes(tmp_path):
    folder = labelme_folder(tmp_path / "e")
    labels = ["Crack", " crack", 'a "quoted", name', "tab\tand\x1b[31m", "x" * 500, "naïve", "nai\u0308ve", "", "void"]
    write_labelme(folder / "p0.json", [labelme_shape(label, CRACK) for label in labels])
    report = import_data(folder, tmp_path / "out")
    assert checking.check("folder", tmp_path / "out").ok
    assert {"Crack", "crack", 'a "quoted", name', "tab and\\x1b[31m", "naïve", "unnamed"} <= set(report.classes)
    assert max(map(len, report.classes)) == 200 and "void" not in report.classes
    assert any("differ in capital letters alone: Crack, crack" in remark for remark in report.remarks)
    assert any("taken for one class: naïve" in remark for remark in report.remarks)
    assert any(remark == "ignored (255): void" for remark in report.remarks)


def test_hundreds_of_classes(tmp_path):
    names = [f"p{index}.jpg" for index in range(4)]
    for index, name in enumerate(names):
        write_picture(tmp_path / "e" / "images" / name, index)
    kinds = [f"kind {number}" for number in range(300)]
    file = write_json(tmp_path / "e" / "a.json", coco(names, [(i, 1 + i, [flat(CRACK)], {}) for i in range(4)], kinds))
    with pytest.raises(UsageError, match="301 classes are too many.*--classes"):
        import_data(file, tmp_path / "out")
    report = import_data(file, tmp_path / "out", classes=("kind 1", "kind 0"))
    assert report.classes == ["background", "kind 1", "kind 0"]
    assert any("2 pictures without a region are background" in remark for remark in report.remarks)
    with pytest.raises(UsageError, match="no class 'kind_2'; did you mean 'kind 2'"):
        import_data(file, tmp_path / "other", classes=("kind_2",))


def test_one_class_alone_is_refused_where_nothing_is_background(tmp_path):
    folder = labelme_folder(tmp_path / "e")
    with pytest.raises(UsageError, match="only one class would count"):
        import_data(folder, tmp_path / "out", uncovered="ignore", classes=("crack",))


def turned(path, orientation):
    image, exif = Image.open(path), Image.Exif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path, orientation):
    """Labels of a picture with an EXIF orientation fit the picture as Pillow turns it upright, however they were drawn."""
    shown = (HEIGHT, WIDTH) if orientation < 5 else (WIDTH, HEIGHT)
    for way, size in (("applied", shown), ("raw", (HEIGHT, WIDTH))):
        folder = labelme_folder(tmp_path / way, 3)
        turned(folder / "p0.jpg", orientation)
        mark = np.random.default_rng(0).random((7, 9)) < 0.5
        write_labelme(folder / "p0.json", [labelme_mask("crack", mark, 3, 2)], size=size)
        report = import_data(folder, tmp_path / f"out-{way}", orientation=way)
        expected = np.zeros(size, np.uint8)
        expected[2:9, 3:12] = mark
        if way == "raw":
            image, exif = Image.fromarray(expected), Image.Exif()
            exif[0x0112] = orientation
            image.save(tmp_path / "x.png", exif=exif)
            from PIL import ImageOps

            expected = np.array(ImageOps.exif_transpose(Image.open(tmp_path / "x.png")))
        assert (read_labels(next((tmp_path / f"out-{way}" / "labels").rglob("p0.png"))) == expected).all(), way
        unclear = any("that sizes do not reveal" in remark for remark in report.remarks)
        assert unclear == (way == "applied" and orientation in (2, 3, 4))
        assert checking.check("folder", tmp_path / f"out-{way}").ok


def test_an_import_is_repeated_over_its_own_folder_and_no_other(tmp_path):
    folder = labelme_folder(tmp_path / "e")
    out = tmp_path / "out"
    import_data(folder, out)
    import_data(folder, out, split=0.5)
    assert json.loads((out / "import.json").read_text())["splits"] == {"train": 3, "val": 3}
    retouched = next((out / "labels").rglob("*.png"))
    Image.open(retouched).save(retouched, optimize=True)
    with pytest.raises(UsageError, match=f"{retouched.name} in it was not written by an import, or was changed"):
        import_data(folder, out)
    shutil.rmtree(out)
    import_data(folder, out)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt in it"):
        import_data(folder, out)
    (tmp_path / "empty").mkdir()
    import_data(folder, tmp_path / "empty")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no folder"):
        import_data(folder, tmp_path / "file")
    with pytest.raises(UsageError, match="lies in the export"):
        import_data(folder, folder / "out")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is a link"):
        import_data(folder, tmp_path / "link")


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    folder = labelme_folder(tmp_path / "e")
    from attseg.data.importing import job

    def fails(folder, report):
        raise RuntimeError

    monkeypatch.setattr(job, "save", fails)
    with pytest.raises(RuntimeError):
        import_data(folder, tmp_path / "new" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e"]


@pytest.mark.slow
def test_a_killed_import_leaves_no_folder_and_the_next_one_works(tmp_path):
    folder = labelme_folder(tmp_path / "e", 200)
    code = f"from attseg.data.importing.job import import_data; import_data({str(folder)!r}, {str(tmp_path / 'out')!r})"
    process = subprocess.Popen([sys.executable, "-c", code])
    part = tmp_path / ".out.import" / "labels"
    while process.poll() is None and not part.exists():
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out").exists()
    import_data(folder, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e", "out"]


@pytest.mark.parametrize(
    ("kind", "suffix"), [("zip", ".ZIP"), ("tar", ".tar"), ("gztar", ".tar.gz"), ("gztar", ".TGZ")]
)
def test_archives(tmp_path, kind, suffix):
    labelme_folder(tmp_path / "e" / "project")
    made = Path(shutil.make_archive(tmp_path / "made", kind, tmp_path / "e"))
    report = import_data(made.rename(tmp_path / f"export{suffix}"), tmp_path / "out")
    assert (report.format, report.splits) == ("labelme", {"train": 5, "val": 1})


def test_zip_files(tmp_path):
    folder = cvat_folder(tmp_path / "e")
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as file:
        for path in folder.rglob("*.*"):
            file.write(path, path.relative_to(folder))
    report = import_data(tmp_path / "e.zip", tmp_path / "out", link=True)
    assert report.splits == {"train": 5, "val": 1} and report.format == "cvat"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e", "e.zip", "out"]
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
        file.writestr("../escaped.txt", "x")
    with pytest.raises(DataError, match="leads elsewhere"):
        import_data(tmp_path / "evil.zip", tmp_path / "other")
    assert not (tmp_path / "escaped.txt").exists()


def test_an_export_in_a_folder_of_its_own_within_the_archive(tmp_path):
    supervisely_folder(tmp_path / "e" / "project 7")
    shutil.make_archive(tmp_path / "e", "zip", tmp_path / "e")
    for source in (tmp_path / "e", tmp_path / "e.zip"):
        assert import_data(source, tmp_path / "out").format == "supervisely"


def test_pictures_elsewhere_are_not_taken(tmp_path):
    """A name in an export does not choose which of a person's files are copied."""
    secret = write_picture(tmp_path / "secret.jpg", 1)
    folder = coco_folder(tmp_path / "e")
    content = coco([str(secret), "../secret.jpg", "p1.jpg", "p2.jpg"], [(i, 1, [flat(CRACK)], {}) for i in range(4)])
    write_json(folder / "annotations" / "instances_default.json", content)
    report = import_data(folder, tmp_path / "out")
    assert len(report.broken) == 2 and all("was not found in" in reason for reason in report.broken.values())


def test_pictures_of_one_name_in_two_folders(tmp_path):
    folder = tmp_path / "e"
    for place in ("a", "b"):
        for index in range(2):
            write_picture(folder / "images" / place / f"{index}.jpg", index + 10 * (place == "b"))
    found = [(i, 1 + i // 2, [flat(CRACK)], {}) for i in range(4)]
    write_json(folder / "ann.json", coco(["a/0.jpg", "a\\1.jpg", "b/0.jpg", "C:\\data\\b\\1.jpg"], found))
    assert import_data(folder, tmp_path / "out").ok
    for path in (tmp_path / "out" / "images").rglob("*.jpg"):
        assert path.read_bytes() == (folder / "images" / path.parent.name / path.name).read_bytes()
        assert read_labels(
            next((tmp_path / "out" / "labels").rglob(f"{path.parent.name}/{path.stem}.png"))
        ).max() == 1 + (path.parent.name == "b")
    write_json(
        folder / "ann.json", coco(["0.jpg", "a/1.jpg", "b/1.jpg"], [(i, 1, [flat(CRACK)], {}) for i in range(3)])
    )
    report = import_data(folder, tmp_path / "out")
    assert "the export does not say which" in report.broken["0"]


def test_a_picture_that_is_listed_twice(tmp_path):
    folder = coco_folder(tmp_path / "e")
    content = coco(["p0.jpg", "p1.jpg", "p0.jpg"], [(i, 1, [flat(CRACK)], {}) for i in range(3)])
    write_json(folder / "annotations" / "instances_default.json", content)
    report = import_data(folder, tmp_path / "out")
    assert len(report.broken) == 1 and "is that of p0 too" in next(iter(report.broken.values()))


def test_regions_outside_of_their_picture_are_counted(tmp_path):
    folder = labelme_folder(tmp_path / "e")
    outside = [[x + 500, y] for x, y in CRACK]
    write_labelme(
        folder / "p0.json",
        [labelme_shape("crack", outside), labelme_shape("leaf", [[-9, -9], [99, -9], [99, 99], [-9, 99]])],
    )
    report = import_data(folder, tmp_path / "out")
    assert report.left_out == {"region without a pixel in its picture": 1}
    assert (read_labels(next((tmp_path / "out" / "labels").rglob("p0.png")))[1:] == 2).all()


def test_two_formats_in_one_folder_are_refused_with_the_options_that_decide(tmp_path):
    folder = cvat_folder(coco_folder(tmp_path / "e"))
    with pytest.raises(UsageError, match="may be .*--format cvat or --format coco"):
        import_data(folder, tmp_path / "out")
    assert import_data(folder, tmp_path / "out", format="coco").format == "coco"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "0 0.5 0.5 0.1 0.1", "1 .txt.*YOLO"),
        ("a.xml", "<annotation><object/></annotation>", "hold boxes"),
        ("a.json", "{", "is no JSON"),
        ("a.json", "{}", "1 .json"),
        ("a.json", '[{"image": "a.jpg", "annotator": 1}]', "JSON-MIN"),
        ("a.jpg", "", "1 .jpg"),
    ],
)
def test_folders_that_are_no_export(tmp_path, name, content, said):
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / name).write_text(content)
    with pytest.raises(UsageError, match=said):
        import_data(tmp_path / "e", tmp_path / "out")


def test_a_data_set_that_is_one_already(tmp_path):
    import_data(labelme_folder(tmp_path / "e"), tmp_path / "a")
    with pytest.raises(UsageError, match="nothing need be imported"):
        import_data(tmp_path / "a", tmp_path / "b")


def test_names_that_are_near(tmp_path):
    labelme_folder(tmp_path / "export")
    with pytest.raises(UsageError, match="did you mean"):
        import_data(tmp_path / "exprot", tmp_path / "out")
    with pytest.raises(UsageError, match="did you mean 'labelme'"):
        import_data(tmp_path / "export", tmp_path / "out", format="lableme")
    with pytest.raises(UsageError, match="no overlap 'first'"):
        import_data(tmp_path / "export", tmp_path / "out", overlap="first")
