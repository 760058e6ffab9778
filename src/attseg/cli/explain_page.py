"""``attseg explain`` of an image: one page with every map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from attseg.cli.output import progress_bar
from attseg.errors import UsageError


def page(
    run: str,
    source: str,
    out: Path,
    places: list[tuple[int, int]],
    against: str | None,
    longest: int | None,
    show_bands: tuple[int, ...] | None,
    labels: str | None,
    *,
    device: str,
    overwrite: bool,
) -> int:
    """Write a page of an image."""
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out is {out}; the page is an HTML file: give it a name that ends in .html")
    if len(places) > 1:
        raise UsageError(
            f"--at was given {len(places)} times; a page looks at one pixel first (--figure psanet-6 at several)"
        )

    from attseg.data.preprocessing import common_reading
    from attseg.explain.bundle import make_bundle
    from attseg.explain.looked import check_pixel
    from attseg.explain.page.page import make_page
    from attseg.explain.subject import cautions_of, is_scene, labels_in_data, look_at, read_labels, read_picture
    from attseg.files import replacing
    from attseg.inference.segmenter import load
    from attseg.written import outputs

    with outputs(out, overwrite=overwrite), progress_bar() as bar:
        runs = [run] if against is None else [run, against]
        segmenters = [load(one, device=device) for one in runs]
        reading = common_reading(runs, [segmenter.preprocessing for segmenter in segmenters])
        for segmenter in segmenters:
            segmenter.show_bands(show_bands)
        image, name = read_picture(source, longest, reading)
        for x, y in places:
            check_pixel(x, y, (image.shape[0], image.shape[1]))
        pairs = list(zip(runs, segmenters, strict=True))
        sides = [look_at(one, segmenter, image) for one, segmenter in bar.track(pairs, description="looking")]
        size = image.shape[:2]
        for place, segmenter in enumerate(segmenters):
            truth = read_labels(source, labels, segmenter.classes, size)
            if truth is None and (origin := segmenter.origin) is not None and origin.file is not None:
                truth = labels_in_data(source, origin.info, origin.file, segmenter.classes, size)
            sides[place] = replace(sides[place], truth=truth)
        trained = [(side.source, segmenter.data) for side, segmenter in zip(sides, segmenters, strict=True)]
        cautions = [] if is_scene(source) else cautions_of(trained)
        at = next(iter(places), None)
        bundle = make_bundle(segmenters[0].visible(image), sides, name=name, switches=True, at=at, cautions=cautions)
        text = make_page(bundle)
        with replacing(out) as file:
            file.write(text.encode())
    print(f"{out}: {len(text) / 1e6:.1f} MB; open it in a browser")
    return 0
