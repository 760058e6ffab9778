import os

import pytest

from attseg.cli import main


def test_a_folder_is_written_that_can_be_used_like_a_run(trained, tmp_path, capsys):
    out = tmp_path / "card"
    assert main(["publish", str(trained), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: README.md, config.json, model.safetensors, recipe.yaml, report.json\n"
    card = (out / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert "| mIoU |" in card
    assert main(["publish", str(out), "--out", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again/README.md").read_text() == card


def test_a_recipe_that_was_published_can_be_trained(trained, tmp_path):
    from attseg.recipes.files import read_recipe

    assert main(["publish", str(trained), "--out", str(tmp_path / "card")]) == 0
    before, after = (read_recipe(folder / "recipe.yaml")[0] for folder in (trained, tmp_path / "card"))
    assert before == after


def test_the_hub_is_pushed_to_by_name(trained, monkeypatch, capsys):
    calls = []
    monkeypatch.setattr(
        "attseg.hub.repository.publish",
        lambda segmenter, name, **options: calls.append((name, options)) or "https://there",
    )
    assert main(["publish", str(trained), "me/streets", "--license", "mit", "--private"]) == 0
    assert calls == [("me/streets", {"license": "mit", "private": True})]
    assert capsys.readouterr().out == "https://there\n"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "say where to: OWNER/NAME on the Hugging Face hub, or --out DIR for a folder"),
        (["a/b/c"], 2, "'a/b/c' is no name of a repository"),
    ],
)
def test_where_to_has_to_be_clear(trained, arguments, status, message, capsys):
    assert main(["publish", str(trained), *arguments]) == status
    assert message in capsys.readouterr().err


@pytest.mark.timeout(60)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("name", ["card", "card/README.md"])
def test_a_pipe_in_the_place_of_the_folder_or_the_card_is_refused(trained, tmp_path, capsys, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    assert main(["publish", str(trained), "--out", str(tmp_path / "card")]) in (1, 2)
    said = capsys.readouterr()
    assert str(tmp_path / name) in said.err
    assert "pipe" in said.err or "no folder" in said.err
    assert not said.out
    assert [path.name for path in tmp_path.rglob("*")] == (["card"] if name == "card" else ["card", "README.md"])
