"""Whether probabilities mean what they say: accuracy over confidence, and the expected calibration error, as a meter."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.data.sample import Array, Sample
from attseg.evaluation.counts import Counts

BINS = 15


def calibration_counts(scores: Tensor, labels: Tensor, bins: int = BINS) -> Counts:
    """Pixels by their confidence, the probability of the most probable class.

    Args:
        scores: (K, H, W) probabilities.
        labels: (H, W) classes, and 255 where ignored, on the same device.
        bins: Equally wide bins; each holds confidences above its lower and up to its upper end.

    Returns:
        For each bin (M,) how many ``pixels`` there are, how many are ``right``, and the sum of their ``confidence``.

    Source:
        Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017, section 2.
    """
    confidence, best = scores.max(dim=0)
    counted = labels != IGNORE
    confidence, right = confidence[counted], (best == labels)[counted]
    ends = torch.linspace(0, 1, bins + 1, device=scores.device)[1:-1]
    places = torch.bucketize(confidence, ends).cpu()
    return {
        "pixels": torch.bincount(places, minlength=bins),
        "right": torch.bincount(places[right.cpu()], minlength=bins),
        "confidence": torch.bincount(places, confidence.double().cpu(), minlength=bins),
    }


class CalibrationMeter:
    """Expected and maximum calibration error, and what a reliability diagram shows.

    Args:
        bins: Bins of confidence.
    """

    name = "calibration"
    needs_scores = True

    def __init__(self, *, bins: int = BINS) -> None:
        self.bins = bins

    def count(self, sample: Sample, prediction: Array, scores: Tensor | None) -> Counts:
        """The counts of a band; ``calibration_counts`` says which."""
        assert scores is not None  # a meter that needs them gets them
        labels = torch.from_numpy(np.ascontiguousarray(sample.labels)).to(scores.device)
        return calibration_counts(scores, labels, self.bins)

    def result(self, counts: Counts) -> dict[str, Any]:
        """Errors in [0, 1], and the bins; None where there is no pixel."""
        pixels, right, confidence = (counts[name].double() for name in ("pixels", "right", "confidence"))
        total = float(pixels.sum())
        gaps = ((right - confidence) / pixels.clamp(min=1)).abs()
        return {
            "ece": float((gaps * pixels).sum()) / total if total else None,
            "mce": float(gaps.max()) if total else None,
            "mean_confidence": float(confidence.sum()) / total if total else None,
            "accuracy": float(right.sum()) / total if total else None,
            "bins": [
                {
                    "above": place / self.bins,
                    "up_to": (place + 1) / self.bins,
                    "pixels": int(pixels[place]),
                    "confidence": float(confidence[place] / pixels[place]) if pixels[place] else None,
                    "accuracy": float(right[place] / pixels[place]) if pixels[place] else None,
                }
                for place in range(self.bins)
            ],
        }
