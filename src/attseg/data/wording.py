"""Numbers and lists in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def plural(number: int, what: str) -> str:
    """A number of things.

    Example:
        >>> plural(1, "picture"), plural(0, "file")
        ('1 picture', '0 files')
    """
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def few(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many more there are.

    Example:
        >>> few(["a", "b", "c", "d", "e"])
        'a, b, c and 2 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def percent(part: int, whole: int) -> str:
    """A share in percent; never 0 for something.

    Example:
        >>> percent(1, 3), percent(1, 100_000)
        ('33.3 %', '< 0.01 %')
    """
    share = 100 * part / whole
    return f"{share:.3g} %" if share >= 0.01 or not part else "< 0.01 %"


def amount(count: int) -> str:
    """A number of bytes.

    Example:
        >>> amount(1_999_639_040), amount(12_300_000), amount(512)
        ('2.0 GB', '12.3 MB', '512 bytes')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return plural(count, "byte")


def ranges(numbers: Iterable[int]) -> str:
    """Sorted numbers in short.

    Example:
        >>> ranges([0, 1, 2, 7, 9, 10])
        '0..2, 7, 9..10'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs)
