from pathlib import Path

import pytest

from attseg.errors import UsageError
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import NAMES, find_protocol

SIX = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_that_of_its_protocol(name):
    assert find_protocol(name, data="voc2012").name == name


def test_the_papers_values():
    assert find_protocol() == find_protocol("single") == Protocol()
    assert find_protocol("pan-multiscale") == Protocol(name="pan-multiscale", scales=SIX, flip=True)
    assert find_protocol("dfdam-multiscale").scales == (*SIX, 2.0)
    assert find_protocol("csail-5scale").scales == SIX[:5]
    assert not find_protocol("csail-5scale").flip
    for data, long_side, window, step in (("ade20k", 512, 465, 310), ("cityscapes", 2048, 705, 470)):
        sliding = find_protocol("psanet-sliding", data=data)
        assert (sliding.long_side, sliding.window, sliding.step) == (long_side, window, step)
        assert (sliding.scales, sliding.flip, sliding.pad, sliding.average) == ((1.0,), True, True, "probabilities")
        assert find_protocol("psanet-multiscale", data=data).scales == SIX


def test_values_that_have_a_name_get_it():
    assert find_protocol(changes={"flip": True}).name == "single-flip"
    assert find_protocol("single", changes={"scales": SIX, "flip": True, "stride": 0.5}).name == "pan-multiscale"
    assert find_protocol("pan-multiscale", changes={"flip": True}).name == "pan-multiscale"


def test_other_values_say_so():
    assert find_protocol(changes={"scales": (0.3,)}).name == "free"
    assert find_protocol("single", changes={"average": "logits"}).name == "single, changed"
    changed = find_protocol("psanet-sliding", data="voc2012", changes={"window": 321})
    assert (changed.name, changed.window, changed.long_side) == ("psanet-sliding, changed", 321, 512)


@pytest.mark.parametrize("data", [None, "camvid"])
def test_sizes_that_nobody_published_have_to_be_given(data):
    with pytest.raises(
        UsageError, match="psanet-sliding has sizes for voc2012, ade20k, cityscapes, but not (for 'camvid'|where)"
    ):
        find_protocol("psanet-sliding", data=data, changes={"window": 321})
    given = find_protocol("psanet-sliding", data=data, changes={"window": 321, "long_side": 480})
    assert (given.name, given.window, given.long_side, given.pad) == ("psanet-sliding", 321, 480, True)


def test_every_protocol_is_written_down():
    text = (Path(__file__).parents[2] / "docs" / "use" / "evaluation.md").read_text()
    assert all(f"| `{name}` |" in text for name in NAMES)


def test_unknown_names_get_the_nearest():
    with pytest.raises(UsageError, match="there is no protocol 'pan-multscale'; did you mean 'pan-multiscale'"):
        find_protocol("pan-multscale")
