"""Small exports of labelling tools, by the schemas that the tools document: the same shapes, in the words of each."""

import base64
import io
import itertools
import json
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 40, 60

CRACK = [[5.5, 4.25], [30.0, 6.0], [33.75, 21.5], [12.0, 18.0]]
LEAF = [[20.2, 15.0], [50.0, 12.0], [45.0, 35.5], [22.0, 30.0]]
"""Corners x, y of two regions that overlap; the leaf is drawn later."""


def write_picture(path: Path, seed: int = 0, size=(HEIGHT, WIDTH), **options) -> Path:
    """A picture of noise, in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)).save(path, **options)
    return path


def flat(points):
    """x, y, x, y."""
    return [value for point in points for value in point]


def png(mask) -> bytes:
    """A mask as PNG."""
    content = io.BytesIO()
    Image.fromarray(np.asarray(mask)).save(content, "PNG")
    return content.getvalue()


def write_json(path: Path, content) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def labelme_shape(label, points, kind="polygon", **more):
    return {
        "label": label,
        "points": points,
        "group_id": None,
        "description": "",
        "shape_type": kind,
        "flags": {},
        **more,
    }


def labelme_mask(label, mask, left, top):
    corners = [[left, top], [left + mask.shape[1] - 1, top + mask.shape[0] - 1]]
    return labelme_shape(label, corners, "mask", mask=base64.b64encode(png(mask.astype(bool))).decode())


def write_labelme(path: Path, shapes, picture="", size=(HEIGHT, WIDTH), data=None) -> Path:
    """labelme's file beside a picture."""
    return write_json(path, {
        "version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": picture or f"{path.stem}.jpg",
        "imageData": None if data is None else base64.b64encode(data).decode(), "imageHeight": size[0], "imageWidth": size[1],
    })  # fmt: skip


def labelme_folder(folder: Path, count=6) -> Path:
    """A folder as labelme leaves it: pictures and a file beside each."""
    for index in range(count):
        write_picture(folder / f"p{index}.jpg", index)
        write_labelme(folder / f"p{index}.json", [labelme_shape("crack", CRACK), labelme_shape("leaf", LEAF)])
    return folder


def coco(names, annotations, categories=("crack", "leaf"), size=(HEIGHT, WIDTH)):
    """COCO's JSON; annotations are (number of the picture, category, segmentation, more)."""
    return {
        "info": {}, "licenses": [],
        "images": [{"id": i, "file_name": name, "height": size[0], "width": size[1]} for i, name in enumerate(names)],
        "categories": [{"id": i, "name": name, "supercategory": ""} for i, name in enumerate(categories, 1)],
        "annotations": [
            {"id": i, "image_id": image, "category_id": category, "segmentation": segmentation, "bbox": [5, 4, 28, 17],
             "area": 1, "iscrowd": 0, **more}
            for i, (image, category, segmentation, more) in enumerate(annotations, 1)
        ],
    }  # fmt: skip


def coco_folder(folder: Path, count=6) -> Path:
    """A folder with annotations/instances_default.json and images/, as CVAT exports COCO."""
    names = [f"p{index}.jpg" for index in range(count)]
    for index, name in enumerate(names):
        write_picture(folder / "images" / name, index)
    found = [(i, category, [flat(shape)], {}) for i in range(count) for category, shape in ((1, CRACK), (2, LEAF))]
    write_json(folder / "annotations" / "instances_default.json", coco(names, found))
    return folder


def roboflow_folder(folder: Path) -> Path:
    """A folder as Roboflow exports COCO Segmentation: one folder a split, and a group of categories as category 0."""
    for split, count in (("train", 4), ("valid", 2), ("test", 1)):
        names = [f"p{index}_jpg.rf.{hash_of(split, index):032x}.jpg" for index in range(count)]
        for index, name in enumerate(names):
            write_picture(folder / split / name, hash_of(split, index))
        content = coco(names, [(i, c, [flat(s)], {}) for i in range(count) for c, s in ((1, CRACK), (2, LEAF))])
        content["categories"] = [
            {"id": 0, "name": "damage", "supercategory": "none"},
            *({"id": one["id"], "name": one["name"], "supercategory": "damage"} for one in content["categories"]),
        ]
        write_json(folder / split / "_annotations.coco.json", content)
    (folder / "README.dataset.txt").write_text("")
    return folder


def hash_of(split, index):
    return sum(map(ord, split)) * 10 + index


def cvat_xml(images, labels=(("crack", "#ff0000"), ("leaf", "#00ff00"))) -> str:
    """CVAT for images 1.1; images are (name, elements, further attributes)."""
    table = "".join(
        f"<label><name>{name}</name><color>{color}</color><type>any</type><attributes></attributes></label>"
        for name, color in labels
    )
    pictures = "".join(
        f'<image id="{i}" name="{name}" width="{WIDTH}" height="{HEIGHT}" {more}>{"".join(elements)}</image>'
        for i, (name, elements, more) in enumerate(images)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta><task><id>1</id><name>t</name>'
        f"<labels>{table}</labels></task></meta>{pictures}</annotations>"
    )


def cvat_polygon(label, points, order=0):
    text = ";".join(f"{x:.2f},{y:.2f}" for x, y in points)
    return f'<polygon label="{label}" source="manual" occluded="0" points="{text}" z_order="{order}"></polygon>'


def cvat_mask(label, mask, left, top, order=0):
    runs, last, length = [], False, 0
    for value in mask.ravel():
        if bool(value) != last:
            runs, last, length = [*runs, length], bool(value), 0
        length += 1
    text = ", ".join(map(str, [*runs, length]))
    return (
        f'<mask label="{label}" source="manual" occluded="0" rle="{text}" left="{left}" top="{top}" width="{mask.shape[1]}" '
        f'height="{mask.shape[0]}" z_order="{order}"></mask>'
    )


def cvat_folder(folder: Path, count=6) -> Path:
    """A folder as CVAT exports a task with its images."""
    names = [f"p{index}.jpg" for index in range(count)]
    for index, name in enumerate(names):
        write_picture(folder / "images" / name, index)
    shapes = [cvat_polygon("crack", CRACK), cvat_polygon("leaf", LEAF)]
    (folder / "annotations.xml").write_text(cvat_xml([(name, shapes, "") for name in names]))
    return folder


def studio_result(label, kind, value, size=(HEIGHT, WIDTH), id="a"):
    return {
        "id": id, "type": f"{kind}labels", "from_name": "label", "to_name": "image", "origin": "manual", "image_rotation": 0,
        "original_height": size[0], "original_width": size[1], "value": {**value, f"{kind}labels": [label]},
    }  # fmt: skip


def studio_polygon(label, points, size=(HEIGHT, WIDTH)):
    percents = [[100 * x / size[1], 100 * y / size[0]] for x, y in points]
    return studio_result(label, "polygon", {"points": percents, "closed": True}, size)


def studio_task(id, image, results, **more):
    annotation = {"id": id, "completed_by": 1, "result": results, "was_cancelled": False, "ground_truth": False}
    return {
        "id": id,
        "data": {"image": image},
        "annotations": [{**annotation, "updated_at": "2026-01-01", **more}],
        "predictions": [],
    }


def studio_folder(folder: Path, count=6) -> Path:
    """A folder with the JSON of Label Studio, and the uploaded pictures."""
    tasks = []
    for index in range(count):
        write_picture(folder / "images" / f"p{index}.jpg", index)
        results = [studio_polygon("crack", CRACK), studio_polygon("leaf", LEAF)]
        tasks.append(studio_task(index, f"/data/upload/3/0123abcd-p{index}.jpg", results))
    write_json(folder / "project-3.json", tasks)
    return folder


def brush(mask) -> list[int]:
    """The bytes of Label Studio's brush, as its documentation packs them: here in runs of up to 16 bits."""
    values = np.repeat((np.asarray(mask, bool) * 255).astype(np.uint8).ravel(), 4)
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    starts = [0, *(np.flatnonzero(np.diff(values)) + 1), len(values)]
    for start, stop in itertools.pairwise(starts):
        while start < stop:
            length = min(stop - start, 2**16)
            bits += f"111{length - 1:016b}{values[start]:08b}"
            start += length
    bits += "0" * (-len(bits) % 8)
    return [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]


def bitmask(mask) -> str:
    """The address of Label Studio's bitmask: black on nothing, as its canvas writes PNG."""
    return (
        "data:image/png;base64,"
        + base64.b64encode(png(np.dstack([np.zeros((*mask.shape, 3), np.uint8), mask * np.uint8(255)]))).decode()
    )


def supervisely_object(title, kind, **more):
    return {"id": 1, "classTitle": title, "geometryType": kind, "tags": [], **more}


def supervisely_polygon(title, points, holes=()):
    return supervisely_object(title, "polygon", points={"exterior": points, "interior": list(holes)})


def supervisely_bitmap(title, mask, left, top):
    packed = base64.b64encode(zlib.compress(png(mask.astype(bool)))).decode()
    return supervisely_object(title, "bitmap", bitmap={"data": packed, "origin": [left, top]}, points={})


def supervisely_folder(folder: Path, datasets=("ds0",), count=6) -> Path:
    """A project of Supervisely."""
    classes = [("crack", "#FF0000"), ("leaf", "#00FF00")]
    write_json(folder / "meta.json", {
        "classes": [{"title": title, "shape": "any", "color": color} for title, color in classes], "tags": [],
    })  # fmt: skip
    for dataset in datasets:
        for index in range(count):
            name = f"p{index}.jpg"
            write_picture(folder / dataset / "img" / name, hash_of(dataset, index))
            shapes = [supervisely_polygon("crack", whole(CRACK)), supervisely_polygon("leaf", whole(LEAF))]
            content = {"description": "", "tags": [], "size": {"height": HEIGHT, "width": WIDTH}, "objects": shapes}
            write_json(folder / dataset / "ann" / f"{name}.json", content)
    return folder


def whole(points):
    return [[round(x), round(y)] for x, y in points]


def voc_folder(folder: Path, count=6, colors=True, lists=True) -> Path:
    """A folder as CVAT exports segmentation masks: colours by labelmap.txt."""
    table = {"background": (0, 0, 0), "crack": (250, 50, 83), "leaf": (51, 221, 255)}
    lines = [f"{name}:{','.join(map(str, color))}::" for name, color in table.items()]
    (folder / "ImageSets" / "Segmentation").mkdir(parents=True)
    (folder / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + "\n".join(lines) + "\n")
    palette = np.array(list(table.values()), np.uint8)
    names = [f"p{index}" for index in range(count)]
    for index, name in enumerate(names):
        write_picture(folder / "JPEGImages" / f"{name}.jpg", index)
        values = index_mask(index)
        path = folder / "SegmentationClass" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        if colors:
            Image.fromarray(palette[values]).save(path)
        else:
            image = Image.fromarray(values)
            image.putpalette(palette.tobytes())
            image.save(path)
        (folder / "SegmentationObject").mkdir(exist_ok=True)
        Image.fromarray(palette[values]).save(folder / "SegmentationObject" / f"{name}.png")
    splits = {"train": names[:4], "val": names[4:]} if lists else {"default": names}
    for split, inside in splits.items():
        (folder / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(inside) + "\n")
    return folder


def index_mask(seed: int):
    """Blocks of the values 0, 1 and 2."""
    blocks = np.random.default_rng(seed).integers(0, 3, (HEIGHT // 5, WIDTH // 5), np.uint8)
    return np.kron(blocks, np.ones((5, 5), np.uint8))


def read_labels(path: Path):
    """The values of a label file, read by Pillow."""
    return np.array(Image.open(path))
