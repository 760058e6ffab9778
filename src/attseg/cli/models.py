"""``attseg models``: the networks, and the options of their constructors."""

from __future__ import annotations

from attseg.cli.options import Json
from attseg.cli.output import print_result
from attseg.errors import UsageError, unknown
from attseg.recipes.values import describe_class


def run(model: str | None = None, /, *, encoders: bool = False, small: bool = False, json: Json = False) -> int:
    """List the models and the options of their constructors, or encoders, or the small networks for CPUs.

    Every option is a setting of a recipe: attseg train RECIPE --model.name FCN --model.args.encoder resnet34.

    Args:
        model: List only this model.
        encoders: List encoders instead: size, cost, strides, licence, and where their pretrained weights are.
        small: List the small networks for CPUs instead: nano, small and medium, which the recipes finetune-NAME train.

    Examples:
        attseg models
        attseg models PAN
        attseg models --encoders
        attseg models --small
        attseg models --json
    """
    if sum((model is not None, encoders, small)) > 1:
        raise UsageError("MODEL, --encoders and --small list different things; give one of them")
    if encoders or small:
        from attseg.profiling.encoders import list_encoders, list_family
        from attseg.profiling.shown import choices_parts

        choices = list_family() if small else list_encoders()
        print_result([choice.to_dict() for choice in choices], choices_parts(choices), json=json)
        return 0
    from attseg.models import MODELS
    from attseg.recipes.shown import models_parts

    if model and model not in MODELS:
        raise unknown("model", model, MODELS)
    described = {name: describe_class(MODELS[name]) for name in ([model] if model else MODELS)}
    print_result(described, models_parts(described), json=json)
    return 0
