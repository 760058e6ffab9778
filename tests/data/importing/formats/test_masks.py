"""Label images in colours, with a palette and in numbers; the layout of Pascal VOC; Roboflow's semantic masks."""

import numpy as np
import pytest
from PIL import Image

from attseg.data.importing.job import import_data
from attseg.data.sample import DataError
from attseg.data.sets.voc import VOC
from attseg.errors import UsageError
from labelling import HEIGHT, WIDTH, index_mask, read_labels, voc_folder, write_picture

COLORS = np.array([(0, 0, 0), (255, 0, 0), (10, 20, 30)], np.uint8)


def write_mask(path, values, kind="colors"):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind in ("colors", "opaque"):
        pixels = COLORS[values]
        Image.fromarray(np.dstack([pixels, np.full(values.shape, 255, np.uint8)]) if kind == "opaque" else pixels).save(
            path
        )
        return
    image = Image.fromarray(values)
    if kind == "palette":
        image.putpalette(COLORS.tobytes())
    image.save(path)


def masks_folder(folder, kind="colors", suffix=".png", count=5):
    for index in range(count):
        write_picture(folder / "images" / "day" / f"p{index}.JPG", index)
        write_mask(folder / "masks" / "day" / f"p{index}{suffix}", index_mask(index), kind)
    (folder / "class_dict.csv").write_text("name,r,g,b\nbackground,0,0,0\ncrack,255,0,0\nleaf,10,20,30\n")
    return folder


def check(out, count=5):
    found = [*(out / "labels").rglob("*.png")]
    assert len(found) == count
    for path in found:
        assert (read_labels(path) == index_mask(int(path.stem[1]))).all(), path


@pytest.mark.parametrize("kind", ["colors", "opaque", "palette", "gray"])
@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_folders(tmp_path, kind, suffix):
    if kind == "opaque" and suffix == ".bmp":
        pytest.skip("Pillow writes no opacity into BMP")
    report = import_data(masks_folder(tmp_path / "e", kind, suffix), tmp_path / "out")
    assert report.ok and report.format == "masks" and report.classes == ["background", "crack", "leaf"]
    check(tmp_path / "out")
    assert [*(tmp_path / "out" / "images").rglob("day/p0.JPG")]


def test_masks_beside_their_pictures(tmp_path):
    for index in range(5):
        write_picture(tmp_path / "e" / f"p{index}.jpg", index)
        write_mask(tmp_path / "e" / f"p{index}_mask.png", index_mask(index))
    (tmp_path / "e" / "class_dict.csv").write_text("name,r,g,b\nbackground,0,0,0\ncrack,255,0,0\nleaf,10,20,30\n")
    assert import_data(tmp_path / "e", tmp_path / "out").ok
    check(tmp_path / "out")


def test_masks_of_roboflow(tmp_path):
    for split, numbers in (("train", (0, 1, 2)), ("valid", (3, 4))):
        for index in numbers:
            write_picture(tmp_path / "e" / split / f"p{index}_jpg.rf.0f.jpg", index)
            write_mask(tmp_path / "e" / split / f"p{index}_jpg.rf.0f_mask.png", index_mask(index), "gray")
        (tmp_path / "e" / split / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, crack\n2, leaf\n")
    report = import_data(tmp_path / "e", tmp_path / "out")
    assert report.splits == {"train": 3, "val": 2} and report.classes == ["background", "crack", "leaf"]
    check(tmp_path / "out")


def test_a_binary_mask_of_0_and_255(tmp_path):
    folder = masks_folder(tmp_path / "e")
    for path in (folder / "masks").rglob("*.png"):
        Image.fromarray(np.array(read_labels(path).any(axis=2) * 255, np.uint8)).save(path)
    (folder / "class_dict.csv").write_text("name,r,g,b\nnone,0,0,0\ncrack,255,255,255\n")
    assert import_data(folder, tmp_path / "out").classes == ["none", "crack"]
    for path in (tmp_path / "out" / "labels").rglob("*.png"):
        assert (read_labels(path) == (index_mask(int(path.stem[1])) > 0)).all()


def test_without_a_table_one_is_proposed_that_works(tmp_path):
    folder = masks_folder(tmp_path / "e")
    (folder / "class_dict.csv").unlink()
    with pytest.raises(UsageError, match="no table of classes") as error:
        import_data(folder, tmp_path / "out")
    table = str(error.value).split("import again:\n")[1].split("\n(in ")[0].replace("  ", "")
    (folder / "classes.csv").write_text(table)
    report = import_data(folder, tmp_path / "out")
    assert report.ok and sorted(report.classes) == ["background", "class 0a141e", "class ff0000"]
    lookup = {tuple(map(int, line.split(",")[2:5])): int(line.split(",")[0]) for line in table.splitlines()[1:]}
    order = np.array([lookup[tuple(color)] for color in COLORS.tolist()])
    for path in (tmp_path / "out" / "labels").rglob("*.png"):
        assert (read_labels(path) == order[index_mask(int(path.stem[1]))]).all()


def test_an_unknown_color_is_named_with_its_share_and_the_nearest_class(tmp_path):
    folder = masks_folder(tmp_path / "e")
    values = COLORS[index_mask(0)]
    values[0, :24] = (250, 0, 0)
    Image.fromarray(values).save(folder / "masks" / "day" / "p0.png")
    report = import_data(folder, tmp_path / "out")
    assert "holds 1 colour that no class has, in 1 % of its pixels: (250, 0, 0)" in report.broken["day/p0"]
    assert "nearest is crack (255, 0, 0)" in report.broken["day/p0"]
    assert "--data.options" not in report.broken["day/p0"]


def test_masks_that_were_compressed_with_loss_or_resized(tmp_path):
    folder = masks_folder(tmp_path / "e")
    Image.fromarray(COLORS[index_mask(0)]).save(folder / "masks" / "day" / "p0.png", "JPEG")
    Image.fromarray(COLORS[index_mask(1)[:30]]).save(folder / "masks" / "day" / "p1.png")
    report = import_data(folder, tmp_path / "out")
    assert "compressed with loss" in report.broken["day/p0"]
    assert (
        f"for 30 x {WIDTH} pixels (height x width), and the picture has {HEIGHT} x {WIDTH}" in report.broken["day/p1"]
    )


@pytest.mark.parametrize("colors", [True, False])
def test_voc_with_a_label_map(tmp_path, colors):
    report = import_data(voc_folder(tmp_path / "e", colors=colors), tmp_path / "out")
    assert (report.format, report.splits) == ("voc", {"train": 4, "val": 2})
    assert report.classes == ["background", "crack", "leaf"]
    check(tmp_path / "out", 6)
    table = (tmp_path / "out" / "classes.csv").read_text()
    assert "1,crack,250,50,83,0" in table and "\n255" not in table


def test_voc_of_the_release(tmp_path):
    folder = tmp_path / "e" / "VOC2012"
    for index in range(4):
        write_picture(folder / "JPEGImages" / f"p{index}.jpg", index)
        values = np.resize(np.array([0, 5, 20, 255], np.uint8), (HEIGHT, WIDTH))
        image = Image.fromarray(values)
        image.putpalette(VOC.palette.tobytes()[:765] + bytes((224, 224, 192)))
        (folder / "SegmentationClass").mkdir(exist_ok=True)
        image.save(folder / "SegmentationClass" / f"p{index}.png")
    report = import_data(tmp_path / "e", tmp_path / "out")
    assert report.classes == list(VOC.names)
    labels = read_labels(next((tmp_path / "out" / "labels").rglob("p0.png")))
    assert (labels == values).all()
    assert "255,ignore" in (tmp_path / "out" / "classes.csv").read_text()


def test_pictures_in_no_list_are_left_out(tmp_path):
    folder = voc_folder(tmp_path / "e")
    (folder / "ImageSets" / "Segmentation" / "train.txt").write_text("p0\np1\n")
    report = import_data(folder, tmp_path / "out")
    assert report.splits == {"train": 2, "val": 2}
    assert report.skipped == dict.fromkeys(("p2", "p3"), "the export puts them into no split")


def test_chosen_classes_leave_the_others_to_the_background(tmp_path):
    report = import_data(masks_folder(tmp_path / "e"), tmp_path / "out", classes=("leaf",))
    assert report.classes == ["background", "leaf"]
    for path in (tmp_path / "out" / "labels").rglob("*.png"):
        assert (read_labels(path) == (index_mask(int(path.stem[1])) == 2)).all()


def test_two_classes_of_one_colour_are_refused_where_colours_count(tmp_path):
    table = "index,name,r,g,b\n0,background,0,0,0\n1,crack,255,0,0\n2,leaf,255,0,0\n"
    for kind in ("gray", "colors", "palette"):
        folder = masks_folder(tmp_path / kind, kind)
        (folder / "class_dict.csv").unlink()
        (folder / "classes.csv").write_text(table)
    assert import_data(tmp_path / "gray", tmp_path / "out").ok
    check(tmp_path / "out")
    for kind in ("colors", "palette"):
        with pytest.raises(DataError, match=r"gives the colour \(255, 0, 0\) to crack \(1\) and to leaf"):
            import_data(tmp_path / kind, tmp_path / "other")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("label_colors.txt", "0 0 0 background\n255 0 0 crack\n10 20 30 leaf\n"),
        ("Labels.txt", "background\ncrack\nleaf\n"),
        ("dataset_meta.json", '{"label_map": {"0": "background", "1": "crack", "2": "leaf"}}'),
    ],
)
def test_each_table_that_is_read_in_place_is_imported(name, text, tmp_path):
    folder = masks_folder(tmp_path / "e", "gray")
    (folder / "class_dict.csv").unlink()
    (folder / "masks" / name).write_text(text)
    assert import_data(folder, tmp_path / "out").classes == ["background", "crack", "leaf"]
    check(tmp_path / "out")


def test_a_table_that_is_none_is_named(tmp_path):
    folder = masks_folder(tmp_path / "e")
    (folder / "class_dict.csv").write_text("name,r,g,b\nbackground,0,0,red\n")
    with pytest.raises(
        UsageError, match=r"(?s)no table of classes\. Save this.*no table of classes, for all its name: .*class_dict"
    ):
        import_data(folder, tmp_path / "out")
