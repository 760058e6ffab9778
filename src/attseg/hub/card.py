"""The model card that goes to a hub with weights: what they were trained on and how, what was measured, and the licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from attseg.data.catalog import CATALOG
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.record import DataSet
from attseg.errors import UsageError
from attseg.prediction.protocol import Protocol
from attseg.templates import render_markdown
from attseg.text import harmless, short

PAPERS = {
    "PAN": "Li et al., Pyramid Attention Network for Semantic Segmentation, 2018 (https://arxiv.org/abs/1805.10180)",
    "PSANet": "Zhao et al., PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018",
    "DFDAM": "Xiong et al., 2019 (https://arxiv.org/abs/1911.08149)",
    "AttentionToRefine": "Yang and Peng, 2018 (https://arxiv.org/abs/1807.02917)",
}

REPORT = "report.json"

CODE = "Apache-2.0"
"""Licence of attseg itself."""


@dataclass(frozen=True, eq=False)
class CardFacts:
    """Facts that a model card is written from.

    Args:
        model: Name of the network.
        args: Arguments that it was built with.
        classes: What its outputs mean.
        preprocessing: What its inputs go through.
        info: What the file of weights says about where it comes from.
        report: ``report.json`` of the run, if there is one.
        measured: The day on which it was written.
    """

    model: str
    args: Mapping[str, Any]
    classes: ClassTable
    preprocessing: Preprocessing
    info: Mapping[str, Any]
    report: Mapping[str, Any] | None = None
    measured: str | None = None

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Values of the recipe; empty where the weights do not say how they were trained."""
        recipe = self.info.get("recipe")
        return recipe if isinstance(recipe, Mapping) else {}

    @property
    def data(self) -> Mapping[str, Any]:
        """The data section of the recipe."""
        data = self.recipe.get("data")
        return data if isinstance(data, Mapping) else {}

    @property
    def data_set(self) -> DataSet | None:
        """The data set of the recipe, where its terms are known; of other data the publisher has to know."""
        record = CATALOG.get(str(self.data.get("name")))
        return record if record and record.terms else None

    @property
    def name(self) -> str:
        """Name of the model on the card."""
        return short(str(self.recipe.get("name") or self.model))


def write_card(facts: CardFacts, *, license: str | None = None, repository: str = "OWNER/NAME") -> ModelCard:
    """The card as Markdown behind its YAML head.

    Args:
        facts: What it is written from.
        license: Of the weights, as the hub calls it (``mit``); None takes what follows from the data, if anything does.
        repository: ``owner/name``, for the example.

    Raises:
        UsageError: What the weights or their report say is not laid out as attseg writes it.
    """
    try:
        return _written(facts, license, repository)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"no model card can be written, since what the weights or their {REPORT} say about their making is not laid out as "
            f"attseg writes it ({type(error).__name__}: {error}); remove {REPORT}, or publish the run itself"
        ) from error


def _written(facts: CardFacts, license: str | None, repository: str) -> ModelCard:
    terms = facts.data_set.terms if facts.data_set else None
    license = license or (terms.license if terms else None)
    values: dict[str, Any] = {
        "library_name": "attseg",
        "pipeline_tag": "image-segmentation",
        "tags": ["attseg", "semantic-segmentation", "attention", short(facts.model.lower())],
    }
    if license:
        values["license"] = license
        if license == "other":
            values["license_name"] = f"{facts.data.get('name', 'see')}-terms"
    if results := _results(facts):
        values |= {"model_name": facts.name, "eval_results": results}
    body = render_markdown(
        "attseg.hub",
        "card.md",
        facts=facts,
        given=", ".join(f"{name}={value!r}" for name, value in facts.args.items()),
        paper=PAPERS.get(facts.model),
        repository=repository,
        title=facts.data_set.title if facts.data_set else "data of the publisher's own",
        val=facts.data.get("val", "val"),
        options=_options(facts),
        sources={name: value for name, value in facts.info.items() if isinstance(value, str | int | float)},
        training=_training(facts),
        **_figures(facts.report),
        license=license,
        code=CODE,
        terms=terms,
    )
    return ModelCard(harmless(f"---\n{ModelCardData(**values)}\n---\n\n{body}"))


def _results(facts: CardFacts) -> list[EvalResult]:
    """The mIoU, for the head."""
    if facts.report is None or facts.report.get("miou") is None:
        return []
    name = short(str(facts.data.get("name", "unknown")))
    return [
        EvalResult(
            task_type="image-segmentation",
            dataset_type=name,
            dataset_name=facts.data_set.title if facts.data_set else name,
            dataset_split=short(str(facts.data.get("val", "val"))),
            metric_type="mean_iou",
            metric_name="mIoU in percent",
            metric_value=round(100 * facts.report["miou"], 2),
        )
    ]


def _options(facts: CardFacts) -> dict[str, Any]:
    """Options of a data set that is known, without names of files."""
    options = facts.data.get("options") if facts.data_set else None
    return {name: value for name, value in (options or {}).items() if not isinstance(value, str)}


def _training(facts: CardFacts) -> dict[str, Any]:
    """How they were trained, for the table; empty where nobody knows."""
    recipe = facts.recipe
    if not recipe:
        return {}
    optim = recipe.get("optim", {})
    rows = {
        "recipe": recipe.get("name"),
        "crop": " x ".join(map(str, recipe.get("crop_size", ()))),
        "batch": recipe.get("batch_size"),
        "steps": f"{facts.info.get('step', '?')} of {recipe.get('steps', '?')}",
        "optimiser": optim.get("name"),
        "learning rate": optim.get("lr"),
        "weight decay": optim.get("weight_decay"),
        "moving average": recipe.get("ema") or "none",
        "seed": recipe.get("seed"),
    }
    if source := recipe.get("source"):
        rows["follows"] = source
    first = recipe.get("model", {}).get("args", {})
    began = None
    if recipe.get("init"):
        began = "weights of another run"
    elif isinstance(source := facts.info.get("encoder_weights"), str):  # release 0.1.0 wrote none
        began = f"{source}; their own licence and data count too"
    elif file := first.get("encoder_weights"):
        began = f"encoder weights of the file {file}"
    elif "pretrained" in first:
        began = (
            "timm's pretrained encoder, whose own licence and data count too"
            if first["pretrained"]
            else "random weights"
        )
    if began:
        rows["began with"] = began
    return rows


def _figures(report: Mapping[str, Any] | None) -> dict[str, Any]:
    if report is None:
        return {"report": None}
    seen = {key: value for key, value in report["protocol"].items() if key != "step"}
    scores = {
        "mIoU": report["miou"],
        "pixel accuracy": report["pixel_accuracy"],
        "mean accuracy": report["mean_accuracy"],
        **{f"IoU of {name}": value for name, value in report["per_class"].items()},
    }
    protocol = Protocol(**seen | {"scales": tuple(seen["scales"])})
    return {"report": {"pictures": report["pictures"], **report}, "protocol": protocol, "scores": scores}
