"""``attseg convert``: weights that others released become a run folder."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.cli.parser import Parser
from attseg.errors import UsageError, unknown

if TYPE_CHECKING:
    from attseg.data.classes import ClassTable

TEXT = """\
Turn weights that were trained elsewhere into a run folder: evaluate, predict, explain and export take it like one
of your own, and the logits are those that the network gives where it comes from. Files are read without running
anything in them.

Sources: semseg (PSANet and PSPNet of hszhao/semseg), mmseg (PSANet of mmsegmentation), smp (PAN of
segmentation_models_pytorch; a file, or a folder of save_pretrained), csail (dilated ResNets of CSAILVision; two files)."""

EXAMPLES = (
    "attseg convert psanet50.pth --from semseg --data ade20k --out runs/psanet50",
    "attseg convert psanet_r50-d8_512x512.pth --from mmseg --data voc2012 --out runs/psanet-mmseg",
    "attseg convert saved/ --from smp --classes classes.csv --out runs/pan-smp",
    "attseg convert weights.pth --from smp --encoder tu-resnet18 --data camvid --out runs/pan-smp",
    "attseg convert encoder_epoch_20.pth decoder_epoch_20.pth --from csail --data ade20k --out runs/csail",
)

PSA_TYPES = {"collect": ("collect",), "distribute": ("distribute",), "both": ("collect", "distribute")}


def run(argv: Sequence[str]) -> int:
    """Convert, and say what it was."""
    parser = Parser("convert", TEXT, EXAMPLES)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".pth or .safetensors; two of csail")
    parser.add_argument("--from", dest="source", required=True, metavar="SOURCE", help="semseg, mmseg, smp or csail")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the run folder to write")
    parser.add_argument("--data", metavar="NAME", help="its classes: voc2012, ade20k, cityscapes or camvid")
    parser.add_argument("--classes", type=Path, metavar="FILE", help="its classes: a classes.csv (see docs/data.md)")
    parser.add_argument("--directions", choices=PSA_TYPES, help="semseg, mmseg: what PSA's branches do (default: both)")
    parser.add_argument("--compact", action="store_true", help="semseg, mmseg: maps without relative offsets")
    parser.add_argument(
        "--mask-size", metavar="HxW", help="semseg, mmseg: rows and columns of filters (default: as many)"
    )
    parser.add_argument(
        "--shrink", type=int, metavar="N", help="semseg, mmseg: how much smaller attention's map is (2)"
    )
    parser.add_argument("--align-corners", action="store_true", help="mmseg: as its configurations for 769 x 769 say")
    parser.add_argument("--encoder", metavar="NAME", help="smp: encoder_name, where the weights do not tell")
    parser.add_argument("--output-stride", type=int, choices=(16, 32), help="smp: encoder_output_stride (default: 16)")
    arguments = parser.parse(argv)
    options = _options(arguments)
    classes = _classes(arguments)

    from attseg.converters.convert import convert

    first = arguments.files[0]
    found = convert(arguments.source, first, arguments.out, classes=classes, data=arguments.data, **options)
    count = sum(tensor.numel() for tensor in found.state.values())
    print(
        f"{arguments.out}: {found.name} on {found.args['encoder']}, {found.num_classes} classes, {count / 1e6:.1f} M numbers\n"
        f"Look at it with: attseg predict {arguments.out} PICTURES --out segmented"
    )
    return 0


def _options(arguments: Namespace) -> dict[str, Any]:
    """What the door is told, of what was given."""
    given: dict[str, Any] = {
        "directions": PSA_TYPES.get(arguments.directions),
        "compact": arguments.compact or None,
        "mask_size": arguments.mask_size and _size(arguments.mask_size),
        "shrink": arguments.shrink,
        "align_corners": arguments.align_corners or None,
        "encoder": arguments.encoder,
        "output_stride": arguments.output_stride,
        "decoder": arguments.files[1] if len(arguments.files) == 2 else None,
    }
    if len(arguments.files) > 2 or (len(arguments.files) == 2 and arguments.source != "csail"):
        raise UsageError(
            f"{len(arguments.files)} files were given; one was expected, or two (encoder, decoder) of csail"
        )
    return {name: value for name, value in given.items() if value is not None}


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        raise UsageError(f"--mask-size is {text!r}; rows and columns were expected, such as 97x97")
    return int(parts[0]), int(parts[1])


def _classes(arguments: Namespace) -> ClassTable:
    if (arguments.data is None) == (arguments.classes is None):
        raise UsageError("say what the classes are: --data NAME of a public data set, or --classes FILE of your own")
    if arguments.classes:
        from attseg.data.sets.class_file import read_class_file

        return read_class_file(arguments.classes)

    from attseg.converters.convert import TABLES

    if arguments.data not in TABLES:
        raise unknown("table of classes", arguments.data, TABLES)
    return TABLES[arguments.data]
