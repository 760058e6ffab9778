"""The door for the networks of MIT's scene parsing benchmark: github.com/CSAILVision/semantic-segmentation-pytorch."""

from __future__ import annotations

from typing import Any, cast

from attseg.converters.foreign import Foreign, Given, Renaming
from attseg.converters.resnet import TIMM_STEM, find_resnet
from attseg.converters.source import Source, read_tensors
from attseg.errors import UsageError
from attseg.models.psanet import PSANet

WHAT = "a dilated ResNet with c1 or ppm of CSAIL"
STEM = ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3")


def load_csail(encoder: Source, decoder: Source | None = None) -> PSANet:
    """A dilated ResNet with ``ppm``, ``ppm_deepsup``, ``c1`` or ``c1_deepsup``, in evaluation mode, with its logits from there.

    Args:
        encoder: ``encoder_epoch_N.pth``, or a file of both whose names begin with ``encoder.`` and ``decoder.``.
        decoder: ``decoder_epoch_N.pth``.

    Raises:
        UsageError: There is no such file, it would run code, or the tensors are not those of such a network.

    Source:
        ``mit_semseg/models/models.py`` and ``resnet.py`` there. ``resnet18dilated``, ``resnet50dilated`` and
        ``resnet101dilated`` exist; ``resnet34dilated`` has a name, and raises NotImplementedError. Weights of such a network
        would be read.
    Reading:
        What is returned in evaluation are the logits at the picture's size, before the softmax that is taken there. Dilation
        is timm's. Every level of its pyramid has 512 channels; that of one bin has a normalisation that is folded into its
        convolution. HRNet, MobileNet, undilated ResNets and UPerNet are not read: the weights of an undilated ResNet with
        ``c1`` or ``ppm`` look the same, and are taken for a dilated one.
    """
    return cast(PSANet, read_csail(encoder, decoder).build())


def read_csail(encoder: Source, decoder: Source | None = None) -> Foreign:
    """The model that ``load_csail`` builds; arguments and errors as there."""
    given = Given(WHAT, _joined(encoder, decoder))
    given.drop("encoder.fc.")
    given.drop_endings("._tmp_running_mean", "._tmp_running_var", "._running_iter")  # of its synchronised normalisation
    name = find_resnet(given, prefix="encoder.", last_stem="encoder.conv3.weight")
    if "decoder.fpn_in.0.0.weight" in given:
        raise UsageError(
            "this decoder is UPerNet, which attseg does not have; c1, c1_deepsup, ppm and ppm_deepsup are read"
        )
    pyramid = "decoder.ppm.0.1.weight" in given
    aux = "decoder.cbr_deepsup.0.weight" in given
    merged, last = ("conv_last", "conv_last.4") if pyramid else ("cbr", "conv_last")
    args: dict[str, Any] = {
        "encoder": name,
        "channels": given.shape(f"decoder.{merged}.0.weight")[0],
        "dropout": 0.1 if pyramid else 0.0,
        "aux": aux,
    }
    names: Renaming = [
        *(
            (f"encoder.network.{ours}.", f"encoder.{theirs}.")
            for (ours, _), theirs in zip(TIMM_STEM, STEM, strict=True)
        ),
        ("encoder.network.", "encoder."),
        ("head.2.", f"decoder.{last}."),
    ]
    if aux:
        args["aux_channels"] = given.shape("decoder.cbr_deepsup.0.weight")[0]
        names += [("aux.encoder.0.", "decoder.cbr_deepsup."), ("aux.encoder.2.", "decoder.conv_last_deepsup.")]
    classes = given.shape(f"decoder.{last}.weight")[0]
    if not pyramid:
        return given.fit("PSANet", classes, args | {"directions": ()}, renaming=[*names, ("context.", "decoder.cbr.")])
    args |= {"context": "psp", "context_width": given.shape("decoder.ppm.0.1.weight")[0]}
    weight, bias = given.folded_convolution("decoder.ppm.0.1", "decoder.ppm.0.2")
    made = {"context.levels.0.0.weight": weight, "context.levels.0.0.bias": bias}
    names.append(("context.merge.", "decoder.conv_last."))
    names += [
        (f"context.levels.{level}.{at}.", f"decoder.ppm.{level}.{at + 1}.") for level in (1, 2, 3) for at in (0, 1)
    ]
    return given.fit("PSANet", classes, args, renaming=names, made=made)


def _joined(encoder: Source, decoder: Source | None) -> dict[str, Any]:
    """The tensors of both under their names in the whole network."""
    first = read_tensors(encoder)
    if decoder is None:
        if not any(name.startswith("decoder.") for name in first):
            raise UsageError("CSAIL's networks come in two files; give that of the encoder and that of the decoder")
        return first
    second = read_tensors(decoder)
    if "conv1.weight" in second and "conv1.weight" not in first:
        raise UsageError("the first file is the decoder and the second the encoder; give them the other way round")
    return {f"encoder.{name}": one for name, one in first.items()} | {
        f"decoder.{name}": one for name, one in second.items()
    }
