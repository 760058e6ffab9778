"""Length of a run: steps given as such, in epochs or in minutes; and where it ends early."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

from attseg.data.wording import plural
from attseg.errors import UsageError
from attseg.recipes.recipe import Recipe
from attseg.runs.state import State

LEAST_BETWEEN = 100
"""Steps between two evaluations, at least, where the recipe leaves it open: short runs are not all evaluation."""

FIRST = 3
"""Steps whose time does not count: memory is allocated and kernels are chosen in them."""

MEASURED = 5
"""Steps that are measured, at least; and at least ``SHARE`` of the minutes."""

SHARE = 0.03
MOST_STEPS = 10**9


def decide_steps(recipe: Recipe, images: int, state: State | None) -> Recipe:
    """The recipe with its length in steps; one in minutes that has not begun is left as it is.

    Args:
        recipe: Exactly one of its ``steps``, ``epochs`` and ``minutes`` is above 0.
        images: Training images.
        state: What the run goes on from.

    Raises:
        UsageError: The length is given twice, or not at all; a resumed run has done more steps; or ``patience`` could never
            act.
    """
    given = {name: getattr(recipe, name) for name in ("steps", "epochs", "minutes") if getattr(recipe, name)}
    if len(given) != 1:
        told = (
            " and ".join(f"{name} is {value:g}" for name, value in given.items()) or "steps, epochs and minutes are 0"
        )
        raise UsageError(
            f"{told}; give the length of a run as one of steps, epochs and minutes, and set the others to 0"
        )
    steps = recipe.steps
    if recipe.epochs:
        steps = max(1, math.ceil(recipe.epochs * images / recipe.batch_size))
    elif recipe.minutes and state is None:
        return recipe
    elif recipe.minutes:
        steps = int(state["steps"]) if state else 0
    if state is not None and steps < state["step"] and steps != state.get("steps"):
        raise UsageError(
            f"this run has done {state['step']} steps, and {steps} were asked for; give more: --steps {2 * state['step']}"
        )
    evaluations = math.ceil(steps / val_every(recipe, steps))
    if recipe.patience >= evaluations:
        raise UsageError(
            f"patience is {recipe.patience} evaluations, and in {steps} steps there are {evaluations} (one every "
            f"{val_every(recipe, steps)}), so that it would never end the run; give fewer, or evaluate more often (val_every)"
        )
    if recipe.patience_on != "miou" and not recipe.patience:
        raise UsageError(
            f"patience_on is {recipe.patience_on}, and patience is 0, so that nothing would end the run early; give a number of "
            "evaluations too (--patience 5)"
        )
    return replace(recipe, steps=steps, epochs=0.0, minutes=0.0)


def val_every(recipe: Recipe, steps: int) -> int:
    """Steps between two evaluations."""
    return recipe.val_every or max(math.ceil(steps / 10), LEAST_BETWEEN)


def is_done(recipe: Recipe, state: State | None) -> bool:
    """Whether a resumed run is at its end: by its steps, or early. More steps let it go on."""
    if state is None:
        return False
    ended = bool(recipe.patience) and state.get("stale", 0) >= recipe.patience and not is_extended(recipe, state)
    return ended or state["step"] >= recipe.steps


def is_extended(recipe: Recipe, state: State) -> bool:
    """Whether a resumed run has another number of steps than before."""
    return recipe.steps != state.get("steps", recipe.steps)


@dataclass(frozen=True)
class RunPace:
    """Seconds of a step, and of an evaluation."""

    step: float
    evaluation: float


def measure_pace(
    step: Callable[[], object], evaluate: Callable[[], float], minutes: float, agree: Callable[[int], int]
) -> RunPace:
    """Time some steps and part of an evaluation.

    Args:
        step: Does a step.
        evaluate: Evaluates some images, and gives the seconds that the whole split would take.
        minutes: Of the whole run; a small share of it is spent.
        agree: Makes the same number for all processes of the numbers of each.
    """
    for _ in range(FIRST):
        step()
    began = perf_counter()
    for _ in range(MEASURED):
        step()
    more = agree(int(60 * minutes * SHARE / ((perf_counter() - began) / MEASURED)))
    for _ in range(more):
        step()
    return RunPace((perf_counter() - began) / (MEASURED + more), evaluate())


def steps_within(seconds: float, pace: RunPace, recipe: Recipe) -> int:
    """The most steps that fit, with their evaluations; 0 where not even one does.

    Example:
        >>> steps_within(100.0, RunPace(step=0.25, evaluation=5.0), Recipe(name="a", val_every=100))
        320
    """

    def needed(steps: int) -> float:
        return steps * pace.step + math.ceil(steps / val_every(recipe, steps)) * pace.evaluation

    return bisect_right(range(1, MOST_STEPS), seconds, key=needed)


class Patience:
    """Counts evaluations without a better score.

    Args:
        recipe: ``patience`` and ``patience_on``.
        state: What the run goes on from.
    """

    def __init__(self, recipe: Recipe, state: State | None) -> None:
        self.recipe = recipe
        state = {} if state is None or is_extended(recipe, state) else state
        self.stale = int(state.get("stale", 0))
        self.best = float(state.get("patience_best", -math.inf))

    def take(self, scores: dict[str, float]) -> bool:
        """Take the scores of an evaluation; whether the run should end."""
        on = self.recipe.patience_on
        score = scores.get(on, math.nan) * (-1 if on == "val_loss" else 1)
        better = score > self.best
        self.best = score if better else self.best
        self.stale = 0 if better else self.stale + 1
        return 0 < self.recipe.patience <= self.stale

    def state_dict(self) -> dict[str, float]:
        """For the state of the run."""
        return {"stale": self.stale, "patience_best": self.best}

    def __str__(self) -> str:
        what = "the validation loss has not fallen" if self.recipe.patience_on == "val_loss" else "mIoU has not risen"
        return f"{what} in {plural(self.stale, 'evaluation')}"
