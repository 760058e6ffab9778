"""The description stored in an exported file, so that the file alone is enough to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.inference.exported.contract import Contract

FORMAT = 3
"""Version of what a description holds; raised when an older attseg could no longer read it rightly.

Files of chosen bands are written as version 3, those with a value range as 2, and all others as 1, which release 0.1 reads.
"""

KEY = "attseg"
"""Where the description lies: this key of ONNX's metadata and OpenVINO's rt_info, and ``attseg.json`` within a .pt2."""


class ExportedError(ValueError):
    """An exported file is damaged, foreign or too new, or cannot be run; the message says which and what to do."""


@dataclass(frozen=True, eq=False)
class Description:
    """All about an exported file.

    Args:
        contract: What it takes and gives.
        classes: What its labels mean. In the JSON, ``values`` of ``classes`` has the value of each class in label files of the
            data set, in the order of the class indices that the file gives.
        preprocessing: How its input is normalised, inside or outside.
        model: Kind of the network, such as ``PAN``.
        quantised: Whether it computes in 8-bit integers.
        info: Where the weights come from, as in the file of weights: recipe, seed, step, miou.
    """

    contract: Contract
    classes: ClassTable
    preprocessing: Preprocessing
    model: str
    quantised: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """As a text."""
        return json.dumps(
            {
                "format": self.preprocessing.version,
                "model": self.model,
                "contract": self.contract.to_dict(),
                "classes": self.classes.to_dict(),
                "preprocessing": self.preprocessing.to_dict(),
                "quantised": self.quantised,
                "info": dict(self.info),
            }
        )

    @classmethod
    def from_json(cls, text: str | None, path: Path) -> Description:
        """The inverse of ``to_json``.

        Raises:
            ExportedError: There is nothing (the file is another tool's), or it is damaged or too new.
        """
        if not text:
            raise ExportedError(
                f"{path} says nothing about classes and normalisation: it was not written by `attseg export`. Export the run "
                "that it comes from anew, or run the file with the tool that it was made for"
            )
        try:
            values = json.loads(text)
            if values["format"] > FORMAT:
                raise ExportedError(
                    f"{path} was written by a newer attseg (format {values['format']}, this one reads up to {FORMAT}); upgrade "
                    "with: pip install --upgrade attseg"
                )
            return cls(
                contract=Contract.from_dict(values["contract"]),
                classes=ClassTable.from_dict(values["classes"]),
                preprocessing=Preprocessing.from_dict(values["preprocessing"]),
                model=str(values["model"]),
                quantised=bool(values["quantised"]),
                info=dict(values["info"]),
            )
        except ExportedError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ExportedError(
                f"what {path} says about itself is damaged ({type(error).__name__}: {error}); export it anew"
            ) from error
