"""The model card that goes to a hub with weights: what they were trained on and how, what was measured, and the licence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from attseg.data.catalog import CATALOG
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.record import DataSet, Terms
from attseg.errors import UsageError
from attseg.prediction.protocol import Protocol
from attseg.text import harmless, in_markdown, short

PAPERS = {
    "PAN": "Li et al., Pyramid Attention Network for Semantic Segmentation, 2018 (https://arxiv.org/abs/1805.10180)",
    "PSANet": "Zhao et al., PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018",
    "DFDAM": "Xiong et al., 2019 (https://arxiv.org/abs/1911.08149)",
    "AttentionToRefine": "Yang and Peng, 2018 (https://arxiv.org/abs/1807.02917)",
}

REPORT = "report.json"

CODE = "Apache-2.0"
"""Licence of attseg itself."""

LONGEST_VALUE = 2000
"""Characters of a value from the weights, such as the arguments of the network."""


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
    parts = [
        _opening(facts, repository),
        _data(facts),
        _training(facts),
        _figures(facts),
        _license(license, terms),
        _limits(facts),
    ]
    return ModelCard(harmless(f"---\n{ModelCardData(**values)}\n---\n\n" + "\n\n".join(parts) + "\n"))


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


def _opening(facts: CardFacts, repository: str) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in facts.args.items())
    paper = f"\n\nThe network: {PAPERS[facts.model]}." if facts.model in PAPERS else ""
    return f"""# {_plain(facts.name)}

Semantic segmentation into {len(facts.classes)} classes by `{facts.model}({_plain(given)})` of attseg.{paper}

```python
from attseg import load

segmenter = load("{repository}")
result = segmenter("street.jpg")
result.names, result.labels, result.scores
```

The file of weights is safetensors, and holds the network's arguments, the class table and the normalisation
(mean {", ".join(f"{one:g}" for one in facts.preprocessing.mean)}, standard deviation \
{", ".join(f"{one:g}" for one in facts.preprocessing.std)}, of red, green and blue in 0..1{_scaling(facts.preprocessing)}).
Loading it runs no code."""


def _scaling(preprocessing: Preprocessing) -> str:
    return f"; values of image files are scaled first: {preprocessing.scaling}" if preprocessing.value_range else ""


def _data(facts: CardFacts) -> str:
    name = facts.data.get("name")
    if name is None:
        sources = [
            f"{_plain(key)}: {_plain(value)}"
            for key, value in facts.info.items()
            if isinstance(value, str | int | float)
        ]
        told = ["The weights do not say on which data they were trained.", *sources]
        return "\n".join(["## Data", "", *told, "", _classes(facts.classes)])
    what = facts.data_set.title if facts.data_set else "data of the publisher's own"
    splits = f"Trained on `{_plain(facts.data.get('train', 'train'))}`, evaluated on `{_plain(facts.data.get('val', 'val'))}`."
    if (options := facts.data.get("options")) and facts.data_set:
        given = ", ".join(
            f"{_plain(key)} {_plain(value)}" for key, value in options.items() if not isinstance(value, str)
        )
        splits += f" With {given}." if given else ""
    return f"## Data\n\n{what[0].upper()}{what[1:]} (`{_plain(name)}`). {splits}\n\n{_classes(facts.classes)}"


def _classes(classes: ClassTable) -> str:
    """The class indices, and the values in label files where they are known."""
    if not classes.values_known:
        names = ", ".join(_plain(name) for name in classes.names)
        return (
            f"Classes, counted from 0: {names}. The weights do not say which values label files of the data set hold."
        )
    rows = zip(range(len(classes)), classes.values.tolist(), map(_cell, classes.names), strict=True)
    table = "\n".join(f"| {index} | {value} | {name} |" for index, value, name in rows)
    return (
        "The network's outputs and `result.labels` are class indices. Label files that `attseg predict` and `result.save` write "
        "hold the values of the data set's own.\n\n| class index | value in label files | class |\n| ---: | ---: | --- |\n"
        + table
    )


def _training(facts: CardFacts) -> str:
    recipe = facts.recipe
    if not recipe:
        return "## Recipe\n\nNone is known."
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
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows.items())
    return f"## Recipe\n\n| | |\n| --- | --- |\n{table}\n\nAll of it is in `recipe.yaml`; `attseg train recipe.yaml` repeats it."


def _figures(facts: CardFacts) -> str:
    report = facts.report
    if report is None:
        return "## Figures\n\nNone: there is no evaluation beside these weights."
    seen = {key: value for key, value in report["protocol"].items() if key != "step"}
    protocol = Protocol(**seen | {"scales": tuple(seen["scales"])})
    scores = {
        "mIoU": report["miou"],
        "pixel accuracy": report["pixel_accuracy"],
        "mean accuracy": report["mean_accuracy"],
        **{f"IoU of {name}": value for name, value in report["per_class"].items()},
    }
    rows = "\n".join(f"| {_cell(name)} | {_percent(value)} |" for name, value in scores.items())
    when = f" Measured on {facts.measured}." if facts.measured else ""
    step = f"step {report.get('step', '?')}, seed {report.get('seed', '?')}"
    return (
        f"## Figures\n\nOn {report['pictures']} pictures of `{_plain(facts.data.get('val', 'val'))}`, by the protocol "
        f"`{_plain(protocol.name)}`: each picture {protocol.describe()}. One confusion matrix over all pictures; {step}.{when}"
        f"\n\n| | % |\n| --- | ---: |\n{rows}"
    )


def _license(license: str | None, terms: Terms | None) -> str:
    given = (
        f"The weights: `{_plain(license)}`."
        if license
        else "For the weights no licence was given: ask whoever published them."
    )
    return f"## Licence\n\n{given} attseg itself: {CODE}.{f' {terms.note}' if terms else ''}"


def _limits(facts: CardFacts) -> str:
    limits = ["It knows the classes above and no others: whatever else is in a picture gets one of them."]
    if facts.report is not None:
        pictures = facts.report["pictures"]
        limits.append(
            f"The figures are of one run on {pictures} pictures, and the weights were chosen on the same pictures: expect less "
            "on others."
        )
        if absent := facts.report.get("absent"):
            limits.append(f"Not measured, for no picture has them: {', '.join(_plain(name) for name in absent)}.")
    if facts.data_set and facts.data_set.terms and facts.data_set.terms.limits:
        limits.append(facts.data_set.terms.limits)
    limits.append("Scores are what the network sees, and no probabilities of being right unless that was measured.")
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _percent(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{100 * value:.2f}"


def _plain(value: Any) -> str:
    """A value as text in which Markdown finds nothing to do, for names come from files of others."""
    return in_markdown(str(value), LONGEST_VALUE)


def _cell(value: Any) -> str:
    return "-" if value is None or value == "" else _plain(value)
