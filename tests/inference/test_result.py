from io import BytesIO

import matplotlib.pyplot
import numpy as np
import pytest
import torch
from PIL import Image

from attseg.data.classes import ClassTable
from attseg.data.reading.image import read_labels
from attseg.errors import UsageError
from attseg.explain.capture import AttentionMap
from attseg.explain.looked import Looked
from attseg.files import FileError
from attseg.inference.result import Result
from attseg.inference.saved import NARROWEST_LEGEND, read_mark

CLASSES = ClassTable(("sky", "road", "boat"), ((10, 20, 30), (200, 100, 0), (0, 255, 128)))


def look():
    """A map with the row of each position in one channel and its column in the other."""
    rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(300.0), indexing="ij")
    maps = AttentionMap("tap", "spatial", torch.stack((rows, columns))[None])
    return Looked(torch.zeros(3, 40, 300), [maps], torch.nn.Identity(), torch.zeros(1, 3, 40, 300))


def result(height=40, width=300, name="a/street"):
    labels = np.full((height, width), 2, np.uint8)
    labels[: height // 4] = 0
    image = np.full((height, width, 3), 100, np.uint8)
    return Result(image, labels, np.full((height, width), 0.5, np.float32), CLASSES, name, look)


def test_names_are_those_of_present_classes_by_area():
    assert result().names == ["boat", "sky"]


def test_repr_is_short():
    assert repr(result()) == "Result('a/street', 40 x 300, boat, sky)"


def test_overlay_mixes_colours_by_opacity():
    mixed = np.asarray(result().overlay(0.25, legend=False))
    assert mixed.shape == (40, 300, 3)
    assert mixed[0, 0].tolist() == [78, 80, 82]  # 3/4 of 100 and 1/4 of the sky's colour, rounded
    assert mixed[-1, -1].tolist() == [75, 139, 107]


def test_the_legend_stands_below_in_the_colours_of_the_classes():
    page = np.asarray(result().overlay(1.0))
    assert page.shape[0] > 40
    assert page.shape[1] == 300
    strip = page[40:].reshape(-1, 3).tolist()
    assert [10, 20, 30] in strip
    assert [0, 255, 128] in strip
    assert [200, 100, 0] not in strip


def test_narrow_pictures_get_a_legend_that_can_be_read():
    page = result(4, 1).overlay()
    assert page.width == NARROWEST_LEGEND
    assert page.getpixel((100, 1)) == (255, 255, 255)


def test_the_legend_grows_with_the_picture():
    heights = [result(4, width).overlay().height - 4 for width in (1000, 4000)]
    assert heights[1] == 4 * heights[0]


def test_a_wrong_opacity_is_refused():
    with pytest.raises(UsageError, match=r"opacity is 50; a share between 0 and 1"):
        result().overlay(50)


def test_attention_is_what_the_network_saw():
    one = result()
    (read,) = one.attention(3, 4)
    assert read.values.tolist() == [4, 3]
    assert one.looked is one.looked
    with pytest.raises(UsageError, match="x=300, y=4 is outside the picture: x goes from 0 to 299, y from 0 to 39"):
        one.attention(300, 4)


def test_saved_files_hold_the_labels_and_the_overlay(tmp_path):
    one = result()
    files = one.save(tmp_path / "out")
    assert files == (tmp_path / "out/labels/a/street.png", tmp_path / "out/overlays/a/street.jpg")
    with Image.open(files.labels) as picture:
        assert picture.mode == "P"
        assert np.array_equal(np.asarray(picture), one.labels)
        assert np.array_equal(np.asarray(picture.convert("RGB")), np.array(CLASSES.colors, np.uint8)[one.labels])
    assert np.array_equal(read_labels(files.labels, CLASSES), one.labels)
    with Image.open(files.overlay) as picture:
        difference = np.asarray(picture).astype(int) - np.asarray(one.overlay())
    assert np.abs(difference).mean() < 2


def test_all_labels_survive_their_file(tmp_path):
    classes = ClassTable(tuple(f"class {index}" for index in range(255)), tuple((index, 0, 0) for index in range(255)))
    labels = np.arange(255, dtype=np.uint8).reshape(15, 17)
    one = Result(np.zeros((15, 17, 3), np.uint8), labels, np.ones((15, 17), np.float32), classes, "many", look)
    assert np.array_equal(read_labels(one.save(tmp_path).labels, classes), labels)


def test_marks_are_kept_in_the_label_file(tmp_path):
    one = result()
    one.save_labels(tmp_path / "marked.png", mark="weights-picture")
    one.save_labels(tmp_path / "plain.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    marks = [read_mark(tmp_path / f"{name}.png") for name in ("marked", "plain", "broken", "missing")]
    assert marks == ["weights-picture", None, None, None]


def test_pictures_too_long_for_jpeg_are_saved_smaller(tmp_path):
    result(1, 70_000).save_overlay(tmp_path / "long.jpg")
    with Image.open(tmp_path / "long.jpg") as picture:
        assert picture.width == 65_000


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(FileError, match=r"cannot write .*street\.jpg: a file is where the folder .* should be"):
        result().save(tmp_path / "out")


@pytest.fixture
def screen(monkeypatch):
    """A backend that can show figures, where nothing is shown."""
    monkeypatch.setattr(matplotlib.pyplot, "show", lambda: None)
    monkeypatch.setattr("attseg.inference.screen.get_backend", lambda: "module://matplotlib_inline.backend_inline")


@pytest.mark.usefixtures("screen")
def test_show_puts_picture_and_overlay_side_by_side():
    with matplotlib.rc_context({"backend": "agg"}):
        result().show()
        figure = matplotlib.pyplot.gcf()
        assert [axis.get_images()[0].get_size()[1] for axis in figure.axes] == [300, 300]
        assert figure.get_suptitle() == "a/street"
        matplotlib.pyplot.close(figure)


@pytest.mark.usefixtures("screen")
def test_show_at_a_pixel_draws_what_attention_holds_for_it():
    try:
        result().show(at=(3, 4))
        figure = matplotlib.pyplot.gcf()
        assert figure.get_suptitle() == "a/street, pixel x=3, y=4"
        assert [axes.get_title() for axes in figure.axes if axes.axison or axes.get_title()] == [
            "picture",
            "sky",
            "Where: 3.50",
        ]
    finally:
        matplotlib.pyplot.close("all")
    with pytest.raises(UsageError, match="x=300, y=4 is outside the picture"):
        result().show(at=(300, 4))


@pytest.mark.parametrize(("at", "name"), [(None, "street-overlay.png"), ((3, 4), "street-x3-y4.png")])
def test_show_without_a_screen_saves_and_says_where(tmp_path, monkeypatch, capsys, at, name):
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context({"backend": "agg"}):
        for _ in range(2):  # replaces its own file
            result().show(at=at)
        assert matplotlib.pyplot.get_fignums() == []
        assert capsys.readouterr().out.splitlines() == 2 * [f"no screen: saved as {tmp_path / name}"]
        with Image.open(name) as figure:
            assert len(figure.convert("L").getcolors(256)) > 10
        (tmp_path / name).write_bytes(b"of somebody else")
        with pytest.raises(UsageError, match=name):
            result().show(at=at)
    assert (tmp_path / name).read_bytes() == b"of somebody else"


def test_notebooks_show_the_overlay():
    with Image.open(BytesIO(result()._repr_png_())) as picture:
        assert np.array_equal(np.asarray(picture), np.asarray(result().overlay()))
