"""Whatever a file holds: it is read as what it is, or a sentence says why it is not; no traceback, no wait without end.

The short form breaks some three hundred files, the soak form (`make soak`) over ten thousand.
"""

import csv
import io
import json
import signal
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context

import numpy as np
import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageCms, ImageOps

from attseg.bulk.frames import Reader
from attseg.bulk.manifest import Manifest, read_manifests
from attseg.checkpoint import WeightsError, read_weights
from attseg.converters.source import read_tensors
from attseg.data.classes import IGNORE
from attseg.data.download.download import unpack
from attseg.data.reading.arrays import from_array
from attseg.data.reading.image import read_image, read_raw_labels
from attseg.data.sample import DataError
from attseg.data.sets.class_file import read_class_file
from attseg.data.sets.lists import read_list
from attseg.data.sets.record import Source
from attseg.errors import UsageError
from attseg.evaluation.kept import KeptCounts
from attseg.files import FileError
from attseg.inference.exported.description import ExportedError
from attseg.inference.segmenter import load
from attseg.recipes.files import parse_yaml, read_recipe, to_yaml
from attseg.runs.errors import RunError
from reliability.corpus import MAKERS, make
from reliability.deadly import scipy_labels

TOLD = (UsageError, DataError, ExportedError, FileError, WeightsError, RunError, OSError)
"""What explains itself; of the system's errors, those that carry our sentence (``DownloadError`` is one)."""

SECONDS = 10
"""Of the processor, at most, for one file; most take a millisecond."""

SHORT = {"picture": 80, "labels": 50, "matlab": 30, "classes": 30, "list": 10, "recipe": 30, "weights": 20, "model": 60}
SHORT |= {"archive": 30, "counts": 15, "manifest": 20, "foreign": 20, "exported": 20, "video": 15}
SOAK = {"picture": 3500, "labels": 2000, "matlab": 1200, "classes": 1000, "list": 500, "recipe": 800, "weights": 600}
SOAK |= {"model": 400, "archive": 900, "counts": 400, "manifest": 300, "foreign": 500, "exported": 300, "video": 400}


class Hang(BaseException):
    """No Exception, for readers catch those."""


@contextmanager
def time_limit():
    """So much time of the processor, and on a busy computer some more by the clock, for who waits takes none."""

    def ring(number, frame):
        raise Hang

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, SECONDS), (signal.SIGALRM, signal.ITIMER_REAL, 12 * SECONDS))
    before = [signal.signal(number, ring) for number, _, _ in timers]
    for _, timer, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def test_the_soak_form_is_as_long_as_promised():
    assert sum(SOAK.values()) >= 10_000 and sum(SHORT.values()) >= 300
    assert SOAK.keys() == SHORT.keys() == MAKERS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
def test_broken_files_of_every_kind(kind, tmp_path):
    attack(kind, SHORT[kind], tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("kind", MAKERS)
def test_very_many_broken_files_of_every_kind(kind, tmp_path):
    start = time.perf_counter()
    read = attack(kind, SOAK[kind], tmp_path)
    print(f"{kind}: {SOAK[kind]} files in {time.perf_counter() - start:.0f} s, of which {read} could be read")


def attack(kind, count, folder):
    """Read files of a kind; returns how many were read."""
    read = 0
    for number in range(count):
        case = make(kind, number)
        path = folder / case.name
        path.write_bytes(case.content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as outside of tests: Pillow's warnings stop nobody
            try:
                with time_limit():
                    READERS[kind](path, case)
                read += 1
            except TOLD as error:
                message = str(error)
                assert not case.whole or kind in MAY_BE_REFUSED, f"{kind} {number} is whole, and was refused: {message}"
                assert "Traceback" not in message and len(message) > 20, f"{kind} {number}: {message}"
            except (Exception, Hang) as error:
                raise AssertionError(f"{kind} {number}: {type(error).__name__}: {error}") from error
        path.unlink()
    assert read
    return read


MAY_BE_REFUSED = ("picture", "classes", "recipe", "model", "archive", "foreign")
"""Kinds whose makers also write what is wrong by itself: NaN, an index twice, an unknown key, a path that
leaves, a pickle called safetensors."""


def as_viewers_show(path):
    """(H, W, 3) What Pillow shows of a file, put together from its bands by hand."""
    with Image.open(path) as opened:
        values = "I" if opened.format == "PPM" and opened.mode == "I" else opened.mode
        image = ImageOps.exif_transpose(opened)
    if image.mode.startswith("I;16") or values == "I":
        gray = np.asarray(image).astype(np.int64)
        return np.repeat(np.rint(gray * (255 / 65535))[..., None], 3, 2)
    if image.mode == "LAB":
        to = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        return np.asarray(ImageCms.applyTransform(image, to)).astype(float)
    if path.suffix == ".tiff" and image.mode in ("LA", "RGBA"):  # a band like any other
        return np.asarray(image.convert(image.mode[:-1]).convert("RGB")).astype(float)
    if image.has_transparency_data:
        image = image.convert("LA") if image.mode == "La" else image
        layers = np.asarray(image.convert("RGBA")).astype(float)
        share = layers[..., 3:] / 255
        return layers[..., :3] * share + 255 * (1 - share)
    return np.asarray(image.convert("RGB")).astype(float)


def picture(path, case):
    found = read_image(path)
    assert found.dtype == np.uint8 and found.ndim == 3 and found.shape[2] == 3
    if found.size < 2**24:  # a picture of Pillow's own largest size takes the comparison half a minute
        try:
            shown = as_viewers_show(path)
        except OSError:  # tifffile reads what libtiff gives up
            assert not case.whole and case.content[:2] in (b"II", b"MM")
            return
        if (
            path.suffix == ".tiff" and shown.shape[:2] != found.shape[:2]
        ):  # Pillow mixes up the rows of a TIFF on its side
            assert shown.shape[:2] == found.shape[1::-1]
            return
        np.testing.assert_allclose(found, shown, atol=1)


def labels(path, case):
    found = read_raw_labels(path).values
    if case.whole:
        assert np.array_equal(found, case.values)
        return
    with Image.open(path) as image:
        kind, shown = image.format, np.asarray(ImageOps.exif_transpose(image))
    if kind == "PNG":
        step = {2: 85, 4: 17}.get(case.content[24], 1) if image.mode == "L" else 1
        assert np.array_equal(found * step, shown)
    assert found.shape == shown.shape


def matlab(path, case):
    found = read_raw_labels(path).values
    assert found.ndim == 2 and found.dtype.kind in "iu"
    if case.whole:
        assert np.array_equal(found, case.values)
    elif (expected := scipy_reads(path)) is not None:
        assert np.array_equal(found, expected)


def scipy_reads(path):
    """What scipy finds in a MATLAB file, or None where it finds nothing; damaged files have ended the process that it ran in."""
    try:
        return POOL[0].submit(scipy_labels, path).result()
    except BrokenProcessPool:
        POOL[0] = ProcessPoolExecutor(1, get_context("forkserver"))
    except Exception:  # it reads all of a file, and we stop where we have what we want
        return None


POOL = []
"""The process that scipy runs in."""


@pytest.fixture(scope="module", autouse=True)
def pool():
    """Other tests look for processes that are left."""
    POOL[:] = [ProcessPoolExecutor(1, get_context("forkserver"))]
    yield
    POOL[0].shutdown()


def classes(path, case):
    table = read_class_file(path)
    rows = list(csv.DictReader(io.StringIO(case.content.decode("utf-8-sig"), newline="")))
    rows = [{(key or "").strip().lower(): (value or "").strip() for key, value in row.items()} for row in rows]
    rows = [row for row in rows if any(row.values())]
    numbers = [int(row["index"]) for row in rows]
    assert len(set(numbers)) == len(numbers), "an index twice"
    for row in rows:
        meaning = table.lookup[int(row["index"])]
        assert meaning == IGNORE or table.names[meaning] == row["name"]
    assert sum(table.lookup != -1) == len(rows)
    assert not any(ord(character) < 32 for name in table.names for character in name)


def listed(path, case):
    found = read_list(path).names
    assert found and not any("/" in name for name in found)
    if case.whole:
        assert found == case.values


def recipe(path, case):
    found, machine = read_recipe(path)
    text = to_yaml(found, machine)
    assert yaml.safe_load(text).keys() >= {"name", "model", "data", "machine"}
    path.write_text(text)
    assert read_recipe(path) == (found, machine)
    assert not list(path.parent.glob("**/CANARY"))


def weights(path, case):
    found = read_weights(path)
    assert found.state.keys() == case.values.keys()
    assert all(torch.equal(found.state[name], tensor) for name, tensor in case.values.items())
    assert found.classes.names == ("sky", "road")


def model(path, case):
    segmenter = load(path, device="cpu")
    result = segmenter(np.zeros((32, 40, 3), np.uint8))
    assert result.labels.shape == (32, 40) and np.isfinite(result.scores).all()


def archive(path, case):
    place = path.parent / "inner" / "set"
    place.parent.mkdir(exist_ok=True)
    before = set(path.parent.rglob("*"))
    try:
        unpack(path, place, Source(url="", inside="set", place="set", homepage="", terms=""))
        for name, content in case.values.items():
            if case.whole:
                assert (place / name.removeprefix("set/")).read_bytes() == content
        assert all(file.resolve().is_relative_to(place) for file in place.rglob("*"))
        assert not any(file.is_symlink() for file in place.rglob("*"))
    finally:
        for file in sorted(place.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        if place.exists():
            place.rmdir()
        assert set(path.parent.rglob("*")) == before


def manifest(path, case):
    try:
        opened = Manifest(path.parent)
        keys = [entry["key"] for entry in case.values]
        assert not (case.whole and path.name == "manifest.jsonl") or all(opened.holds(key) for key in keys)
        found = list(read_manifests(path.parent))
        assert not (case.whole and path.name == "manifest.jsonl") or found == case.values
    finally:
        for file in path.parent.glob("manifest*"):
            file.unlink()
        path.touch()


def foreign(path, case):
    found = read_tensors(path)
    assert not case.whole or found.keys() == case.values.keys()
    assert not case.whole or all(torch.equal(found[name], tensor) for name, tensor in case.values.items())


def exported(path, case):
    image = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    found = load(path, device="cpu")(image)
    assert found.labels.shape == (8, 9)
    assert not case.whole or np.array_equal(found.labels, image.argmax(2))


def video(path, case):
    with Reader(path) as frames:
        seen = [frame.image.shape for frame in islice(frames, 50)]
    assert all(len(shape) == 3 and shape[2] == 3 for shape in seen)
    assert not case.whole or seen == [(32, 48, 3)] * case.values


def counts(path, case):
    kept = KeptCounts(path, {"protocol": "single"}, resume=True)
    assert len(list(kept)) == len(kept.names)
    assert path.read_bytes().endswith(b"\n")


READERS = {
    "picture": picture,
    "labels": labels,
    "matlab": matlab,
    "classes": classes,
    "list": listed,
    "recipe": recipe,
    "weights": weights,
    "model": model,
    "archive": archive,
    "counts": counts,
    "manifest": manifest,
    "foreign": foreign,
    "exported": exported,
    "video": video,
}


FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=32)
ARRAYS = hnp.arrays(
    st.sampled_from([np.uint8, np.uint16, np.int64, np.float16, np.float32, np.float64, np.bool_, np.complex64, "U1"]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
) | hnp.arrays(np.float32, st.sampled_from([(3, 4), (2, 3, 3), (2, 2, 4)]), elements=FLOATS)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(ARRAYS)
def test_arrays_of_any_kind(values):
    an_array(values)


@pytest.mark.soak
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(ARRAYS)
def test_very_many_arrays_of_any_kind(values):
    an_array(values)


def an_array(values):
    try:
        found = from_array(values)
    except (UsageError, DataError) as error:
        assert len(str(error)) > 20
        return
    white = {"u": np.iinfo(values.dtype).max if values.dtype.kind == "u" else 1}.get(values.dtype.kind, 1)
    layers = values.reshape(*values.shape[:2], -1).astype(float).clip(0, white) * (255 / white)
    if layers.shape[2] == 4:
        share = layers[..., 3:] / 255
        layers = layers[..., :3] * share + 255 * (1 - share)
    np.testing.assert_allclose(found, np.broadcast_to(layers, found.shape), atol=1.01)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text() | PLAIN.map(yaml.safe_dump) | PLAIN.map(json.dumps))
@pytest.mark.slow
def test_texts_as_yaml(text):
    a_text(text)


@pytest.mark.soak
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text() | PLAIN.map(yaml.safe_dump) | PLAIN.map(json.dumps))
def test_very_many_texts_as_yaml(text):
    a_text(text)


def a_text(text):
    try:
        found = parse_yaml(text)
    except UsageError as error:
        assert len(str(error)) > 10
        return
    plain = [found]
    while plain:
        value = plain.pop()
        assert type(value) in (dict, list, str, int, float, bool, type(None))
        plain.extend(
            [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        )
