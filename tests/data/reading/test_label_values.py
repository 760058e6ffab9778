import numpy as np
import pytest

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.reading.label_values import count_values, explain_unknown, is_known

THREE = ClassTable(("a", "b", "c"), ((0, 0, 0), (1, 1, 1), (2, 2, 2)), {0: 0, 1: 1, 2: 2})
GAPS = ClassTable(("a", "b"), ((0, 0, 0), (1, 1, 1)), {4: 0, 9: 1, 10: IGNORE, 0: IGNORE})


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_values_are_counted_as_numpy_counts_them(dtype):
    values = np.random.default_rng(0).integers(0, 200, (50, 40)).astype(dtype)
    assert count_values(values) == {value: int((values == value).sum()) for value in set(values.ravel().tolist())}


def test_known_values_need_no_explanation():
    assert explain_unknown({0: 5, 2: 1}, THREE) is None
    assert [value for value in range(-1, 300) if is_known(value, GAPS)] == [0, 4, 9, 10]


@pytest.mark.parametrize(
    ("counts", "hint"),
    [
        ({0: 3, 255: 1}, "All are multiples of 255, as in masks made for looking at: divide by 255"),
        ({0: 3, 85: 1, 170: 1, 255: 1}, "All are multiples of 85"),
        ({1: 3, 2: 1, 3: 5}, "3 is one above the last class: where labels count from 1, subtract 1"),
        ({0: 3, 1: 1, 255: 5}, "Where 255 means unlabelled, say so in classes.csv with the row 255,ignore"),
        ({0: 3, 7: 1}, "Correct the file, or give each value a row in classes.csv"),
        (dict.fromkeys(range(100), 1), "So many values are those of a photograph, or of a mask that was resized"),
        ({0: 1, 1000: 1}, "or name them in classes.csv, which takes values up to 65535"),
    ],
)
def test_the_hint_fits_the_damage(counts, hint):
    assert hint in (explain_unknown(counts, THREE) or "")


@pytest.mark.parametrize(
    ("counts", "hint"),
    [
        ({0: 3, 255: 1}, "All are multiples of 255, as in masks made for looking at: divide by 255."),
        (
            {1: 3, 2: 1, 3: 5},
            "The file is not as it was released, or belongs to another data set: get it anew.",
        ),
        ({0: 3, 1: 1, 255: 5}, "The file is not as it was released"),
        ({0: 1, 1000: 1}, "values stretched to 16 bits, into numbers of classes."),
    ],
)
def test_the_classes_of_a_public_data_set_are_not_to_be_changed(counts, hint):
    text = explain_unknown(counts, THREE, official=True) or ""
    assert hint in text and "classes.csv" not in text


def test_several_values_are_listed_by_share():
    text = explain_unknown({0: 90, 7: 1, 8: 4, 9: 2, 11: 2, 13: 1}, THREE)
    assert text is not None and text.startswith(
        "10 % of the pixels hold the values 8 (4 %), 9 (2 %), 11 (2 %), 7 (1 %) and 1 more, but the classes know only 0..2."
    )


def test_gaps_and_ignored_values_are_listed_as_ranges():
    assert "the classes know only 4, 9, and 0, 10 as ignored" in (explain_unknown({5: 1}, GAPS) or "")


def test_a_palette_is_mentioned():
    assert "its indices were read, not its colours" in (explain_unknown({7: 1}, THREE, paletted=True) or "")
