"""The records of a paper's table: its rows, what the paper prints for them, and the recipes that stand for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from attseg.errors import unknown
from attseg.recipes.recipe import ModelSpec, Recipe


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Figures that a table prints for a row.

    Args:
        miou: In percent; None where the text that we have lacks it.
        accuracy: Share of right pixels in percent, where the table has it.
        classes: IoU in percent by class, where the table has it.
        protocol: How pictures were seen: a name of ``attseg.prediction.protocols``.
        changes: Values of the protocol that differ from the named one's.
    """

    miou: float | None
    accuracy: float | None = None
    classes: Mapping[str, float] = field(default_factory=dict)
    protocol: str = "single"
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table.

    Args:
        name: What it is called here, unique in its table.
        printed: What the paper calls it.
        figures: What the paper prints, one a protocol.
        recipe: What stands for it; rows of equal recipes, also in other tables, are one run. None: it cannot be run here.
        variant: What makes its network differ from others of the paper, whatever the encoder and the data.
        baseline: Row of the same table whose figures are subtracted; empty for none.
        crf: Whether a dense CRF refines the predictions.
        note: Why it cannot be run, or what was read into it.
    """

    name: str
    printed: str
    figures: tuple[Figure, ...]
    recipe: Recipe | None = None
    variant: str = ""
    baseline: str = ""
    crf: bool = False
    note: str = ""

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        source: str,
        name: str,
        printed: str,
        *figures: Figure,
        variant: str = "",
        baseline: str = "",
        **more: Any,
    ) -> Row:
        """A row that can be run: its recipe says what the paper says of it, which changes no result.

        Args:
            recipe: What stands for it.
            source: The paper and the table.
            name: As of ``Row``.
            printed: As of ``Row``.
            *figures: As of ``Row``.
            variant: As of ``Row``; empty for ``name``.
            baseline: As of ``Row``; the row itself has none.
            **more: The other arguments of ``Row``.
        """
        source, first = f"{source}, {printed}", figures[0]
        return cls(
            name=name,
            printed=printed,
            figures=figures,
            recipe=replace(recipe, source=source, expected_miou=first.miou, protocol=first.protocol),
            variant=variant or name,
            baseline="" if baseline == name else baseline,
            **more,
        )


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a paper.

    Args:
        name: Paper and number, ``pan:1``.
        title: What the table is about, and on which data.
        source: The paper.
        rows: In the paper's order.
        note: What the text that we have leaves open.
        costs: Whether parameters and multiply-adds of each row are told.
    """

    name: str
    title: str
    source: str
    rows: tuple[Row, ...]
    note: str = ""
    costs: bool = False

    @property
    def paper(self) -> str:
        """The name of the paper's model, ``pan``."""
        return self.name.partition(":")[0]

    def row(self, name: str) -> Row:
        """The row of a name.

        Raises:
            UsageError: There is none.
        """
        found = {row.name: row for row in self.rows}
        if name not in found:
            raise unknown(f"row of {self.name}", name, found)
        return found[name]


def varied(
    recipe: Recipe, variant: str, args: Mapping[str, Any], *, model: ModelSpec | None = None, aux: bool = True
) -> Recipe:
    """A paper's recipe with another network.

    Args:
        recipe: Of the paper's full model.
        variant: Added to its name; empty keeps the recipe.
        args: Arguments that replace those of the network.
        model: Another network instead; ``args`` replace its arguments.
        aux: Whether the network still has its auxiliary outputs.
    """
    if not variant:
        return recipe
    base = model or recipe.model
    return replace(
        recipe,
        name=f"{recipe.name}-{variant}",
        model=replace(base, args={**base.args, **args}),
        loss=recipe.loss if aux else replace(recipe.loss, aux={}),
    )
