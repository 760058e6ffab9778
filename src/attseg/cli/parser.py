"""The parser of every verb: argparse with messages that say what to do, and options for the settings of records."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from textwrap import fill
from typing import Any, Literal, NoReturn, get_args, get_origin

from attseg.errors import UsageError, unknown
from attseg.recipes.files import parse_yaml
from attseg.recipes.values import Setting

_NUMBERS = re.compile(r"[-+.\deE]+(,[-+.\deE]+)+")


class Parser(argparse.ArgumentParser):
    """Arguments of one verb; every wrong one is a ``UsageError``.

    Args:
        verb: What stands after ``attseg``.
        text: What the verb does, in a paragraph.
        examples: Command lines that work.
        usage: What stands after the verb, where naming every option would hide it.
    """

    def __init__(self, verb: str, text: str, examples: Sequence[str], *, usage: str | None = None) -> None:
        super().__init__(
            prog=f"attseg {verb}",
            usage=usage and f"attseg {verb} {usage}",
            description="\n\n".join(fill(part, _width(), break_on_hyphens=False) for part in text.split("\n\n")),
            epilog="\n".join(["examples:", *(f"  {line}" for line in examples)]),
            formatter_class=_Formatter,
            allow_abbrev=False,
        )
        self._settings: dict[str, Setting] = {}

    def add_settings(self, title: str, settings: Iterable[Setting], *, prefix: str = "") -> None:
        """Add an option for each setting, ``--optim.lr`` for the key ``optim.lr``; ``prefix`` stands before the keys."""
        group = self.add_argument_group(title)
        for setting in settings:
            key = prefix + setting.key
            self._settings[key] = setting
            group.add_argument(
                f"--{key}",
                default=argparse.SUPPRESS,
                metavar=_metavar(setting.hint),
                help=setting.meaning.replace("%", "%%"),
            )

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse; the settings that were given are in ``given``, by dotted key, as plain values.

        Raises:
            UsageError: An option that does not exist, a value that is missing or wrong.
        """
        arguments = [self._known_spelling(argument) for argument in argv]
        self._add_open_settings(arguments)
        namespace, extra = self.parse_known_args(arguments)
        if extra:
            raise self._unexpected(extra[0])
        namespace.given = {
            key: value_of(text, self._settings[key].hint) for key, text in _pop_all(namespace, self._settings)
        }
        return namespace

    def error(self, message: str) -> NoReturn:
        """What argparse calls where it finds something wrong."""
        raise UsageError(f"{message}; `{self.prog} --help` shows what can be given")

    def _known_spelling(self, argument: str) -> str:
        """The option as it is declared, where only - and _ differ."""
        option, equals, value = argument.partition("=")
        if not option.startswith("--") or option in self._option_string_actions:
            return argument
        spelled = {known.replace("-", "_"): known for known in self._option_string_actions}
        return spelled.get(option.replace("-", "_"), option) + equals + value

    def _add_open_settings(self, arguments: Sequence[str]) -> None:
        """Declare ``--model.args.encoder`` and the like, whose last names the records leave open."""
        for argument in arguments:
            key = argument.removeprefix("--").partition("=")[0]
            if argument.startswith("--") and key not in self._settings and (hint := self._open_hint(key)) is not None:
                self._settings[key] = Setting(key, hint, None, "")
                self.add_argument(f"--{key}", dest=key, default=argparse.SUPPRESS, help=argparse.SUPPRESS)

    def _open_hint(self, key: str) -> Any:
        """The type of what a mapping holds under a key; None where no mapping is open for it.

        A mapping of anything may hold mappings, so the key may lie deeper in it.
        """
        parent, depth = key, 0
        while parent and parent not in self._settings:
            parent, depth = parent.rpartition(".")[0], depth + 1
        hint = self._settings[parent].hint if parent else None
        if not _is(hint, dict):
            return None
        value = get_args(hint)[1]
        return value if depth == 1 or value is Any else None

    def _unexpected(self, argument: str) -> UsageError:
        if argument.startswith("-"):
            more = f"`{self.prog} --help` lists them"
            return unknown("option", argument.partition("=")[0], self._option_string_actions, more=more)
        return UsageError(f"{argument!r} is one argument too many; `{self.prog} --help` shows what can be given")


def value_of(text: str, hint: Any = Any) -> Any:
    """What the text of an option of some type stands for: texts as they are, lists with or without brackets, all else as in YAML.

    Example:
        >>> value_of("7,5,3"), value_of("off"), value_of("0.5"), value_of("012", str)
        ([7, 5, 3], 'off', 0.5, '012')
    """
    if hint is str or (hint == str | None and text != "null"):
        return text
    if not text.startswith("[") and (_is(hint, tuple) or (hint is Any and _NUMBERS.fullmatch(text))):
        text = f"[{text}]"
    try:
        return parse_yaml(text)
    except UsageError:
        return text


def _pop_all(namespace: argparse.Namespace, keys: Iterable[str]) -> list[tuple[str, str]]:
    return [(key, vars(namespace).pop(key)) for key in keys if key in vars(namespace)]


def _is(hint: Any, container: type) -> bool:
    """Whether a type is a dict, or a tuple, of something."""
    return get_origin(hint) == container


def _metavar(hint: Any) -> str:
    origin: Any = get_origin(hint)
    args = get_args(hint)
    if origin is Literal:
        return "{" + ",".join(args) + "}"
    if origin is tuple:
        return "A,B,.." if args[-1] is ... else "A,B"
    if origin is dict:
        return "{NAME: VALUE}"
    return {bool: "{true,false}", int: "N", float: "X"}.get(hint, "TEXT")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Paragraphs and examples as they were written, in a width that is read well."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=_width())


def _width() -> int:
    return min(110, get_terminal_size().columns - 2)
