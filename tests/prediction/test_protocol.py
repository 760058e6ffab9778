import json

import pytest

from attseg.errors import UsageError
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import find_protocol


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scales": ()}, "scales are empty; one or more numbers above 0"),
        ({"scales": (0.5, 0.0)}, "scales are 0.5, 0; one or more numbers above 0"),
        ({"scales": (float("nan"),)}, "scales are nan"),
        ({"window": 16}, "window is 16; at least 32 pixels were expected, .* or 0 to see pictures whole"),
        ({"window": -1}, "window is -1; at least 32"),
        ({"stride": 0.0}, "stride is 0; a share of the window above 0 and up to 1"),
        ({"stride": 1.5}, "stride is 1.5; .* longer steps leave pixels unseen"),
        ({"long_side": -5}, "long_side is -5; a number of pixels"),
        ({"pad": True}, "pad surrounds pictures that are smaller than the window, and there is no window"),
        ({"average": "logit"}, "there is no average 'logit'; did you mean 'logits'"),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(UsageError, match=message):
        Protocol(**values)


@pytest.mark.parametrize(
    ("window", "stride", "step"), [(465, 2 / 3, 310), (705, 2 / 3, 470), (100, 0.001, 1), (32, 1, 32), (65, 0.5, 33)]
)
def test_steps_are_rounded_up(window, stride, step):
    assert Protocol(window=window, stride=stride).step == step


def test_sizes_follow_the_longer_side():
    cityscapes = Protocol(long_side=2048)
    assert cityscapes.scaled_size(1.0, 1024, 2048) == (1024, 2048)
    assert cityscapes.scaled_size(1.75, 1024, 2048) == (1792, 3584)
    assert Protocol(long_side=512).scaled_size(1.0, 500, 333) == (512, 341)
    assert Protocol(long_side=512).scaled_size(1.0, 7, 7) == (512, 512)
    assert Protocol().scaled_size(0.5, 1, 31) == (1, 16)
    assert Protocol().scaled_size(0.1, 1, 1) == (1, 1)


def test_plain_values_go_to_json():
    protocol = Protocol(name="mine", scales=(0.5, 1.0), window=465)
    values = json.loads(json.dumps(protocol.to_dict()))
    assert values.pop("step") == 310
    assert Protocol(**values | {"scales": tuple(values["scales"])}) == protocol


def test_it_says_what_it_does():
    assert Protocol().describe() == "once, whole, at its own size"
    assert Protocol(flip=True).describe() == "at scale 1, each also mirrored"
    everything = Protocol(scales=(0.5, 1.0), long_side=512, window=465, average="logits")
    assert everything.describe() == (
        "at scales 0.5, 1 of a long side of 512 in windows of 465 at steps of 310, logits averaged"
    )


def test_only_the_plain_protocol_is_plain():
    assert Protocol(stride=0.5, average="logits").is_plain
    others = ({"flip": True}, {"scales": (1.0, 1.0)}, {"scales": (0.5,)}, {"window": 64}, {"long_side": 64})
    assert not any(Protocol(**values).is_plain for values in others)


def test_short_sides_are_those_of_csails_later_code():
    """Short sides of 300 to 600, the long side at most 1000, rounded up to multiples of 8."""
    protocol = find_protocol("csail-short-sides")
    sizes = [protocol.scaled_size(scale, 512, 683) for scale in protocol.scales]
    assert sizes == [(304, 400), (376, 504), (456, 600), (528, 704), (600, 800)]
    assert protocol.scaled_size(1.0, 300, 900) == (336, 1000)
    assert protocol.scaled_size(0.5, 300, 900) == (304, 904)
    assert not protocol.is_plain
    assert not Protocol(multiple=8).is_plain


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"short_side": 300, "long_side": 300}, "give one of them"),
        ({"longest": 300}, "there is no short_side"),
        ({"multiple": 0}, "short_side, longest and multiple are 0, 0 and 0"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        Protocol(**values)
