"""Whatever is printed, no text from a stranger reaches the terminal as a command."""

import io
import sys
from contextlib import contextmanager

import pytest
from rich.progress import Progress, TextColumn

from attseg import cli
from attseg.cli import main
from attseg.cli.output import print_table
from attseg.console import TerminalConsole, filtered_output, progress

EVIL = "sky\x1b[31m\r\x9b2J\u202egnp.exe\u2028\u200b\udce9"
SHOWN = r"sky\x1b[31m\r\x9b2J\u202egnp.exe\u2028\u200b\udce9"


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


@contextmanager
def terminal(monkeypatch):
    """Standard output and standard error in one, within the block."""
    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    with filtered_output():
        yield stream


def test_prints_and_tables_are_filtered(monkeypatch):
    with terminal(monkeypatch) as stream:
        print(EVIL)
        print(EVIL, file=sys.stderr)
        sys.stdout.writelines([EVIL, "\n"])
        print_table([EVIL, "IoU"], [[EVIL, 12.5]], last=[EVIL, ""])
        TerminalConsole(stderr=True).print(EVIL, markup=False, highlight=False)
    text = stream.getvalue()
    assert text.count(SHOWN) == 6
    assert text.count(SHOWN.replace(r"\r", "")) == 1  # rich drops a carriage return by itself
    assert text.replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\n", "").isprintable()  # rich sets headings bold


def test_progress_bars_are_filtered_and_move(monkeypatch):
    with terminal(monkeypatch) as stream:
        console = TerminalConsole(stderr=True)
        with Progress(TextColumn("{task.description}", markup=False), console=console, transient=True) as bar:
            bar.add_task(EVIL, total=None)
            bar.refresh()
            print(EVIL)
            print("\x1b]8;;http://evil.example\x1b\\street.png\x1b]8;;\x1b\\", file=sys.stderr)
    text = stream.getvalue()
    assert SHOWN in text
    assert r"sky\x1b[31m\x9b2" in text  # the bar itself, which rich cuts at its width
    assert "\x1b[31m" not in text
    assert "\x1b]8" not in text
    assert r"\x1b]8;;http://evil.example" in text
    assert "\x1b[2K" in text  # what rich itself needs to move the line


def test_a_line_of_progress_shows_steps_parts_and_what_is_done(monkeypatch):
    with terminal(monkeypatch), progress("reading") as bar:
        (line,) = bar.bar.tasks
        bar(3, 10, "a name that is not shown")
        assert (line.description, line.completed, line.total) == ("reading", 3, 10)
        bar.step("writing", 1, 4)
        assert (line.description, line.completed, line.total) == ("writing", 1, 4)
        parts = bar.within("windows")
        within = bar.bar.tasks[1]
        assert not within.visible
        parts(1, 4)
        assert within.visible and within.completed == 1
        parts(4, 4)
        assert not within.visible


def test_progress_is_silent_where_nobody_looks(capsys):
    with progress("reading") as bar:
        bar(1, 2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("kind", [ValueError, OSError, cli.UsageError])
def test_errors_are_filtered_and_short(kind, capsys, monkeypatch):
    def fail(_):
        raise kind(f"there is no {EVIL} {'x' * 1_000_000}; do this")

    monkeypatch.setattr(cli, "_run", fail)
    assert main(["train"]) in (1, 2)
    message = capsys.readouterr().err
    assert SHOWN in message
    assert "do this" in message
    assert len(message) < 5000


def test_streams_come_back_when_a_verb_ends(capsys):
    before = sys.stdout, sys.stderr
    assert main(["recipes", "--json"]) == 0
    assert (sys.stdout, sys.stderr) == before
    assert main(["nothing"]) == 2
    assert (sys.stdout, sys.stderr) == before
