"""The command line: one file a verb, imported when it is called, so that help comes at once.

Exit status: 0 done, 1 failed, 2 wrongly called, 130 and 143 stopped by Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from attseg.console import filtered_output
from attseg.errors import UsageError, unknown
from attseg.text import LONGEST_MESSAGE, cut

VERBS = {
    "demo": "train, evaluate and look at attention in about two minutes, offline",
    "train": "train a recipe, or continue a run",
    "evaluate": "evaluate a trained model on a data set",
    "predict": "segment images, videos and rasters",
    "export": "write a trained model as ONNX, OpenVINO or torch.export, and check it",
    "explore": "look at predictions and attention live in the browser",
    "explain": "write a page that shows what attention says about each pixel of an image",
    "panel": "draw a figure of results: image, labels, and a column for each run",
    "publish": "write weights with their model card to a folder or to the Hugging Face hub",
    "convert": "convert weights that others released into a run folder",
    "reproduce": "train the rows of a paper's table, and compare with its figures",
    "profile": "measure what networks cost: parameters, multiply-adds, memory, time",
    "data": "check, show, split, download or import a data set",
    "suggest": "suggest how to train on a folder of your own, and how long it takes here",
    "recipes": "list the recipes",
    "models": "list the models and their options",
    "doctor": "say what is installed here, and what is missing",
}

SHARED = ("train", "predict")
"""Verbs whose work the processes of torchrun share."""

FAILED, WRONG_USE, BROKEN_PIPE = 1, 2, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        argv: What stands after ``attseg``; None takes it from the process.

    Returns:
        The exit status.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    with filtered_output():
        return _main([argument for argument in arguments if argument != "--debug"], debug="--debug" in arguments)


def _main(arguments: list[str], *, debug: bool) -> int:
    try:
        with _ending_in_order():
            status = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        status, message = _explained(error)
        print(f"attseg: {cut(message, LONGEST_MESSAGE)}", file=sys.stderr)
    except SystemExit as stop:  # argparse, after it has printed help
        return stop.code if isinstance(stop.code, int) else FAILED
    return status


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """While the block runs, SIGTERM is an exception, so that scratch folders are removed.

    Not under torchrun, where a process that waits for others within a library would not hear it and has to be killed.
    """
    may = threading.current_thread() is threading.main_thread() and "TORCHELASTIC_RUN_ID" not in os.environ
    before = signal.getsignal(signal.SIGTERM)
    if not may or before != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if arguments else WRONG_USE
    if arguments[0] == "--version":
        from importlib.metadata import version

        print(f"attseg {version('attseg')}")
        return 0
    verb, *rest = arguments
    if verb not in VERBS:
        raise unknown("option" if verb.startswith("-") else "verb", verb, VERBS)
    _refuse_processes(verb)
    from attseg.cli.command import call

    module = import_module(f"attseg.cli.{verb}")
    actions = getattr(module, "ACTIONS", {})
    if rest and rest[0] in actions:
        return call(f"attseg {verb} {rest[0]}", actions[rest[0]], rest[1:])
    return call(f"attseg {verb}", module.run, rest)


def _refuse_processes(verb: str) -> None:
    """Refuse verbs that each process of torchrun would do as a whole, into the same files; the first process says so."""
    world = os.environ.get("WORLD_SIZE", "1")
    if verb in SHARED or world == "1" or "TORCHELASTIC_RUN_ID" not in os.environ:
        return
    if os.environ.get("RANK", "0") != "0":
        raise SystemExit(0)
    raise UsageError(
        f"attseg {verb} works in one process, and torchrun started {world}; call it without torchrun (under torchrun "
        f"{' and '.join(SHARED)} share their work)"
    )


def _overview() -> str:
    verbs = "\n".join(f"  {verb:<10}{text}" for verb, text in VERBS.items())
    return f"""usage: attseg VERB ...

Semantic segmentation with attention: train, evaluate, explain, deploy.

{verbs}

`attseg VERB --help` explains a verb. With `--debug`, errors come with a traceback. To begin:
  attseg demo
  attseg train pan-scenes
  attseg train pan-folder --data.root DIR     DIR holds images/, labels/ and classes.csv"""


def _explained(error: BaseException) -> tuple[int, str]:
    """Exit status and message of an error; the errors of attseg and of the system explain themselves."""
    from attseg.runs.errors import Interrupted

    message = str(error)
    if isinstance(error, KeyboardInterrupt):
        return 130, "stopped"
    if isinstance(error, Interrupted):
        return 128 + error.signal, message
    if isinstance(error, UsageError):
        return WRONG_USE, message
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return FAILED, f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) or type(error).__module__.startswith("attseg."):
        return FAILED, message
    return FAILED, f"{type(error).__name__}: {message} (`--debug` shows where)"
