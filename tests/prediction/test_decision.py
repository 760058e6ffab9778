import numpy as np
import pytest
import torch

from attseg.data.classes import IGNORE, ClassTable
from attseg.errors import UsageError
from attseg.prediction.decision import ARGMAX, Decision, with_unsure_value

CLASSES = ClassTable(("road", "crack", "grass"), ((0, 0, 0),) * 3)


def probabilities(seed=0, shape=(17, 23)):
    return torch.rand((3, *shape), generator=torch.Generator().manual_seed(seed)).softmax(dim=0)


def naive(probs, decision):
    """Pixel by pixel, as the docstring says."""
    found = np.empty(probs.shape[1:], np.uint8)
    for row, column in np.ndindex(found.shape):
        pixel = dict(zip(CLASSES.names, probs[:, row, column].tolist(), strict=True))
        reached = {name: pixel[name] for name, least in decision.thresholds.items() if pixel[name] >= least}
        open_ = reached or {name: value for name, value in pixel.items() if name not in decision.thresholds}
        best = max(open_, key=open_.get) if open_ else None
        sure = best is not None and pixel[best] >= decision.unsure_below
        found[row, column] = CLASSES.names.index(best) if sure else IGNORE
    return found


@pytest.mark.parametrize(
    "decision",
    [
        ARGMAX,
        Decision(unsure_below=0.4),
        Decision(thresholds={"crack": 0.3}),
        Decision(thresholds={"crack": 0.35, "grass": 0.45}, unsure_below=0.37),
        Decision(thresholds={"road": 0.4, "crack": 0.4, "grass": 0.4}),
    ],
)
def test_choices_are_those_of_the_words(decision):
    probs = probabilities()
    labels, scores = decision.choose(probs, CLASSES)
    assert np.array_equal(labels, naive(probs, decision))
    if decision != ARGMAX:
        assert len(np.unique(labels)) > 2
    sure = labels != IGNORE
    rows, columns = np.nonzero(sure)
    assert np.array_equal(scores[sure], probs.numpy()[labels[sure], rows, columns])
    assert np.array_equal(scores[~sure], probs.numpy().max(0)[~sure])


def test_the_arg_max_needs_no_probabilities():
    assert not ARGMAX.needs_probabilities and not ARGMAX.leaves_unsure
    assert not Decision(min_region=5).leaves_unsure and Decision(min_region=5, small="drop").leaves_unsure


LABELS = np.array([[0, 0, 0, 1], [0, 2, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]], np.uint8)


def test_small_regions_are_filled_by_their_neighbour_or_dropped():
    filled, dropped = LABELS.copy(), LABELS.copy()
    filled[1, 1], dropped[1, 1] = 0, IGNORE
    assert np.array_equal(Decision(min_region=2).clean(LABELS), filled)
    assert np.array_equal(Decision(min_region=2, small="drop").clean(LABELS), dropped)
    assert np.array_equal(Decision(min_region=1).clean(LABELS), LABELS)


def test_unsure_pixels_stay_and_no_region_is_left_too_small():
    labels = np.random.default_rng(0).choice(np.array([0, 1, 2, IGNORE], np.uint8), (40, 50))
    found = Decision(min_region=30).clean(labels)
    assert (found[labels == IGNORE] == IGNORE).all()
    from scipy.ndimage import label

    for index in range(3):
        regions, count = label(found == index, np.ones((3, 3)))
        assert count == 0 or np.bincount(regions.ravel())[1:].min() >= 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": {"crack": 2.0}}, "threshold of 'crack' is 2; a probability between 0 and 1"),
        ({"unsure_below": -0.1}, "unsure_below is -0.1"),
        ({"min_region": -1}, "min_region is -1; a number of pixels"),
        ({"small": "fil"}, "did you mean 'fill'"),
    ],
)
def test_values_that_make_no_sense_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Decision(**options)


def test_thresholds_of_unknown_classes_name_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'crack'"):
        Decision(thresholds={"crak": 0.5}).check(CLASSES)


def test_the_value_of_unsure_pixels_is_one_that_means_no_class():
    table = ClassTable(CLASSES.names, CLASSES.colors, {0: 0, 1: 1, 255: 2})
    with pytest.raises(UsageError, match="--unsure-value"):
        with_unsure_value(table, None)
    with pytest.raises(UsageError, match="the value 255 means 'grass'"):
        with_unsure_value(table, 255)
    with pytest.raises(UsageError, match="70000"):
        with_unsure_value(table, 70_000)
    labels = np.array([[0, IGNORE], [2, 1]], np.uint8)
    for value in (9, 300):
        changed = with_unsure_value(table, value)
        assert changed.encode(labels).tolist() == [[0, value], [255, 1]]
        assert np.array_equal(changed.decode(changed.encode(labels)), labels)
    assert with_unsure_value(CLASSES, None).encode(labels).tolist() == labels.tolist()
