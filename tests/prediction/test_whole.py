import numpy as np
import torch

from attseg.data.preprocessing import Preprocessing
from attseg.models import PAN
from attseg.prediction.whole import predict_logits


def test_logits_of_a_small_picture_are_cut_back():
    torch.manual_seed(0)
    model = PAN(3, encoder="test_resnet", channels=8).eval()
    image = np.zeros((1, 40, 3), np.uint8)
    logits = predict_logits(model, image, Preprocessing(), device=torch.device("cpu"))
    assert logits.shape == (3, 1, 40)
    repeated = predict_logits(model, np.repeat(image, 32, 0), Preprocessing(), device=torch.device("cpu"))
    torch.testing.assert_close(logits[:, 0], repeated[:, 0])
