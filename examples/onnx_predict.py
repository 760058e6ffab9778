"""Segment pictures with ONNX Runtime, numpy and Pillow alone: python onnx_predict.py model.onnx OUT PICTURES.."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

model, out, *pictures = sys.argv[1:]
onnxruntime.disable_telemetry_events()  # Windows builds have some
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
about = json.loads(session.get_modelmeta().custom_metadata_map["attseg"])
names, colors = about["classes"]["names"], about["classes"]["colors"]
values = np.array(about["classes"].get("values", range(len(names))))  # of label files, by class index
palette = np.zeros((max(256, values.max() + 1), 3), np.uint8)
palette[values] = colors
if (about["contract"]["takes"], about["contract"]["gives"]) != ("bytes", "labels"):
    sys.exit(f"{model} was exported with other --takes or --gives; this program is for the usual ones")
if "range" in about["preprocessing"]:
    sys.exit(
        f"{model} takes values of {about['preprocessing']['range']} scaled to bytes; this program is for 8-bit images"
    )
Path(out).mkdir(parents=True, exist_ok=True)
for path in map(Path, pictures):
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    labels, scores = (found[0] for found in session.run(["labels", "scores"], {"images": np.asarray(picture)[None]}))
    image = Image.fromarray(values[labels].astype(np.uint8 if len(palette) == 256 else np.uint16))
    if image.mode == "L":
        image.putpalette(palette.tobytes())
    image.save(Path(out) / f"{path.stem}.png")
    shares = np.bincount(labels.ravel(), minlength=len(names)) / labels.size
    found = ", ".join(f"{names[k]} {shares[k]:.0%}" for k in np.argsort(-shares) if shares[k] >= 0.005)
    print(f"{path}: {found} (mean score {scores.mean():.2f})")
