"""``attseg convert``: weights that others released become a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from attseg.cli.options import File, Size, Whole
from attseg.errors import UsageError

PSA_TYPES = {"collect": ("collect",), "distribute": ("distribute",), "both": ("collect", "distribute")}


def run(
    *file: Path,
    source: Annotated[str, Parameter(name="--from", metavar="SOURCE")],
    out: Annotated[Path, Parameter(metavar="DIR")],
    data: Annotated[str | None, Parameter(metavar="NAME")] = None,
    classes: File = None,
    directions: Literal["collect", "distribute", "both"] | None = None,
    compact: bool = False,
    mask_size: Size = None,
    shrink: Whole = None,
    align_corners: bool = False,
    encoder: Annotated[str | None, Parameter(metavar="NAME")] = None,
    output_stride: Literal[16, 32] | None = None,
) -> int:
    """Convert weights that were trained elsewhere into a run folder.

    evaluate, predict, explain and export use it like a run of your own. The logits equal those of the original network. No code
    in the files is run.

    Sources: semseg (PSANet and PSPNet of hszhao/semseg), mmseg (PSANet of mmsegmentation), smp (PAN of
    segmentation_models_pytorch; a file, or a folder of save_pretrained), csail (dilated ResNets of CSAILVision; two files).

    Args:
        file: Weights, .pth or .safetensors; two files of csail (encoder, decoder).
        source: Where they come from: semseg, mmseg, smp or csail.
        out: The run folder to write.
        data: Public data set with the classes of the weights, such as ade20k.
        classes: The classes of the weights as a classes.csv (see docs/train/data.md), instead of --data.
        directions: For semseg and mmseg: branches of PSA that the network has (default: both).
        compact: For semseg and mmseg: the attention maps have no relative offsets.
        mask_size: For semseg and mmseg: height x width of the attention filters (default: that of the weights).
        shrink: For semseg and mmseg: factor by which the attention map is smaller than the features (default: 2).
        align_corners: For mmseg: upsample with aligned corners, as its configurations for 769 x 769 do.
        encoder: For smp: encoder_name, if the weights do not say it.
        output_stride: For smp: encoder_output_stride (default: 16).

    Examples:
        attseg convert psanet50.pth --from semseg --data ade20k --out runs/psanet50
        attseg convert psanet_r50-d8_512x512.pth --from mmseg --data voc2012 --out runs/psanet-mmseg
        attseg convert saved/ --from smp --classes classes.csv --out runs/pan-smp
        attseg convert weights.pth --from smp --encoder tu-resnet18 --data camvid --out runs/pan-smp
        attseg convert encoder_epoch_20.pth decoder_epoch_20.pth --from csail --data ade20k --out runs/csail
    """
    if not 1 <= len(file) <= (2 if source == "csail" else 1):
        raise UsageError(f"{len(file)} files were given; one was expected, or two (encoder, decoder) of csail")
    options: dict[str, Any] = {
        "directions": PSA_TYPES[directions] if directions else None,
        "compact": compact or None,
        "mask_size": mask_size,
        "shrink": shrink,
        "align_corners": align_corners or None,
        "encoder": encoder,
        "output_stride": output_stride,
        "decoder": file[1] if len(file) == 2 else None,
    }
    if (data is None) == (classes is None):
        raise UsageError("say what the classes are: --data NAME of a public data set, or --classes FILE of your own")

    from attseg.converters.convert import convert, find_classes

    given = {name: value for name, value in options.items() if value is not None}
    found = convert(source, file[0], out, classes=find_classes(data, classes), data=data, **given)
    count = sum(tensor.numel() for tensor in found.state.values())
    print(
        f"{out}: {found.name} on {found.args['encoder']}, {found.num_classes} classes, {count / 1e6:.1f} M numbers\n"
        f"Look at it with: attseg predict {out} PICTURES --out segmented"
    )
    return 0
