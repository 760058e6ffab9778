"""Every context with every decoder, and encoders of every kind, in every format. The short form is in ``test_formats``."""

from typing import get_args

import pytest

from attseg.context import ContextName
from attseg.decoders import DecoderName
from attseg.export.formats import SUFFIX, export_model
from attseg.export.parity import check_parity
from attseg.inference.exported.contract import Contract
from tiny_exports import tiny

CASES = [
    *(
        ("FCN", {"context": context, "decoder": decoder})
        for context in get_args(ContextName)
        for decoder in get_args(DecoderName)
    ),
    *(
        ("PAN", {"encoder": encoder, "output_stride": stride})
        for encoder, stride in (
            ("resnet18", 8),
            ("resnet50d", 16),
            ("test_convnext", 32),
            ("test_vit", 16),
            ("mobilenetv3_small_100", 16),
            ("efficientnet_b0", 16),
            ("regnetx_002", 32),
        )
    ),
]


@pytest.mark.soak
@pytest.mark.parametrize("format", SUFFIX)
@pytest.mark.parametrize(("name", "args"), CASES, ids=str)
def test_every_network_becomes_every_file(tmp_path, name, args, format):
    segmenter, path = tiny(name, **args), tmp_path / f"model{SUFFIX[format]}"
    kept = export_model(segmenter, path, format, Contract(gives="logits"))
    sizes = ((kept.least, kept.least), (kept.least + 1, 147), (160, 96))
    parity = check_parity(segmenter, path, sizes=sizes)
    assert parity.passed
    assert max(row.difference for row in parity.rows) < 1e-3
