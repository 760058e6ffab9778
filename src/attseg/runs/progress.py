"""Progress of a run: one updating line in a terminal, or a line now and then in a log file."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

REDRAW = 0.25
"""Seconds between two drawings of the moving line."""

PLAIN = 15.0
"""Seconds between two plain lines."""


class ProgressLine:
    """Shows how far a run is; to be used in a ``with`` block.

    Args:
        console: Where to.
        steps: Of the whole run; may be set later.
        step: Done before.
    """

    def __init__(self, console: Console, *, steps: int, step: int = 0) -> None:
        self._console = console
        self.steps = steps
        self._moving = Progress(
            BarColumn(20),
            TextColumn("{task.description}", markup=False),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self._moving.add_task("", total=steps, completed=step)
        self._drawn = time.monotonic()

    def __enter__(self) -> ProgressLine:
        if self._console.is_terminal:
            self._moving.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._moving.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def step(self, step: int, *, loss: float, lr: float, images_per_second: float, left: float) -> None:
        """Show a step.

        Args:
            step: Steps done.
            loss: Mean of the last steps.
            lr: Learning rate of the encoder.
            images_per_second: Of the last steps.
            left: Seconds, as far as one can tell.
        """
        speed = f"{images_per_second:.1f} images/s"
        self._show(f"step {step}/{self.steps}  loss {loss:.3f}  lr {lr:.2g}  {speed}  {duration(left)} left", step)

    def evaluation(self, done: int, total: int) -> None:
        """Show how far an evaluation is."""
        if self.due():
            self._show(f"evaluating {done}/{total}", None)

    def due(self) -> bool:
        """Whether something should be shown again; asking counts as showing."""
        now = time.monotonic()
        due = now - self._drawn >= (REDRAW if self._console.is_terminal else PLAIN)
        if due:
            self._drawn = now
        return due

    def _show(self, text: str, step: int | None) -> None:
        if self._console.is_terminal:
            self._moving.update(self._task, total=self.steps, completed=step, description=text, refresh=True)
        else:
            self.say(text)


def duration(seconds: float) -> str:
    """Seconds as people say them.

    Example:
        >>> duration(12.3), duration(754), duration(20_000)
        ('12 s', '12 min 34 s', '5 h 33 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
