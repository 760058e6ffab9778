"""``attseg suggest``: how to train on a folder of your own, on this computer."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from attseg.cli.options import Json, X, data_settings
from attseg.cli.output import print_result
from attseg.cli.settings import with_settings
from attseg.recipes.nested import section
from attseg.recipes.recipe import DataSpec


@with_settings(("Settings of the data set", [*data_settings("train", "val", "options")]))
def run(
    data: Annotated[str, Parameter(name="DIR")],
    /,
    *,
    minutes: X = 30.0,
    seconds: X = 20.0,
    json: Json = False,
    given: dict[str, Any],
) -> int:
    """Suggest how to train on a folder of pictures and labels: encoder, crop, batch and steps, as a command to copy.

    A sample of the pictures is read, and steps of the suggested run are timed on this computer: the time that training takes is
    measured, and printed as a range. Nothing is written.

    Args:
        data: A folder of your own that attseg data check can read.
        minutes: Training may take at most X minutes.
        seconds: Spend about X seconds on reading pictures and timing steps.

    Examples:
        attseg suggest ~/mine
        attseg suggest ~/mine --data.options.split 0.8
        attseg suggest ~/mine --minutes 10
        attseg suggest ~/mine --json
    """
    from attseg.suggest.job import suggest

    found = suggest(DataSpec(name="folder", root=data, **section(given, "data")), minutes=minutes, seconds=seconds)
    print_result(found.to_dict(), found.describe(), json=json)
    return 0
