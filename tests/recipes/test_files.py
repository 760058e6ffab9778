import json
from dataclasses import replace

import pytest

from attseg.cli import main
from attseg.errors import UsageError
from attseg.recipes import RECIPES, find_recipe
from attseg.recipes.files import LARGEST, parse_yaml, read_recipe, to_yaml
from attseg.recipes.recipe import DataSpec, Machine, Recipe, check_new_name
from attseg.recipes.values import from_values, to_values
from attseg.runs.folder import RunFolder, claimed
from attseg.text import harmless


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_comes_back_from_its_file(name, tmp_path):
    recipe, machine = RECIPES[name](), Machine(precision="bf16", channels_last="on")
    (tmp_path / "recipe.yaml").write_text(to_yaml(recipe, machine))
    assert read_recipe(tmp_path / "recipe.yaml") == (recipe, machine)


def test_a_file_may_leave_out_what_has_a_default(tmp_path):
    (tmp_path / "short.yaml").write_text("name: short\noptim:\n  lr: 1e-3\nmachine: {channels_last: on}\n")
    recipe, machine = read_recipe(tmp_path / "short.yaml")
    assert (recipe.optim.lr, recipe.steps, machine.channels_last) == (1e-3, Recipe(name="r").steps, "on")


def test_texts_that_look_like_something_else_stay_texts(tmp_path):
    recipe = Recipe(name="true", data=DataSpec(name="folder", root="012", train="2024-01-01", val="on"))
    (tmp_path / "recipe.yaml").write_text(to_yaml(recipe, Machine()))
    assert read_recipe(tmp_path / "recipe.yaml")[0] == recipe


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: a\nstepz: 3\n", r"my\.yaml: there is no setting 'stepz'; did you mean 'steps'"),
        ("name: a\nmachin: {}\n", r"my\.yaml: there is no setting 'machin'; did you mean 'machine'"),
        (
            "name: a\nmachine: {device: gpu}\n",
            r"my\.yaml: there is no device 'gpu'; a GPU is called cuda",
        ),
        (
            "name: a\nmodel:\n  args: {encoder: !!python/name:os.system }\n",
            r"my\.yaml: line 3: an alias or a tag was found",
        ),
        ("name: &n a\nsource: *n\n", r"my\.yaml: line 2: an alias or a tag was found"),
        ("name: a\nname: b\n", r"my\.yaml: line 2: 'name' stands there twice"),
        ("name: a: b\n", r"my\.yaml: line 1: mapping values are not allowed here"),
        ("? [a]\n: b\n", r"my\.yaml: line 1: a name is no plain word"),
        ("[" * 5000, r"my\.yaml: lists within lists without end"),
        ("- a\n", r"my\.yaml holds list; a mapping of settings to values was expected"),
        ("", r"my\.yaml holds NoneType; a mapping"),
        ("#" * (LARGEST + 1), r"my\.yaml has over 64 KiB"),
        ("\x00", r"my\.yaml: .*special characters are not allowed"),
    ],
)
def test_what_is_no_recipe_is_refused_in_a_sentence(content, message, tmp_path):
    (tmp_path / "my.yaml").write_text(content)
    with pytest.raises(UsageError, match=message):
        read_recipe(tmp_path / "my.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "my.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="no text in UTF-8"):
        read_recipe(tmp_path / "my.yaml")


def test_a_file_that_is_not_there_names_the_nearest(tmp_path):
    (tmp_path / "mine.yaml").write_text("name: a\n")
    with pytest.raises(UsageError, match=r"did you mean '.*mine\.yaml'"):
        read_recipe(tmp_path / "min.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("0", 0),
        ("-12", -12),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_words_and_numbers_are_what_people_mean(text, value):
    parsed = parse_yaml(text)
    assert parsed == value
    assert type(parsed) is type(value)


LEADING_ELSEWHERE = [
    "..", ".", "...", " ", ".. ", "", "../../home/important", "/etc/important", "a/b", "a\\b", "C:\\a",
    "c:a", "a\n", "a\0", "\ud800",
    "a\x1b[31m", "\u202eabc", "a\u2028b", "a\u200bb", "x" * 256,
    "x" * 1_000_000, "a:b", "*", "a?", "a|b",
]  # fmt: skip
ODD = [
    ".hidden", "-out", "a ", "a.", "a b", "my run (2)", "~", "~root", "$HOME", "con", "CON.txt", "Aux",
    "nul.tar.gz", "com1", "LPT9", "straße", "実験", "\uff0e\uff0e", "x" * 101,
]  # fmt: skip
"""Names that attseg 0.1.0 allowed and that lead nowhere: old runs have them, new ones get none."""


def text_with(name):
    return to_yaml(Recipe(name="fine"), Machine()).replace("name: fine", f"name: {json.dumps(name)}", 1)


@pytest.mark.parametrize("name", LEADING_ELSEWHERE, ids=lambda name: repr(name[:20]))
def test_names_that_are_not_one_component_of_a_path_are_refused_wherever_they_come_from(name, tmp_path):
    (tmp_path / "my.yaml").write_text(text_with(name))
    values = to_values(Recipe(name="fine")) | {"name": name}
    for read in (
        lambda: read_recipe(tmp_path / "my.yaml"),
        lambda: from_values(Recipe, values),
        lambda: Recipe(name=name),
        lambda: check_new_name(name),
    ):
        with pytest.raises(UsageError) as refused:
            read()
        assert len(str(refused.value)) < 600


@pytest.mark.parametrize("name", ODD, ids=lambda name: repr(name[:20]))
def test_odd_names_of_old_runs_are_read_and_no_new_run_gets_one(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_text(text_with(name), encoding="utf-8")
    assert read_recipe(tmp_path / "my.yaml")[0].name == name
    for words in (
        ["my.yaml", "--print_config"],  # first, since it would not train where nothing is refused
        ["my.yaml"],
        ["my.yaml", "--out", "here"],
        ["pan-scenes", f"--name={name}"],
    ):
        assert main(["train", *words]) == 2
        assert "name is" in capsys.readouterr().err
    with (
        pytest.raises(UsageError, match="name is"),
        claimed(RunFolder(tmp_path / "here"), Recipe(name=name), Machine(), resume=False),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]


@pytest.mark.parametrize(
    "name", ["a", "7", "_", "pan-camvid", "PAN_2.1-final", "console", "com", "com10", "x" * 100, "a..b", "a-"]
)
def test_plain_names_are_taken(name, tmp_path):
    (tmp_path / "my.yaml").write_text(to_yaml(Recipe(name=name), Machine()))
    assert read_recipe(tmp_path / "my.yaml")[0].name == name
    check_new_name(name)


@pytest.mark.parametrize("source", ["a\u202eb", "\u200b", "a\u2028b", "\x1b[31m", "\x9b", "caf\xe9"])
def test_text_that_commands_a_terminal_is_spelled_out_and_comes_back(source, tmp_path):
    recipe = replace(find_recipe("pan-scenes"), source=source)
    text = to_yaml(recipe, Machine())
    assert harmless(text) == text
    assert ("caf\xe9" in text) == (source == "caf\xe9")
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    assert read_recipe(tmp_path / "recipe.yaml")[0].source == source
