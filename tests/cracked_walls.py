"""Photographs of walls, some with a crack, as somebody labels them with labelme; generated."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from labelling import labelme_shape, write_labelme


def crack(draw, width, height):
    """Corners of a crack across a wall, from left to right and back."""
    x = np.linspace(draw.uniform(0, width / 4), draw.uniform(3 * width / 4, width), 9)
    y = np.clip(draw.uniform(height / 4, 3 * height / 4) + np.cumsum(draw.normal(0, height / 16, 9)), 6, height - 7)
    half = draw.uniform(1.2, 2.6, 9)
    return [*zip(x, y - half, strict=True), *zip(x[::-1], (y + half)[::-1], strict=True)]


def photograph(seed, size=(240, 320)):
    """A picture of a wall of plaster with stains and shadows, and the corners of its cracks; every fourth wall has none."""
    draw, (height, width) = np.random.default_rng(seed), size
    coarse = draw.normal(0, 1, (height // 16, width // 16, 3)).astype(np.float32)
    stains = np.dstack(
        [
            np.array(Image.fromarray(coarse[..., band]).resize((width, height), Image.Resampling.BICUBIC))
            for band in range(3)
        ]
    )
    shade = np.linspace(draw.uniform(-25, 25), draw.uniform(-25, 25), width)[None, :, None]
    wall = draw.uniform(130, 190) + 6 * stains + shade + draw.normal(0, 5, (height, width, 1))
    image = Image.fromarray(np.clip(wall, 0, 255).astype(np.uint8))
    cracks = [crack(draw, width, height) for _ in range(seed % 4 and draw.integers(1, 3))]
    pen = ImageDraw.Draw(image)
    for corners in cracks:
        pen.polygon(corners, fill=tuple(int(value) for value in draw.uniform(35, 80) + draw.normal(0, 4, 3)))
    for _ in range(draw.integers(0, 4)):  # pencil lines, which are no cracks
        x, y = draw.uniform(0, width), draw.uniform(0, height)
        pen.line([(x, y), (x + draw.uniform(-60, 60), y)], fill=(90, 95, 140), width=1)
    return image.filter(ImageFilter.GaussianBlur(0.6)), cracks


def write_photographs(folder, count=40, size=(240, 320)):
    """Photographs and labelme's files; of each wall there are two, whose names begin alike."""
    folder.mkdir(parents=True)
    for index in range(count):
        image, cracks = photograph(index, size)
        name = f"wall{index // 2:02d}_{index % 2}"
        image.save(folder / f"{name}.jpg", quality=92)
        shapes = [labelme_shape("crack", [[float(x), float(y)] for x, y in corners]) for corners in cracks]
        write_labelme(folder / f"{name}.json", shapes, size=size)
    return folder
