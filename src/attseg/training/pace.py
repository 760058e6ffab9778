"""A run in minutes: how many steps fit into them."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

from attseg.recipes.recipe import Recipe
from attseg.runs.errors import RunError
from attseg.runs.length import MOST_STEPS, measure_pace, steps_within
from attseg.runs.losses import gather
from attseg.runs.progress import ProgressLine
from attseg.training.keep import Keeper
from attseg.training.learner import Learner


def within_minutes(
    learner: Learner, keeper: Keeper, step: Callable[[], object], began: float, line: ProgressLine
) -> Recipe:
    """The recipe with as many steps as fit into its minutes, of which every process has the same number.

    The steps that are measured are undone: the run begins as any other.

    Args:
        learner: At its beginning.
        keeper: Its evaluation is measured too.
        step: Does one optimizer step.
        began: When the minutes began, by ``time.perf_counter``.
        line: Shows what was decided.

    Raises:
        RunError: Not a step fits.
    """
    asked = learner.recipe
    learner.recipe = replace(asked, steps=MOST_STEPS)
    before = deepcopy(learner.state_dict())
    world = learner.plan.world
    pace = measure_pace(step, keeper.time_evaluation, asked.minutes, lambda number: min(gather(number, world)))
    learner.restore(before)
    left = 60 * asked.minutes - (time.perf_counter() - began)
    steps = min(gather(steps_within(left, pace, asked), world))
    if steps < 1:
        raise RunError(
            f"minutes is {asked.minutes:g}, and beside what was spent to measure it a step takes {pace.step:.1f} s and an "
            f"evaluation {pace.evaluation:.1f} s; give more minutes"
        )
    recipe = replace(asked, steps=steps, minutes=0.0)
    line.say(
        f"{asked.minutes:g} minutes: {recipe.steps} steps ({pace.step:.3g} s a step, {pace.evaluation:.3g} s an evaluation)"
    )
    return recipe
