"""The pictures of a run, drawn when it is done, from the files in its folder."""

from __future__ import annotations

import numpy as np
import torch

from attseg.checkpoint import load_into, read_weights
from attseg.data.sample import SegmentationData
from attseg.evaluation.plots import draw_confusion, draw_curves, draw_samples
from attseg.evaluation.report import Report
from attseg.files import FileError
from attseg.json_files import read_json
from attseg.models import Model
from attseg.prediction.whole import predict_logits
from attseg.runs.folder import RunFolder

SAMPLES = 4
"""Rows of ``samples.png``."""


def draw_pictures(folder: RunFolder, model: Model, data: SegmentationData, device: torch.device) -> None:
    """Draw curves.png, and confusion.png and samples.png of the best weights, if any were.

    Args:
        folder: Where the files are, and the pictures go.
        model: Is given the best weights.
        data: The split that the report is about; samples spread over it are shown.
        device: Where to predict.
    """
    draw_curves(folder.metrics, folder.curves)
    if not folder.best.exists():
        return
    report = read_json(folder.report)
    try:
        confusion = Report(data.classes, np.array(report["counts"]), report["pictures"])
    except (LookupError, TypeError, ValueError) as error:
        raise FileError(
            f"{folder.report} is no report of this run ({type(error).__name__}: {error}); evaluate it anew"
        ) from error
    draw_confusion(confusion, folder.confusion)

    weights = read_weights(folder.best)
    load_into(model, weights.state)
    model.to(device).eval()
    rows = []
    for index in sorted({round(place) for place in np.linspace(0, len(data) - 1, SAMPLES)}):
        sample = data[index]
        logits = predict_logits(model, sample.image, weights.preprocessing, device=device, precision="32")
        rows.append((sample.image, sample.labels, logits.argmax(0).to(torch.uint8).cpu().numpy()))
    draw_samples(rows, data.classes, folder.samples)
