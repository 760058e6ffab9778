"""Small images: a file and its network continue them to the same side, or the file refuses them with a sentence."""

import numpy as np
import pytest
import torch

from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.export.formats import export_model
from attseg.export.parity import check_parity, sizes_of
from attseg.inference.exported.contract import Contract
from attseg.inference.exported.description import Description
from attseg.inference.segmenter import Segmenter, load
from attseg.models import build_model
from attseg.models.frame import smallest_side
from attseg.prediction.protocol import Protocol
from tiny_exports import CLASSES, tiny

SIZES = [(1, 1), (1, 40), (31, 33), (32, 32), (32, 33), (33, 32), (33, 33), (20, 150), (64, 7)]
SUFFIX = {"onnx": ".onnx", "openvino": ".xml", "pt2": ".pt2"}
NETWORKS = {
    "FCN-8": ("FCN", {"output_stride": 8}),
    "FCN-32": ("FCN", {"output_stride": 32}),
    "PAN-32": ("PAN", {"output_stride": 32}),
    "PSANet-16": ("PSANet", {"crop_size": (64, 64), "inner": 8, "output_stride": 16}),
    "DFDAM-32": ("DFDAM", {"output_stride": 32}),
}


def noise(height, width):
    return np.random.default_rng((height, width)).integers(0, 256, (height, width, 3), np.uint8)


def assert_as_the_network(file, segmenter, kept, sizes=SIZES, **options):
    """Equal results at every size, or, where the file takes larger images than the network, a refusal."""
    opened = load(file)
    for size in sizes:
        if max(min(size), smallest_side(segmenter.model)) < kept.least:
            with pytest.raises(UsageError, match=f"from {kept.least} x {kept.least} .* --resize"):
                opened(noise(*size), **options)
            continue
        ours, theirs = segmenter(noise(*size), **options), opened(noise(*size), **options)
        assert theirs.labels.shape == size
        np.testing.assert_allclose(theirs.scores, ours.scores, atol=1e-3, err_msg=str(size))
        assert (theirs.labels == ours.labels).mean() >= 0.999, size


@pytest.mark.compile
@pytest.mark.parametrize(("name", "args"), NETWORKS.values(), ids=NETWORKS)
def test_a_file_sees_small_images_as_its_network_does(name, args, tmp_path):
    segmenter = tiny(name, **args)
    kept = export_model(segmenter, tmp_path / "a.onnx", "onnx")
    assert smallest_side(segmenter.model) == (33 if args["output_stride"] == 32 else 32)
    assert kept.least == (64 if name == "PSANet" else smallest_side(segmenter.model))
    assert_as_the_network(tmp_path / "a.onnx", segmenter, kept, [*SIZES, (64, 70)])
    parity = check_parity(segmenter, tmp_path / "a.onnx")
    assert [row.size for row in parity.rows][:2] == [(kept.least, kept.least), (kept.least, kept.least + 1)]
    assert parity.passed


@pytest.mark.compile
@pytest.mark.parametrize("format", ["openvino", "pt2"])
def test_so_do_files_of_other_formats_and_windows(format, tmp_path):
    segmenter, file = tiny(output_stride=32), tmp_path / f"a{SUFFIX[format]}"
    kept = export_model(segmenter, file, format, Contract(gives="logits"))
    assert_as_the_network(file, segmenter, kept)
    for protocol in (Protocol(window=32), Protocol(window=32, flip=True)):
        assert_as_the_network(file, segmenter, kept, [(9, 32), (50, 70)], protocol=protocol)


@pytest.mark.compile
def test_a_network_at_several_scales_too(tmp_path):
    torch.manual_seed(0)
    base = {"encoder": "test_resnet", "channels": 8, "output_stride": 32}
    model = build_model("AttentionToRefine", {"base": "FCN", "base_args": base, "stream_channels": 4, "channels": 8}, 3)
    segmenter = Segmenter(model, CLASSES, Preprocessing(), device="cpu")
    kept = export_model(segmenter, tmp_path / "a.onnx", "onnx")
    assert_as_the_network(tmp_path / "a.onnx", segmenter, kept)


def test_a_size_that_the_network_would_not_see_as_it_is_is_refused(tmp_path):
    with pytest.raises(UsageError, match="size is 32 x 48 .*33 to"):
        export_model(tiny(output_stride=32), tmp_path / "a.onnx", "onnx", Contract(size=(32, 48)))


def test_the_smallest_sizes_of_each_contract_are_checked():
    def about(quantised=False, **contract):
        return Description(Contract(**contract), CLASSES, tiny().preprocessing, "FCN", quantised)

    assert sizes_of(about())[:2] == ((32, 32), (32, 33))
    assert sizes_of(about(least=64))[:2] == ((64, 64), (64, 65))
    assert sizes_of(about(resize=(40, 56)))[:2] == ((1, 1), (1, 2))
    assert sizes_of(about(size=(40, 56))) == [(40, 56)]
    assert min(min(size) for size in sizes_of(about(quantised=True))) == 192
