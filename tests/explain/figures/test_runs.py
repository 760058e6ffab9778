import numpy as np
import pytest

from attseg.data.classes import IGNORE
from attseg.data.paint import colorize
from attseg.data.sets.scenes import SCENES, Scenes
from attseg.errors import UsageError
from attseg.explain.figures import Compared, chosen_pictures, runs_figure

DATA = Scenes("val", size=(48, 64), count=6)
TRUTHS = {DATA[index].image.tobytes(): DATA[index].labels for index in range(len(DATA))}
SKY = 0


def right(image):
    return TRUTHS[image.tobytes()]


def sky(image):
    return np.full(image.shape[:2], SKY)


def visible(image):
    return image


def test_rows_are_the_pictures_on_which_the_models_differ_most():
    """One model is right everywhere, the other calls all sky: they differ where there is least sky."""
    shares = [np.mean(DATA[index].labels[DATA[index].labels != IGNORE] != SKY) for index in range(len(DATA))]
    expected = [DATA[int(index)].name for index in np.argsort(-np.array(shares), kind="stable")[:3]]
    rows = chosen_pictures(DATA, [right, sky], visible, count=3)
    assert [row.name for row in rows] == expected
    assert [row.difference for row in rows] == pytest.approx(sorted(shares, reverse=True)[:3])
    assert all(row.right[0] == 1 for row in rows)


def test_named_pictures_keep_their_order_and_one_model_gets_a_spread():
    names = [DATA[index].name for index in (4, 1)]
    assert [row.name for row in chosen_pictures(DATA, [sky, right], visible, names=names)] == names
    assert [row.name for row in chosen_pictures(DATA, [sky], visible, count=2)] == [DATA[0].name, DATA[5].name]
    assert len(chosen_pictures(DATA, [right, sky], visible, limit=2)) == 2


def test_what_is_not_there_is_told():
    with pytest.raises(UsageError, match=f"no picture of val 'x{DATA[2].name}'; did you mean"):
        chosen_pictures(DATA, [sky], visible, names=[f"x{DATA[2].name}"])
    with pytest.raises(UsageError, match="0 rows"):
        chosen_pictures(DATA, [sky], visible, count=0)


def test_the_figure_shows_picture_labels_and_predictions_in_the_colours_of_the_classes():
    unlabelled = DATA[1].labels.copy()
    unlabelled[:, :9] = IGNORE
    rows = [
        Compared("one", DATA[0].image, DATA[0].labels, (sky(DATA[0].image), DATA[0].labels)),
        Compared("two", DATA[1].image, unlabelled, (DATA[1].labels, sky(DATA[1].image))),
    ]
    figure = runs_figure(rows, ("all sky", "all right"), SCENES)
    drawn = [axes.images[0].get_array() for axes in figure.axes]
    expected = [
        *(rows[0].image, *(colorize(labels, SCENES) for labels in (rows[0].truth, *rows[0].predictions))),
        *(rows[1].image, *(colorize(labels, SCENES) for labels in (rows[1].truth, *rows[1].predictions))),
    ]
    assert all(np.array_equal(one, other) for one, other in zip(drawn, expected, strict=True))
    assert [axes.get_title() for axes in figure.axes[:4]] == ["picture", "labels", "all sky", "all right"]
    below = [axes.get_xlabel() for axes in figure.axes]
    assert below[0] == "one"
    assert below[2] == f"{(DATA[0].labels[DATA[0].labels != IGNORE] == SKY).mean():.1%} right"
    assert below[6] == "100.0% right"  # what is ignored does not count
    [legend] = figure.legends
    assert "ignored" in [text.get_text() for text in legend.get_texts()]
