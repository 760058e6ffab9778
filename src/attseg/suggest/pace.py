"""How long a recipe will take on this computer: steps of it are timed, and part of an evaluation."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from attseg.data.sample import SegmentationData
from attseg.recipes.recipe import Machine, Recipe
from attseg.runs.folder import RunFolder
from attseg.runs.labels import LabelStatistics
from attseg.runs.length import FIRST, val_every
from attseg.runs.losses import RecentLosses
from attseg.runs.pictures import SAMPLES
from attseg.training.engine import launched
from attseg.training.first_weights import start
from attseg.training.keep import Keeper
from attseg.training.learner import Learner
from attseg.training.loop import train_step, training_batches
from attseg.training.plan import Plan, make_plan

SMALL = 2
"""Pictures of the steps that are timed first: batch normalisation needs two."""

SHARE = 0.15
"""Of the time for evaluations."""

MOST_EVALUATIONS = 10


@dataclass(frozen=True)
class Pace:
    """A timing.

    Args:
        steps: Seconds of each step.
        evaluation: Seconds of an evaluation.
    """

    steps: list[float]
    evaluation: float

    @property
    def step(self) -> float:
        """Seconds of a step, on average."""
        return float(np.mean(self.steps))


@dataclass(frozen=True)
class Estimate:
    """How long a run takes, in minutes.

    Args:
        minutes: As the mean of what was timed says.
        low: Were all steps as fast as the fastest tenth of those that were timed.
        high: Were all as slow as the slowest tenth.
    """

    minutes: float
    low: float
    high: float


def estimate(recipe: Recipe, pace: Pace) -> Estimate:
    """How long a recipe takes at a pace, its evaluations included.

    Example:
        >>> estimate(Recipe(name="a", steps=600, val_every=300), Pace([0.1, 0.1, 0.1], 30.0))
        Estimate(minutes=2.0, low=2.0, high=2.0)
    """
    evaluations = math.ceil(recipe.steps / val_every(recipe, recipe.steps))
    seconds = recipe.steps * pace.step + evaluations * pace.evaluation
    mean, low, high = (seconds * step / pace.step / 60 for step in (pace.step, *np.quantile(pace.steps, (0.1, 0.9))))
    return Estimate(*(round(float(minutes), 3) for minutes in (mean, low, high)))


def shortened(recipe: Recipe, pace: Pace, minutes: float) -> Recipe:
    """A recipe with at most as many steps as fit into minutes; evaluations take ``SHARE`` of them, or there is one.

    Example:
        >>> short = shortened(Recipe(name="a", steps=6000), Pace([0.1], 30.0), 10)
        >>> short.steps, short.val_every
        (5100, 1700)
    """
    seconds = 60 * minutes
    evaluations = max(1, min(MOST_EVALUATIONS, int(SHARE * seconds / pace.evaluation)))
    fits = int((seconds - evaluations * pace.evaluation) / pace.step)
    steps = max(1, min(recipe.steps, fits))
    return replace(recipe, steps=steps, val_every=math.ceil(steps / evaluations))


def measure(
    recipe: Recipe, machine: Machine, train: SegmentationData, val: SegmentationData, *, seconds: float = 20.0
) -> Pace:
    """Time steps of a recipe for some seconds, in memory alone: no file is written.

    What other programs do meanwhile is in the figures, and what they will do later is not.

    Args:
        recipe: Its weights are there, or it begins without.
        machine: On what.
        train: The split to train on.
        val: The split to evaluate on.
        seconds: For about how long, the part of an evaluation included. Steps of ``SMALL`` pictures come first; where whole
            batches would take longer than what is left, they alone are timed, and a step counts in proportion to its pictures.
    """
    plan = make_plan(recipe, machine)
    begun = start(recipe, len(train.classes), first=None, state=None)
    with launched(plan) as fabric:
        learner = Learner(fabric, begun, recipe, plan, None)
        end = time.perf_counter() + seconds
        small = min(SMALL, plan.batch_size)
        times = _steps(learner, replace(plan, batch_size=small), train, end, most=3)
        times = [plan.batch_size / small * step for step in times]
        keeper = Keeper(learner, val, RunFolder(Path()))
        evaluation = keeper.time_evaluation(1)
        if time.perf_counter() + 2 * SAMPLES * evaluation / len(val) < end:
            evaluation = keeper.time_evaluation()
        if time.perf_counter() + times[-1] < end:
            times = _steps(learner, plan, train, end, most=recipe.steps - learner.step)
    return Pace(times, evaluation)


def _steps(learner: Learner, plan: Plan, train: SegmentationData, end: float, most: int) -> list[float]:
    """Seconds of each step, at least one, until another would end too late; without the first ones, which allocate memory."""
    learner.plan = plan
    batches = training_batches(learner, train, LabelStatistics(None, None), None)
    losses = RecentLosses(plan.machine.accumulate, plan.world)
    times: list[float] = []
    while not times or (len(times) < most and time.perf_counter() + times[-1] < end):
        began = time.perf_counter()
        train_step(learner, batches, losses)
        losses.take(learner.step, model=None, advice="")  # waits for a GPU
        times.append(time.perf_counter() - began)
    return times[min(FIRST, len(times) // 2) :]
