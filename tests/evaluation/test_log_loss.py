import numpy as np
import torch
import torch.nn.functional as F

from attseg.data.classes import IGNORE
from attseg.data.sample import Sample
from attseg.evaluation.counts import add_up
from attseg.evaluation.log_loss import LogLossMeter


def sample(labels):
    return Sample(np.zeros((*labels.shape, 3), np.uint8), labels, "a")


def test_it_is_the_cross_entropy_of_pytorch_over_all_labelled_pixels():
    rng = torch.Generator().manual_seed(0)
    meter, counts, logits, labels = LogLossMeter(), [], [], []
    for size in ((5, 7), (3, 4)):
        scores, truth = torch.randn(4, *size, generator=rng), torch.randint(0, 4, size, generator=rng).byte()
        truth[0, :2] = IGNORE
        logits.append(scores.flatten(1)), labels.append(truth.flatten())
        counts.append(meter.count(sample(truth.numpy()), truth.numpy(), scores.softmax(0)))
    whole = F.cross_entropy(torch.cat(logits, 1).T, torch.cat(labels).long(), ignore_index=IGNORE)
    assert abs(meter.result(add_up(counts))["mean"] - whole.item()) < 1e-6


def test_impossible_labels_cost_a_finite_sum_and_unlabelled_images_nothing():
    meter = LogLossMeter()
    scores = torch.tensor([1.0, 0.0]).view(2, 1, 1).expand(2, 2, 2)
    wrong = np.ones((2, 2), np.uint8)
    assert 20 < meter.result(meter.count(sample(wrong), wrong, scores))["mean"] < 30
    ignored = np.full((2, 2), IGNORE, np.uint8)
    assert meter.result(meter.count(sample(ignored), ignored, scores)) == {"mean": None}
