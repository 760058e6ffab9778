"""``attseg publish``: weights and their model card, to a folder or to the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attseg.cli.parser import Parser
from attseg.errors import UsageError

TEXT = """\
Write the weights of a run (model.safetensors) with a model card (README.md: data, recipe, figures, licence, limits),
the recipe and the report to a folder, or to a repository on the Hugging Face hub. Either can be loaded like a run:
`attseg predict owner/name`, or load("owner/name") in Python. Paths of this computer are left out.

Without --license, the weights get the licence that follows from the data they were trained on, where it is known:
CamVid is for research only, and so are weights trained on it. To push, log in first: `hf auth login`."""

EXAMPLES = (
    "attseg publish runs/pan-camvid --out card          only write the folder, and read it",
    "attseg publish runs/mine owner/name --license mit --private",
)


def run(argv: Sequence[str]) -> int:
    """Write the folder, push it, or both."""
    parser = Parser("publish", TEXT, EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="a run folder, a .safetensors file, or demo")
    parser.add_argument("repository", nargs="?", metavar="OWNER/NAME", help="where to push; made if it is not there")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write the same to a folder; a README.md that is there stays"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that attseg did not write")
    parser.add_argument("--license", metavar="ID", help="of the weights, as the hub calls it, such as mit or cc-by-4.0")
    parser.add_argument("--private", action="store_true", help="a new repository can be seen by its owner alone")
    arguments = parser.parse(argv)
    if arguments.repository is None and arguments.out is None:
        raise UsageError("say where to: OWNER/NAME on the Hugging Face hub, or --out DIR for a folder")

    from attseg.files import making
    from attseg.hub.repository import REPORT, publish
    from attseg.hub.sources import HUB_FILE
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    segmenter = load(arguments.run, device="cpu")
    if arguments.out is not None:
        card = {"license": arguments.license, "repository": arguments.repository or "OWNER/NAME"}
        segmenter.generate_model_card(**card)  # refuses before a folder is made
        places = [arguments.out / name for name in (HUB_FILE, "config.json", "recipe.yaml", REPORT)]
        with outputs(*places, overwrite=arguments.overwrite), making(arguments.out):
            segmenter.save_pretrained(arguments.out, model_card_kwargs=card)
        print(
            f"{arguments.out}: {', '.join(sorted(path.name for path in arguments.out.iterdir() if path.name[0] != '.'))}"
        )
    if arguments.repository is not None:
        private = True if arguments.private else None
        print(publish(segmenter, arguments.repository, license=arguments.license, private=private))
    return 0
