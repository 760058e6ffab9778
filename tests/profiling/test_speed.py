import time

import pytest
import torch
from torch import nn

from attseg.profiling import speed
from attseg.profiling.speed import WARM_UP, device_name, measure_latency


class Sleeper(nn.Module):
    """Takes the times that it is told, the last one ever after."""

    def __init__(self, *seconds):
        super().__init__()
        self.seconds, self.calls, self.grad = seconds, 0, True

    def forward(self, images):
        self.grad = torch.is_grad_enabled()
        time.sleep(self.seconds[min(self.calls, len(self.seconds) - 1)])
        self.calls += 1
        return images


def test_passes_of_warm_up_do_not_count():
    model = Sleeper(*[0.2] * WARM_UP, 0.01)
    latency = measure_latency(model, torch.zeros(1, 3, 32, 32), least=5, seconds=0)
    assert (latency.runs, model.calls, model.grad) == (5, WARM_UP + 5, False)
    assert 0.01 <= latency.low <= latency.median <= latency.high < 0.15
    assert latency.threads == torch.get_num_threads()


def test_one_slow_pass_moves_the_median_little():
    model = Sleeper(*[0.0] * WARM_UP, 0.01, 0.01, 0.3, 0.01)
    latency = measure_latency(model, torch.zeros(1, 3, 32, 32), least=7, seconds=0)
    assert latency.median < 0.1


def test_it_ends_after_its_time_or_its_most_passes():
    images = torch.zeros(1, 3, 32, 32)
    assert measure_latency(Sleeper(0.02), images, least=2, most=100, seconds=0.1).runs <= 5
    assert measure_latency(Sleeper(0.0), images, least=2, most=9, seconds=60).runs == 9
    assert measure_latency(Sleeper(0.0), images, least=1, most=1).runs == 1


def test_the_processor_has_a_name():
    assert device_name(torch.device("cpu"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_the_work_is_waited_for_and_memory_is_the_allocators():
    layer = nn.Conv2d(3, 64, 1, bias=False).cuda()
    images = torch.rand(1, 3, 1024, 1024, device="cuda")
    latency = measure_latency(layer, images, seconds=0.2)
    assert latency.device == torch.cuda.get_device_name()
    assert latency.median > 64 * 2**20 * 4 / 8e12  # writing the result takes that long at 8 TB/s
    assert speed.measure_gpu_memory(layer, images) >= 64 * 2**20 * 4
