"""``attseg publish``: weights and their model card, to a folder or to the Hugging Face hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from attseg.cli.options import Overwrite
from attseg.errors import UsageError


def run(
    run: Annotated[str, Parameter(help="A run folder, a .safetensors file, owner/name on the hub, or demo.")],
    repository: Annotated[str | None, Parameter(name="OWNER/NAME")] = None,
    /,
    *,
    out: Path | None = None,
    overwrite: Overwrite = False,
    license: Annotated[str | None, Parameter(metavar="ID")] = None,
    private: bool = False,
) -> int:
    """Write the weights of a run with a model card to a folder, or to a repository on the Hugging Face hub.

    Written are model.safetensors, the model card (README.md: data, recipe, figures, licence, limits), the recipe and the
    report. Either place can be used like a run: attseg predict owner/name, or load("owner/name") in Python. Paths of this
    computer are left out.

    Without --license, the weights get the licence that follows from the data they were trained on, where it is known: CamVid is
    for research only, and so are weights trained on it. To push, log in first: hf auth login.

    Args:
        repository: Repository to push to; created if it does not exist.
        out: Folder to write the same to; a README.md that is there is kept.
        license: Licence of the weights, as the hub names it, such as mit or cc-by-4.0.
        private: Make a new repository private.

    Examples:
        attseg publish runs/pan-camvid --out card          only write the folder, and read it
        attseg publish runs/mine owner/name --license mit --private
    """
    if repository is None and out is None:
        raise UsageError("say where to: OWNER/NAME on the Hugging Face hub, or --out DIR for a folder")

    from attseg.files import making, require_file
    from attseg.hub.card import REPORT
    from attseg.hub.repository import publish
    from attseg.hub.sources import HUB_FILE
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    segmenter = load(run, device="cpu")
    if out is not None:
        card: dict[str, Any] = {"license": license, "repository": repository or "OWNER/NAME"}
        segmenter.generate_model_card(**card)  # refuses before a folder is made
        places = [out / name for name in (HUB_FILE, "config.json", "recipe.yaml", REPORT)]
        if not out.is_dir() and os.path.lexists(out):
            raise UsageError(f"{out} is there and is no folder; choose another name with --out, or remove it")
        if os.path.lexists(out / "README.md"):
            require_file(out / "README.md")
        with outputs(*places, overwrite=overwrite), making(out):
            segmenter.save_pretrained(out, model_card_kwargs=card)
        print(f"{out}: {', '.join(sorted(path.name for path in out.iterdir() if path.name[0] != '.'))}")
    if repository is not None:
        print(publish(segmenter, repository, license=license, private=private or None))
    return 0
