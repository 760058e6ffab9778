"""Predicting in bands equals a plain loop that keeps everything, and covers every pixel of every picture."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.models import PAN, Segmentation
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import ANYWHERE
from attseg.prediction.stream import Predictor
from attseg.prediction.whole import predict_logits

CPU = torch.device("cpu")
PLAIN = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class Blur(nn.Module):
    """Four classes from the 7 x 7 pixels around, not symmetrically; so borders, windows and mirrors all matter."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 7, padding=3)
        self.sizes = []

    def forward(self, images):
        assert min(images.shape[-2:]) >= 32
        self.sizes.append(tuple(images.shape))
        return Segmentation(3 * self.conv(images), {})


class Reader(nn.Module):
    """Reads the class of each pixel from its red channel, of 3 classes."""

    def forward(self, images):
        classes = (images[:, 0] * 255 / 100).round().long().clamp(0, 2)
        return Segmentation(F.one_hot(classes, 3).permute(0, 3, 1, 2).float(), {})


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def scores(model, image, protocol, **options):
    """(K, H, W) All bands below each other."""
    found = list(Predictor(model, 4, Preprocessing(), CPU, protocol=protocol, **options).bands(image))
    assert [band.top for band in found] == np.cumsum([0, *(band.values.shape[1] for band in found)])[:-1].tolist()
    return torch.cat([band.probabilities() for band in found], dim=1)


@torch.inference_mode()
def naive(model, image, protocol):
    """(K, H, W) Written from docs/use/evaluation.md: every scale, window and mirror by itself, all maps kept."""
    height, width = image.shape[:2]
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    total = torch.zeros(4, height, width, dtype=torch.float64)
    for scale in protocol.scales:
        size = protocol.scaled_size(scale, height, width)
        scaled = Preprocessing()(F.interpolate(pixels, size, mode="bilinear"))
        total += F.interpolate(naive_scale(model, scaled, protocol)[None], (height, width), mode="bilinear")[0]
    total /= len(protocol.scales)
    return (total.softmax(0) if protocol.average == "logits" else total).float()


def naive_scale(model, scaled, protocol):
    height, width = scaled.shape[2:]
    window = protocol.window
    before = (0, 0)
    if protocol.pad:
        before = max(0, window - height) // 2, max(0, window - width) // 2
        down, along = (max(0, window - side) for side in (height, width))
        scaled = F.pad(scaled, (before[1], along - before[1], before[0], down - before[0]))
    inner = scaled.shape[2:]
    crop = [min(window, side) if window else side for side in inner]
    step = math.ceil(window * protocol.stride - 1e-6)
    total, count = torch.zeros(4, *inner, dtype=torch.float64), torch.zeros(inner)
    for y in range(1 if inner[0] == crop[0] else math.ceil((inner[0] - crop[0]) / step) + 1):
        for x in range(1 if inner[1] == crop[1] else math.ceil((inner[1] - crop[1]) / step) + 1):
            top, left = min(y * step, inner[0] - crop[0]), min(x * step, inner[1] - crop[1])
            here = slice(top, top + crop[0]), slice(left, left + crop[1])
            total[:, *here] += naive_window(model, scaled[:, :, *here], protocol)
            count[here] += 1
    total /= count
    return total[:, before[0] :, before[1] :][:, :height, :width]


def naive_window(model, window, protocol):
    height, width = window.shape[2:]
    window = F.pad(window, (0, max(0, 32 - width), 0, max(0, 32 - height)), mode="replicate")
    looks = [model(window).logits[0]]
    if protocol.flip:
        looks.append(model(window.flip(3)).logits[0].flip(2))
    if protocol.average == "probabilities":
        looks = [look.softmax(0) for look in looks]
    return torch.stack(looks).mean(0)[:, :height, :width]


PROTOCOLS = {
    "flip": Protocol(flip=True),
    "scales": Protocol(scales=(0.5, 1.0, 1.75)),
    "small scale": Protocol(scales=(0.1, 1.0)),
    "window": Protocol(window=40),
    "window, odd stride": Protocol(window=45, stride=0.31, flip=True),
    "everything": Protocol(scales=(0.5, 0.75, 1.3, 2.0), flip=True, window=48),
    "logits": Protocol(scales=(0.5, 1.0), flip=True, window=48, average="logits"),
    "long side": Protocol(long_side=64, flip=True),
    "as psanet": Protocol(scales=(0.5, 1.0, 1.75), long_side=100, window=57, flip=True, pad=True),
}


@pytest.mark.parametrize("size", [(70, 110), (150, 90), (33, 200), (20, 15)], ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_scores_equal_those_of_a_plain_loop(protocol, size):
    image, model = picture(*size), Blur()
    found = scores(model, image, protocol)
    torch.testing.assert_close(found, naive(model, image, protocol), rtol=0, atol=2e-5)
    torch.testing.assert_close(found.sum(0), torch.ones(size), rtol=0, atol=1e-5)


def test_scores_equal_those_of_a_plain_loop_with_a_real_network():
    torch.manual_seed(0)
    model = PAN(4, encoder="test_resnet", channels=8).eval()
    protocol = Protocol(scales=(0.5, 1.25), flip=True, window=64)
    image = picture(100, 130)
    torch.testing.assert_close(scores(model, image, protocol), naive(model, image, protocol), rtol=0, atol=2e-5)


@pytest.mark.parametrize("memory", [0, 1, 3, 1000])
@pytest.mark.parametrize("flip", [False, True])
def test_the_memory_bounds_the_batches_and_changes_nothing_else(memory, flip):
    image, protocol = picture(130, 200), Protocol(window=100, flip=flip, scales=(1.0, 1.5))
    model = Blur()
    found = scores(model, image, protocol, memory=memory)
    most = max(1, memory * 2**20 // (4 * 100 * 100 * (3 + 2 * 4)))
    assert max(size[0] for size in model.sizes) <= most
    assert memory < 1000 or max(size[0] for size in model.sizes) > 10
    torch.testing.assert_close(found, naive(Blur(), image, protocol), rtol=0, atol=2e-5)


def test_the_plain_protocol_hands_on_the_logits_as_they_are():
    image, model = picture(300, 50), Blur()
    bands = list(Predictor(model, 4, Preprocessing(), CPU).bands(image))
    expected = predict_logits(model, image, Preprocessing(), device=CPU)
    assert torch.equal(torch.cat([band.values for band in bands], 1), expected)
    assert {band.kind for band in bands} == {"logits"}
    assert model.sizes == [(1, 3, 300, 50)] * 2
    labels, best = zip(*(band.decide() for band in bands), strict=True)
    assert np.array_equal(np.concatenate(labels), expected.argmax(0).numpy())
    torch.testing.assert_close(torch.from_numpy(np.concatenate(best)), expected.softmax(0).max(0).values)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    window=st.integers(32, 100),
    stride=st.floats(0.05, 1, exclude_min=True),
    flip=st.booleans(),
    pad=st.booleans(),
    memory=st.integers(0, 2),
    average=st.sampled_from(["probabilities", "logits"]),
)
def test_what_the_network_says_comes_back_exactly(size, window, stride, flip, pad, memory, average):
    labels = np.random.default_rng(size).integers(0, 3, size).astype(np.uint8)
    image = np.repeat(labels[..., None] * 100, 3, axis=2)
    protocol = Protocol(window=window, stride=stride, flip=flip, pad=pad, average=average)
    bands = Predictor(Reader(), 3, PLAIN, CPU, protocol=protocol, memory=memory).bands(image)
    assert np.array_equal(np.concatenate([band.labels() for band in bands]), labels)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    window=st.sampled_from([0, 32, 50, 77]),
    stride=st.floats(0.2, 1),
    scales=st.lists(st.floats(0.1, 2.5), min_size=1, max_size=4),
    long_side=st.sampled_from([0, 40, 130]),
)
def test_every_pixel_is_covered_equally_at_any_scale(size, window, stride, scales, long_side):
    class One(nn.Module):
        def forward(self, images):
            return Segmentation(torch.ones(len(images), 2, *images.shape[2:]), {})

    protocol = Protocol(
        scales=tuple(scales), window=window, stride=stride, pad=bool(window), long_side=long_side, average="logits"
    )
    bands = list(Predictor(One(), 2, PLAIN, CPU, protocol=protocol).bands(picture(*size)))
    total = torch.cat([band.values for band in bands], dim=1)
    torch.testing.assert_close(total, torch.ones(2, *size), rtol=0, atol=1e-5)


def test_bands_are_given_away_before_the_last_view():
    seen, image = [], picture(1000, 40)
    protocol = Protocol(window=40, scales=(0.5, 1.0))
    bands = Predictor(Blur(), 4, PLAIN, CPU, protocol=protocol, memory=0).bands(image, lambda *args: seen.append(args))
    next(bands)
    done, total = seen[-1]
    assert done < total / 5
    assert len(list(bands)) == 15
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


@pytest.mark.parametrize("protocol", [*ANYWHERE.values(), *PROTOCOLS.values()])
def test_one_pixel_is_segmented(protocol):
    assert scores(Blur(), picture(1, 1), protocol).shape == (4, 1, 1)


@pytest.mark.parametrize("protocol", [Protocol(), Protocol(flip=True)])
def test_a_model_with_other_classes_is_refused(protocol):
    with pytest.raises(UsageError, match="the model has 4 classes, but the class table names 3"):
        list(Predictor(Blur(), 3, PLAIN, CPU, protocol=protocol).bands(picture(40, 40)))


class Full(nn.Module):
    def forward(self, images):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_memory_that_runs_out_gets_a_sentence():
    with pytest.raises(
        UsageError, match=r"a picture of 40 x 50 \(height x width\) .* scale it down, see it in windows"
    ):
        list(Predictor(Full(), 4, PLAIN, CPU).bands(picture(40, 50)))
    protocol = Protocol(window=32)
    with pytest.raises(
        UsageError, match=r"6 of 32 x 32 pixels .* their scores do not fit into the memory of cpu; lower --memory"
    ):
        list(Predictor(Full(), 4, PLAIN, CPU, protocol=protocol).bands(picture(40, 70)))


def test_other_errors_of_a_model_stay_what_they_are():
    class Broken(nn.Module):
        def forward(self, images):
            raise RuntimeError("a mistake in the model")

    for protocol in (Protocol(), Protocol(flip=True)):
        with pytest.raises(RuntimeError, match="a mistake in the model"):
            list(Predictor(Broken(), 4, PLAIN, CPU, protocol=protocol).bands(picture(40, 50)))


def test_half_precision_computes_the_network_alone_in_it():
    image, protocol = picture(90, 90), Protocol(window=64, flip=True)
    found = scores(Blur(), image, protocol, precision="bf16")
    assert found.dtype == torch.float32
    expected = scores(Blur(), image, protocol)
    assert not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.05)
