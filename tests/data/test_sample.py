"""A sample of a data set of one's own: what is right goes through, and what would be misread is told with its conversion."""

from itertools import islice

import numpy as np
import pytest

from attseg.data.classes import ClassTable
from attseg.data.feeding.balance import count_labels
from attseg.data.feeding.loader import Unread, eval_loader, train_loader
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.sample import DataError, Sample, check_sample

CLASSES = 5


class Mine:
    """Four samples of a user's own class, each changed."""

    classes = ClassTable(tuple("abcde"), tuple((index, 0, 0) for index in range(CLASSES)))
    split = "train"

    def __init__(self, change):
        self.change = change

    def __len__(self):
        return 4

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        labels = rng.integers(0, CLASSES, (48, 64)).astype(np.uint8)
        labels[rng.random(labels.shape) < 0.2] = 255
        return self.change(rng.integers(0, 256, (48, 64, 3), np.uint8), labels, self.name(index))

    def name(self, index):
        return f"street/{index}"


def changed(image=lambda image: image, labels=lambda labels: labels):
    return lambda a, b, name: Sample(image(a), labels(b), name)


def with_value(value):
    def change(labels):
        labels = labels.copy()
        labels[3, 4] = value
        return labels

    return change


WRONG = {
    "floats in 0..1": (changed(lambda a: (a / 255).astype(np.float32)), ["float32 in 0..1", "(255 * image).round()"]),
    "floats in 0..255": (changed(lambda a: a.astype(np.float64)), ["float64 in 0..255", "image.round().astype(np.uint8)"]),
    "normalised floats": (changed(lambda a: (a / 255 - 0.45) / 0.22), ["float64 in -2.05..2.5", "uint8"]),
    "16 bits": (changed(lambda a: a.astype(np.uint16) * 257), ["uint16 in 0..6.55e+04", "uint8"]),
    "channels first": (changed(lambda a: a.transpose(2, 0, 1)), ["3 x 48 x 64", "transpose(1, 2, 0)"]),
    "grey": (changed(lambda a: a[..., 0]), ["48 x 64, one channel"]),
    "alpha": (changed(lambda a: np.dstack([a, a[..., :1]])), ["48 x 64 x 4", "(H, W, 3)"]),
    "a list": (changed(lambda a: a.tolist()), ["a list", "np.asarray(image)"]),
    "labels of half the size": (changed(labels=lambda b: b[::2, ::2]), ["48 x 64", "24 x 32"]),
    "labels transposed": (changed(labels=lambda b: b.T), ["48 x 64", "64 x 48", "labels.T"]),
    "labels with an axis": (changed(labels=lambda b: b[..., None]), ["48 x 64 x 1", "labels.reshape(48, 64)"]),
    "one-hot": (changed(labels=lambda b: np.moveaxis(np.eye(CLASSES)[b % CLASSES], 2, 0)), ["5 x 48 x 64", "labels.argmax(0)"]),
    "colours": (changed(labels=lambda b: np.dstack([b] * 3)), ["48 x 64 x 3", "(H, W)"]),
    "int64": (changed(labels=lambda b: b.astype(np.int64)), ["int64 in 0..255", "labels.astype(np.uint8)"]),
    "-1": (changed(labels=lambda b: np.where(b == 255, -1, b.astype(int))), ["int64 in -1..4", "np.where(labels < 0"]),
    "float labels": (changed(labels=lambda b: b.astype(np.float32)), ["float32", "uint8"]),
    "masks": (changed(labels=lambda b: b == 1), ["bool in 0..1"]),
    "a class too many": (changed(labels=with_value(CLASSES)), ["1 pixels", "no class: 5", "0..4"]),
    "almost ignored": (changed(labels=with_value(254)), ["no class: 254", "255 where ignored"]),
    "a tuple": (lambda a, b, name: (a, b), ["a tuple", "Sample(image, labels, name)"]),
    "a probe of another size": (lambda a, b, name: Sample(a, b, name, {"far": b[1:] == 1}), ["'far'", "47 x 64"]),
}  # fmt: skip


@pytest.mark.parametrize(("change", "facts"), WRONG.values(), ids=WRONG)
def test_what_would_be_misread_is_told_at_every_door(change, facts):
    data = Mine(change)
    (unread,) = islice(eval_loader(data, [2]), 1)
    assert isinstance(unread, Unread)
    told = [str(unread.error)]
    for cache in (0.0, 0.001):
        with pytest.raises(DataError) as error:
            next(iter(train_loader(data, TrainTransform((32, 32)), batch_size=2, seed=0, cache=cache)))
        told.append(str(error.value))
    with pytest.raises(DataError) as error:
        count_labels(data)
    for text in (*told, str(error.value)):
        assert "street/" in text
        assert [fact for fact in facts if fact not in text] == []


def test_what_the_message_proposes_is_accepted():
    sample = Mine(changed())[0]
    image, labels = sample.image, sample.labels
    for given, mended in (
        ((image / 255).astype(np.float32), lambda image: (255 * image).round().astype(np.uint8)),
        (image.transpose(2, 0, 1), lambda image: image.transpose(1, 2, 0)),
    ):
        with pytest.raises(DataError):
            check_sample(Sample(given, labels, "a"), CLASSES, "a")
        assert np.array_equal(check_sample(Sample(mended(given), labels, "a"), CLASSES, "a").image, image)


@pytest.mark.parametrize("classes", [1, 2, 254, 255])
def test_every_class_and_the_ignored_value_are_labels_whatever_their_number(classes):
    values = np.r_[np.arange(classes), 255].astype(np.uint8)[None]
    image = np.zeros((1, classes + 1, 3), np.uint8)
    assert check_sample(Sample(image, values, "a"), classes, "a").labels is values
    if classes < 255:
        with pytest.raises(DataError, match=f"no class: {classes}"):
            check_sample(Sample(image, np.full_like(values, classes), "a"), classes, "a")


def test_views_strides_and_read_only_arrays_are_samples():
    image, labels = np.zeros((40, 50, 3), np.uint8)[::-1, ::2, ::-1], np.zeros((25, 40), np.uint8).T
    labels.flags.writeable = False
    assert check_sample(Sample(image, labels, "a", {"far": labels == 0}), 2, "a").image is image
