"""Runs a verb: cyclopts reads its options from the signature and docstring of a function, and wrong ones are explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import getdoc
from shutil import get_terminal_size
from textwrap import dedent, indent
from typing import Any

from cyclopts import (
    App,
    CycloptsError,
    Group,
    MissingArgumentError,
    Parameter,
    UnknownOptionError,
    UnusedCliTokensError,
)

from attseg.cli.hints import unknown_option
from attseg.cli.options import WIDEST, unwrapped
from attseg.cli.settings import keyed
from attseg.console import TerminalConsole
from attseg.errors import UsageError


def call(name: str, function: Callable[..., int], arguments: Sequence[str]) -> int:
    """Run a function with the arguments of a command line.

    Args:
        name: What is typed before the arguments.
        function: Its signature says which options there are, its docstring is the help.
        arguments: Of the command line.

    Returns:
        The exit status.

    Raises:
        UsageError: An option that does not exist, or a value that is missing or wrong.
    """
    text, _, examples = (getdoc(unwrapped(function)) or "").partition("\n\nExamples:\n")
    paragraphs = text.partition("\n\nArgs:\n")[0].split("\n\n")
    app = App(
        name=name,
        help="\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs),
        help_format="plaintext",
        version_flags=(),
        group_arguments=Group("Arguments", sort_key=0),
        group_parameters=Group("Options", sort_key=1),
        default_parameter=Parameter(
            negative="", allow_repeating=True, json_list=False, json_dict=False, show_default=_shown
        ),
        result_action="return_value",
    )
    app["--help"].show = False
    app.default(function)
    if {"--help", "-h"} & set(arguments):
        console = TerminalConsole()
        console.width = min(WIDEST, get_terminal_size().columns)
        with console.capture() as shown:  # because rich ends the process where the reader of a pipe has gone
            app.help_print([], console=console)
        console.file.write(shown.get())
        print(f"\nexamples:\n{indent(dedent(examples), '  ')}")
        return 0
    try:
        given = keyed(arguments, getattr(function, "open_settings", ()))
        _, bound, _ = app.parse_args(given, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise _explained(error, name, arguments) from error
    return function(*bound.args, **bound.kwargs)


def _shown(default: Any) -> str | None:
    """A default as help shows it."""
    return None if default in (None, False, (), "") else f"{default:g}" if isinstance(default, float) else str(default)


def _explained(error: CycloptsError, verb: str, arguments: Sequence[str]) -> UsageError:
    """The same error with the nearest name, and where help is."""
    error.verbose = False
    more = f"`{verb} --help` shows what can be given"
    match error:
        case UnknownOptionError():
            forms = {
                name: "" if argument.is_flag() else argument.parameter.metavar or "VALUE"
                for argument in error.argument_collection
                for name in argument.names
                if name.startswith("--")
            }
            given = (error.token.keyword or error.token.value).partition("=")[0]
            pairs = zip(arguments, [*arguments[1:], ""], strict=True)
            values = [one.partition("=")[2] or after for one, after in pairs if one.partition("=")[0] == given]
            return unknown_option(given, [*values, ""][0], forms, verb)
        case UnusedCliTokensError():
            return UsageError(f"{(error.unused_tokens or ['?'])[0]!r} is one argument too many; {more}")
        case MissingArgumentError(argument=argument) if argument is not None:
            name = error.keyword or argument.name
            wanted = f"{name} needs a value" if error.keyword else f"{name} is missing"
            return UsageError(f"{wanted}; {more}")
    return UsageError(f"{error}{'' if str(error).endswith(('.', '?')) else ';'} {more}")
