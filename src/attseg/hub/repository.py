"""To and from the Hugging Face hub, or a folder that is laid out like a repository there.

``model.safetensors`` (all that is needed), ``config.json`` (the same for people), ``README.md`` (the model card), and where they
are known ``recipe.yaml`` and ``report.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelHubMixin
from torch import nn

from attseg.checkpoint import architecture, save_weights
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.files import FileError, read_text, write_file
from attseg.hub.card import REPORT, CardFacts, write_card
from attseg.hub.sources import HUB_FILE, RUN_FILES, find_weights, untold
from attseg.recipes.files import to_yaml
from attseg.recipes.recipe import Machine, ModelSpec, Recipe
from attseg.recipes.values import from_values

_REPORTED = (RUN_FILES[0], HUB_FILE)
"""The files of weights that a report beside them is about."""

_PLACE = re.compile(r"( tensors from )(?!timm: ).*[/\\]", re.DOTALL)
"""The folder in what ``encoder_weights`` says."""


@dataclass(frozen=True)
class NetworkOrigin:
    """Where the weights of a segmenter come from; without it they can be used, but not passed on.

    Args:
        model: The network.
        info: What the file of weights says about its making.
        file: The file.
    """

    model: ModelSpec
    info: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None


class OnHub(ModelHubMixin):
    """Hub methods of a segmenter: ``save_pretrained`` and ``push_to_hub`` of huggingface_hub.

    ``save_pretrained(folder, model_card_kwargs={"license": "mit"})`` says under which licence the weights are; a ``README.md``
    that is there already stays. What names places on this computer is left out of what is written.
    """

    model: nn.Module
    classes: ClassTable
    preprocessing: Preprocessing
    origin: NetworkOrigin | None

    def _save_pretrained(self, save_directory: Path) -> None:
        origin = _known(self.origin)
        info = published(origin.info)
        save_weights(
            save_directory / HUB_FILE,
            self.model.state_dict(),
            model=origin.model,
            classes=self.classes,
            preprocessing=self.preprocessing,
            info=info,
        )
        config = {
            "library_name": "attseg",
            "attseg": {
                "version": version("attseg"),
                "model": {"name": origin.model.name, "args": architecture(origin.model.args)},
                "classes": self.classes.to_dict(),
                "preprocessing": self.preprocessing.to_dict(),
            },
        }
        _write(save_directory / "config.json", json.dumps(config, indent=2))
        if (recipe := _recipe(info)) is not None:
            _write(save_directory / "recipe.yaml", to_yaml(recipe, Machine()))
        report, _ = read_report(origin)
        if report is not None:
            _write(
                save_directory / REPORT, json.dumps({name: value for name, value in report.items() if name != "root"})
            )

    def generate_model_card(
        self, *args: Any, license: str | None = None, repository: str = "OWNER/NAME", **others: Any
    ) -> ModelCard:
        """The card that ``save_pretrained`` writes.

        Args:
            *args: Nothing.
            license: Of the weights, as the hub calls it; None takes what follows from the data, if anything does.
            repository: ``owner/name``, for the example.
            **others: Nothing.

        Raises:
            UsageError: It is not known which network this is, or something else was given.
        """
        if args or others:
            raise UsageError(f"a model card takes license and repository; {', '.join(others) or args} is not known")
        origin = _known(self.origin)
        report, measured = read_report(origin)
        facts = CardFacts(
            origin.model.name,
            architecture(origin.model.args),
            self.classes,
            self.preprocessing,
            published(origin.info),
            report,
            measured,
        )
        return write_card(facts, license=license, repository=repository)


def fetch(model_id: str, **asked: Any) -> Path:
    """The weights of a folder, or of a hub repository, which are downloaded into the hub's cache.

    Args:
        model_id: A folder, or ``owner/name``.
        **asked: What ``hf_hub_download`` takes: revision, cache_dir, force_download, local_files_only, token.

    Raises:
        UsageError: There are no weights in it.
    """
    if Path(model_id).is_dir():
        return find_weights(Path(model_id))
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for name in (HUB_FILE, *RUN_FILES):
        try:
            with untold():
                return Path(hf_hub_download(model_id, name, **asked))
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            continue
    raise UsageError(f"the hub repository {model_id!r} holds neither {HUB_FILE} nor {' nor '.join(RUN_FILES)}")


def publish(segmenter: OnHub, repository: str, *, license: str | None = None, private: bool | None = None) -> str:
    """Push a segmenter to the hub; errors say what to do.

    Args:
        segmenter: What to push.
        repository: ``owner/name``; made if it is not there.
        license: Of the weights.
        private: Whether a new repository can be seen by its owner alone; None takes what the owner has set.

    Returns:
        Where it can be seen.

    Raises:
        UsageError: It is not known which network this is, or the name is none.
        FileError: The hub cannot be reached, or refuses.
    """
    from huggingface_hub import errors

    unreachable: Any = errors.HTTPError  # type: ignore[attr-defined] # imported there, and not declared

    card = {"license": license, "repository": repository}
    try:
        with untold():
            return segmenter.push_to_hub(
                repository, private=private, model_card_kwargs=card, commit_message="Weights and card"
            )
    except errors.HFValidationError as error:
        raise UsageError(f"{repository!r} is no name of a repository, owner/name was expected: {error}") from None
    except errors.LocalTokenNotFoundError:
        raise FileError(f"{repository} cannot be written without logging in: 'hf auth login'") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        advice = (
            "log in with 'hf auth login', as somebody who may write there"
            if status in (401, 403)
            else "try again later"
        )
        raise FileError(f"{repository} cannot be written ({error.server_message or error}); {advice}") from error
    except (OSError, unreachable) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"the Hugging Face hub cannot be reached ({error}); try again with a network") from error


def published(info: Mapping[str, Any]) -> dict[str, Any]:
    """Training information of the weights, without file paths of the computer where they were made.

    Example:
        >>> published({"recipe": {"data": {"name": "camvid", "root": "/home/me/camvid"}}, "step": 7})
        {'recipe': {'data': {'name': 'camvid', 'root': None}}, 'step': 7}
    """
    info = dict(info)
    if isinstance(source := info.get("encoder_weights"), str):
        info["encoder_weights"] = _PLACE.sub(r"\1", source)
    recipe = info.get("recipe")
    if not isinstance(recipe, Mapping):
        return info
    recipe = dict(recipe)
    if isinstance(data := recipe.get("data"), Mapping):
        options = data.get("options")
        kept = (
            {name: value for name, value in options.items() if name != "sbd"}
            if isinstance(options, Mapping)
            else options
        )
        recipe["data"] = {**data, "root": None} | ({} if options is None else {"options": kept})
    if isinstance(init := recipe.get("init"), str):
        recipe["init"] = Path(init).name
    if isinstance(model := recipe.get("model"), Mapping) and isinstance(args := model.get("args"), Mapping):
        recipe["model"] = {**model, "args": _without_places(args)}
    return {**info, "recipe": recipe}


def read_report(origin: NetworkOrigin) -> tuple[dict[str, Any] | None, str | None]:
    """The report beside the weights that is about them, and the day on which it was written."""
    if origin.file is None or origin.file.name not in _REPORTED:
        return None, None
    path = origin.file.with_name(REPORT)
    try:
        report = json.loads(read_text(path))
        measured = report.get("measured") or datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} cannot be read as the report of a run: {error}; evaluate the run anew, or remove it"
        ) from error
    return report | {"measured": measured}, measured


def _known(origin: NetworkOrigin | None) -> NetworkOrigin:
    if origin is None:
        raise UsageError(
            "this segmenter was not loaded from weights of attseg, so that nobody could build its network anew; load the run "
            "that it comes from, or give Segmenter(..., origin=Origin(ModelSpec(name, args)))"
        )
    return origin


def _without_places(args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a model, and of a model within it, with the names of files alone."""
    return {
        name: _without_places(value)
        if isinstance(value, Mapping)
        else Path(value).name
        if name == "encoder_weights" and isinstance(value, str)
        else value
        for name, value in args.items()
    }


def _recipe(info: Mapping[str, Any]) -> Recipe | None:
    """The recipe in what weights say about their making; None where there is none, or one that is not known any more."""
    recipe = info.get("recipe")
    try:
        return from_values(Recipe, recipe) if isinstance(recipe, dict) else None
    except UsageError:
        return None


def _write(path: Path, text: str) -> None:
    write_file(path, text.encode() + b"\n")
