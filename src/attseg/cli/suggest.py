"""``attseg suggest``: how to train on a folder of your own, on this computer."""

from __future__ import annotations

from json import dumps
from typing import Annotated, Any

from cyclopts import Parameter

from attseg.cli.options import Json, data_settings
from attseg.cli.settings import with_settings
from attseg.recipes.nested import put
from attseg.recipes.recipe import DataSpec


@with_settings(("Settings of the data set", [*data_settings("train", "val", "options")]))
def run(
    data: Annotated[str, Parameter(name="DIR")],
    /,
    *,
    minutes: float = 30.0,
    seconds: float = 20.0,
    json: Json = False,
    given: dict[str, Any],
) -> int:
    """Suggest how to train on a folder of pictures and labels: encoder, crop, batch and steps, as a command to copy.

    Some of the pictures are looked at, and steps of the suggested run are timed on this computer, so that the minutes that it
    will take are measured, with an error bar. Nothing is written.

    Args:
        data: A folder of your own, which attseg data check can read.
        minutes: That training may take at most.
        seconds: For about how long pictures are looked at and steps are timed.

    Examples:
        attseg suggest ~/mine
        attseg suggest ~/mine --data.options.split 0.8
        attseg suggest ~/mine --minutes 10
        attseg suggest ~/mine --json
    """
    from attseg.suggest.job import suggest

    values = put({}, given).get("data", {})
    found = suggest(DataSpec(name="folder", root=data, **values), minutes=minutes, seconds=seconds)
    if json:
        print(dumps(found.to_dict(), indent=2))
        return 0
    summary, pace, takes = found.data, found.pace, found.estimate
    print(
        f"{summary.train} pictures to train on and {summary.val} to evaluate on, {summary.size[0]} x {summary.size[1]} (median), "
        f"{len(summary.shares)} classes; {summary.looked_at} were looked at"
    )
    for reason in found.why:
        print(f"- {reason}")
    for note in found.notes:
        print(f"note: {note}")
    if len(pace.steps) == 1:
        span = "too rough to rely on: one step was timed here, mostly a slow first one; more --seconds time more"
    else:
        span = f"{takes.low:.1f} to {takes.high:.1f}: {len(pace.steps)} steps were timed here"
    print(
        f"\nabout {takes.minutes:.1f} minutes, {span}, {pace.step:.2f} s each, as busy as it is now; an evaluation takes "
        f"{pace.evaluation:.1f} s\n"
    )
    print(found.command)
    return 0
