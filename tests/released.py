"""Networks as others released them, written down plainly: random weights under their names, and what they compute from them.

Every weight, statistic and bias is drawn, so that no zero hides a difference. Nothing here is from attseg.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
WIDTHS = (64, 128, 256, 512)


class Weights(dict):
    """Tensors by name, drawn one after another."""

    def __init__(self):
        super().__init__()
        self.draw = torch.Generator().manual_seed(0)

    def conv(self, name, out, into, kernel=1, *, bias=False):
        scale = (2 / (into * kernel * kernel)) ** 0.5
        self[f"{name}.weight"] = torch.randn(out, into, kernel, kernel, generator=self.draw) * scale
        if bias:
            self[f"{name}.bias"] = torch.randn(out, generator=self.draw)

    def norm(self, name, channels, *, gain=1.0):
        for part, low, span in (
            ("weight", 0.5, 1),
            ("bias", -0.2, 0.4),
            ("running_mean", -0.2, 0.4),
            ("running_var", 0.5, 1),
        ):
            self[f"{name}.{part}"] = low + torch.rand(channels, generator=self.draw) * span
        self[f"{name}.weight"] *= gain
        self[f"{name}.num_batches_tracked"] = torch.tensor(7)

    def stages(self, depth, *, into, prefix=""):
        """The four stages of a ResNet, the same each time."""
        self |= {prefix + name: tensor for name, tensor in drawn_stages(depth, into).items()}

    def _stages(self, depth, into):
        wide = 4 if depth >= 50 else 1
        for stage, (width, count) in enumerate(zip(WIDTHS, BLOCKS[depth], strict=True), 1):
            for block in range(count):
                name, out = f"layer{stage}.{block}", wide * width
                shapes = [(width, into, 1), (width, width, 3), (out, width, 1)]
                for place, (to, fro, kernel) in enumerate(
                    shapes if wide == 4 else [(width, into, 3), (width, width, 3)], 1
                ):
                    self.conv(f"{name}.conv{place}", to, fro, kernel)
                    last = place == (3 if wide == 4 else 2)
                    self.norm(f"{name}.bn{place}", to, gain=0.3 if last else 1.0)  # keeps the residual sums in range
                if block == 0 and (into != out or stage > 1):
                    self.conv(f"{name}.downsample.0", out, into)
                    self.norm(f"{name}.downsample.1", out)
                into = out


@lru_cache
def drawn_stages(depth, into):
    weights = Weights()
    weights._stages(depth, into)
    return dict(weights)


class Network:
    """The plain functions of a network, by the names of their weights."""

    def __init__(self, state):
        self.state = state

    def conv(self, name, x, **options):
        return F.conv2d(x, self.state[f"{name}.weight"], self.state.get(f"{name}.bias"), **options)

    def norm(self, name, x):
        weight, bias, mean, var = (self.state[f"{name}.{p}"] for p in ("weight", "bias", "running_mean", "running_var"))
        return F.batch_norm(x, mean, var, weight, bias)

    def unit(self, conv, norm, x, **options):
        return self.norm(norm, self.conv(conv, x, **options)).relu()

    def at(self, name, place, x, **options):
        """A convolution and its normalisation at two places of a sequence."""
        return self.unit(f"{name}.{place}", f"{name}.{place + 1}", x, **options)

    def stages(self, x, *, even, prefix=""):
        """The maps of all four stages of a ResNet at stride 8; ``even`` gives a stage's first block the rate of the others."""
        maps = []
        for stage, (stride, rate, first) in enumerate(((1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 4, 2)), 1):
            block = 0
            while f"{prefix}layer{stage}.{block}.conv1.weight" in self.state:
                name = f"{prefix}layer{stage}.{block}"
                begin = block == 0
                step, near = (stride if begin else 1), (first if begin and not even else rate)
                if f"{name}.conv3.weight" in self.state:
                    out = self.unit(f"{name}.conv1", f"{name}.bn1", x)
                    out = self.unit(f"{name}.conv2", f"{name}.bn2", out, stride=step, padding=near, dilation=near)
                    out = self.norm(f"{name}.bn3", self.conv(f"{name}.conv3", out))
                else:
                    out = self.unit(f"{name}.conv1", f"{name}.bn1", x, stride=step, padding=near, dilation=near)
                    out = self.norm(f"{name}.bn2", self.conv(f"{name}.conv2", out, padding=rate, dilation=rate))
                if f"{name}.downsample.0.weight" in self.state:
                    x = self.norm(f"{name}.downsample.1", self.conv(f"{name}.downsample.0", x, stride=step))
                x, block = (out + x).relu(), block + 1
            maps.append(x)
        return maps

    def attend(self, values, scores, *, direction, compact, mask):
        """Values (N, C, H, W) by the released operator: scores of every position over its window, or over all places."""
        n, c, h, w = values.shape
        if compact:
            table = scores.flatten(2)
            table = table.transpose(1, 2) if direction == "distribute" else table
        else:
            table = torch.zeros(n, h * w, h * w, dtype=values.dtype)
            rows, columns = mask
            up, left = (rows - 1) // 2, (columns - 1) // 2
            for y in range(h):
                for z in range(w):
                    for i in range(max(0, up - y), min(rows, h + up - y)):
                        for j in range(max(0, left - z), min(columns, w + left - z)):
                            there, here = (y + i - up) * w + z + j - left, y * w + z
                            score = scores[:, i * columns + j, y, z]
                            if direction == "collect":
                                table[:, there, here] = score
                            else:
                                table[:, here, there] = score
        return (values.flatten(2) @ table.softmax(1)).view(n, c, h, w)


def resized(x, size, *, align):
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=align)


def double(state):
    """The same weights in double precision, where two ways to compute agree to the last digits."""
    return {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
