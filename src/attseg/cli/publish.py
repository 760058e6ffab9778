"""``attseg publish``: weights and their model card, to a folder or to the Hugging Face hub."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from attseg.cli.options import Folder, Overwrite
from attseg.errors import UsageError


def run(
    run: Annotated[str, Parameter(help="A run folder, a .safetensors file, owner/name on the hub, or demo.")],
    repository: Annotated[str | None, Parameter(name="OWNER/NAME")] = None,
    /,
    *,
    out: Folder = None,
    overwrite: Overwrite = False,
    license: Annotated[str | None, Parameter(metavar="ID")] = None,
    private: bool = False,
) -> int:
    """Write the weights of a run with a model card to a folder, or to a repository on the Hugging Face hub.

    It gets model.safetensors, the model card (README.md: data, recipe, figures, licence, limits), the recipe and the report.
    Both places can be used like a run: attseg predict owner/name, or load("owner/name") in Python. Paths of this computer are
    left out.

    Without --license, the weights get the licence that follows from their training data, if it is known: CamVid is for research
    only, and so are weights trained on it. To push, log in first: hf auth login.

    Args:
        repository: Repository to push to; created if it does not exist.
        out: Folder to write to. An existing README.md in it is kept.
        license: Licence of the weights, as the hub names it, such as mit or cc-by-4.0.
        private: Make a new repository private.

    Examples:
        attseg publish runs/pan-camvid --out card          only write the folder, and read it
        attseg publish runs/mine owner/name --license mit --private
    """
    if repository is None and out is None:
        raise UsageError("say where to: OWNER/NAME on the Hugging Face hub, or --out DIR for a folder")

    from attseg.hub.folder import save_published
    from attseg.hub.repository import publish
    from attseg.inference.segmenter import load

    segmenter = load(run, device="cpu")
    if out is not None:
        save_published(segmenter, out, license=license, repository=repository, overwrite=overwrite)
        print(f"{out}: {', '.join(sorted(path.name for path in out.iterdir() if path.name[0] != '.'))}")
    if repository is not None:
        print(publish(segmenter, repository, license=license, private=private or None))
    return 0
