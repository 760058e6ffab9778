import os
import re
import resource
import subprocess
import sys

import pytest

from attseg.cli import VERBS, main
from attseg.data.sample import DataError
from attseg.runs.errors import Interrupted

HEAVY = {"torch", "timm", "lightning_fabric", "numpy", "matplotlib", "PIL"}


def attseg(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "attseg", *arguments], capture_output=True, text=True, check=False, **options
    )


def failing(error):
    def run():
        raise error

    return run


@pytest.mark.slow
def test_help_of_every_verb_needs_nothing_heavy():
    code = (
        "import sys\nfrom attseg.cli import VERBS, main\n"
        "codes = [main(['--help']), *(main([verb, '--help']) for verb in VERBS)]\n"
        f"print(codes, sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == f"{[0] * (len(VERBS) + 1)} []\n"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_help_takes_less_than_half_a_second_of_the_processor(arguments):
    seconds = []
    for _ in range(5):  # the least of several, as other processes may be in the way
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert attseg(*arguments).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if min(seconds) < 0.5:
            break
    assert min(seconds) < 0.5


@pytest.mark.parametrize("verb", VERBS)
def test_help_explains_and_gives_examples(verb, capsys):
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.lower().startswith(f"usage: attseg {verb}")
    assert f"\nexamples:\n  attseg {verb}" in text


@pytest.mark.parametrize("verb", [*VERBS, "data check", "data show", "data download"])
def test_every_option_has_a_sentence(verb, capsys):
    assert main([*verb.split(), "--help"]) == 0
    rows = [re.match(r"│ [ *]{0,3}(--.*?)(  +.*)?│$", line) for line in capsys.readouterr().out.splitlines()]
    assert [row[1] for row in rows if row and not (row[2] or "").strip()] == []


def test_the_overview_names_every_verb(capsys):
    assert main(["--help"]) == 0
    assert all(f"\n  {verb:<10}{text}\n" in capsys.readouterr().out for verb, text in list(VERBS.items())[:1])


def test_without_a_verb_the_overview_comes_with_the_status_of_wrong_use(capsys):
    assert main([]) == 2
    assert capsys.readouterr().out.startswith("usage: attseg VERB")


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("attseg 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "there is no verb 'trian'; did you mean 'train'?"),
        (["--hlep"], "there is no option '--hlep'"),
        (["recipes", "--jsn"], "there is no option '--jsn'; did you mean '--json'?"),
        (["recipes", "more"], "'more' is one argument too many; `attseg recipes --help`"),
        (["predict", "run"], "--out is missing; `attseg predict --help`"),
    ],
)
def test_wrong_use_is_explained_with_status_2(arguments, message, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"attseg: {message}")
    assert captured.out == ""


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (DataError("a.png is broken"), 1, "a.png is broken"),
        (PermissionError(13, "Permission denied", "runs"), 1, "runs: Permission denied"),
        (OSError("the hub is away"), 1, "the hub is away"),
        (ZeroDivisionError("division by zero"), 1, "ZeroDivisionError: division by zero (`--debug` shows where)"),
        (KeyboardInterrupt(), 130, "stopped"),
        (Interrupted("saved", 15), 143, "saved"),
    ],
)
def test_every_error_ends_in_a_sentence_and_a_status(error, status, message, capsys, monkeypatch):
    monkeypatch.setattr("attseg.cli.recipes.run", failing(error))
    assert main(["recipes"]) == status
    assert capsys.readouterr().err == f"attseg: {message}\n"


def test_debug_may_stand_anywhere_and_lets_the_error_through(monkeypatch):
    monkeypatch.setattr("attseg.cli.recipes.run", failing(DataError("a.png is broken")))
    with pytest.raises(DataError, match=r"a\.png is broken"):
        main(["--debug", "recipes"])
    with pytest.raises(DataError, match=r"a\.png is broken"):
        main(["recipes", "--debug"])


@pytest.mark.parametrize("arguments", [["recipes"], ["recipes", "--json"]])
def test_a_reader_who_has_seen_enough_is_no_error(arguments):
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-m", "attseg", *arguments], stdout=writes, stderr=subprocess.PIPE, check=False
    )
    os.close(writes)
    assert (done.returncode, done.stderr) == (141, b"")


def test_tables_have_no_colours_where_they_are_not_wanted():
    environment = os.environ | {"NO_COLOR": "1", "FORCE_COLOR": ""}
    assert "\x1b" not in attseg("recipes", env=environment).stdout


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("train", "predict")])
@pytest.mark.parametrize("rank", [0, 1])
def test_verbs_of_one_process_are_refused_under_torchrun_by_the_first_alone(verb, rank, capsys, monkeypatch):
    torchrun = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "3", "RANK": str(rank)}
    for name, value in torchrun.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("attseg.cli.import_module", lambda name: pytest.fail(f"{name} ran"))
    status = main([verb, "anything"])
    said = capsys.readouterr()
    assert said.out == ""
    if rank:
        assert (status, said.err) == (0, "")  # torchrun would kill the first before it has spoken
    else:
        assert status == 2
        assert f"attseg {verb} works in one process, and torchrun started 3" in said.err


def test_one_process_of_torchrun_may_do_everything(capsys, monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "1", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    assert main(["recipes", "--help"]) == 0
