"""From a network to a graph without Python: torch.export, with free numbers and sizes of pictures where the network allows it."""

from __future__ import annotations

import copy
import logging
import math
import operator
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.fx import GraphModule, Node

from attseg.encoders.timm import TimmEncoder
from attseg.export.deployable import Deployable
from attseg.inference.exported.contract import LARGEST, Contract
from attseg.inference.segmenter import Segmenter
from attseg.models.frame import smallest_side

MOST_PICTURES = 1024
"""Pictures that one call of a file may take."""

TRACED = (160, 224)
"""Height and width of the pictures that a network of free sizes is traced with; what it is does not show in the graph."""

LARGER = (64, 128)
"""Least sides that are tried in turn, where a network gives maps of one value for smaller pictures: these would fix all sizes."""


class ExportError(RuntimeError):
    """A network cannot be exported as asked, or the file falls short of it; the message says what to do."""


def trace(segmenter: Segmenter, contract: Contract) -> tuple[ExportedProgram, Contract]:
    """The graph of a network with all that a contract puts around it.

    Args:
        segmenter: The network; it is left as it is.
        contract: What goes in and out.

    Returns:
        The graph, and the contract with the least size that it really takes.

    Raises:
        UsageError: The size is below that to which the network's images are continued.
        ExportError: torch cannot make a graph of it, or not one for pictures of any size.
    """
    # so that who runs the file pays for no gradients
    model = copy.deepcopy(segmenter.model).cpu().requires_grad_(False)
    contract = replace(contract, channels=segmenter.preprocessing.channels)
    if contract.size:
        contract = replace(contract, least=smallest_side(model))
    if contract.size or contract.resize:
        return _trace(Deployable(model, segmenter.preprocessing, contract).eval(), contract), contract
    if any(isinstance(module, TimmEncoder) and module.windowed for module in model.modules()):
        raise _fixed(model)  # known beforehand: torch reckons with the sizes of windows for hours before it gives up
    problem: Exception | None = None
    for least in (smallest_side(model), *LARGER):
        wider = replace(contract, least=least)
        try:
            return _trace(Deployable(model, segmenter.preprocessing, wider).eval(), wider), wider
        except ExportError as error:
            problem = problem or error
    raise _fixed(model) from problem


def _trace(network: Deployable, contract: Contract) -> ExportedProgram:
    height, width = contract.size or TRACED
    channels = contract.channels
    shape = (2, height, width, channels) if contract.takes == "bytes" else (2, channels, height, width)
    images = torch.zeros(shape, dtype=torch.uint8 if contract.takes == "bytes" else torch.float32)
    free: dict[int, Any] = {0: Dim("batch", min=1, max=MOST_PICTURES)}
    if not contract.size:
        first = 1 if contract.takes == "bytes" else 2
        for axis, name in enumerate(("height", "width"), first):
            free[axis] = Dim(name, min=contract.smallest, max=LARGEST)
    try:
        with quiet(), torch.no_grad():
            program = torch.export.export(
                network, (images,), dynamic_shapes=(free,), prefer_deferred_runtime_asserts_over_guards=True
            )
    except Exception as error:  # torch has no common class for what it cannot trace
        raise ExportError(
            f"torch.export cannot make a graph of this {type(network.model).__name__}: "
            f"{str(error).strip().splitlines()[0]}"
        ) from error
    _divide_in_integers(program)
    _forget_sources(program)
    return program


def _fixed(model: nn.Module) -> ExportError:
    return ExportError(
        f"this {type(model).__name__} cannot be exported for pictures of any size, as a layer of it fixes the size "
        "(Swin's windows and DINOv3's grids do). Choose one: --resize 512x512 makes a file that takes any picture and "
        "scales it inside; --size 512x512 one that takes pictures of this size alone"
    )


def _divide_in_integers(program: ExportedProgram) -> None:
    """Write each ceil(a / b) of sizes as (a + b - 1) // b.

    timm pads pictures so where strides do not divide their sides. torch.export traces it, but can save no ceil; and as a
    fraction of 32 bits the quotient would be wrong for large sizes.

    Args:
        program: The graph, which is changed.
    """
    graph = program.graph
    for node in list(graph.nodes):
        if node.op != "call_function" or node.target is not math.ceil:
            continue
        quotient = node.args[0]
        if not isinstance(quotient, Node) or quotient.target is not operator.truediv:
            continue
        side, divisor = quotient.args
        if not isinstance(side, Node) or not isinstance(divisor, int):
            continue
        with graph.inserting_before(node):
            raised = graph.call_function(operator.add, (side, divisor - 1))
            raised.meta["val"] = side.meta["val"] + (divisor - 1)
            whole = graph.call_function(operator.floordiv, (raised, divisor))
            whole.meta["val"] = raised.meta["val"] // divisor
        node.replace_all_uses_with(whole)
        graph.erase_node(node)
        if not quotient.users:
            graph.erase_node(quotient)
    program.graph_module.recompile()


def _forget_sources(program: ExportedProgram) -> None:
    """Drop where in which file each operation was called: paths of this computer are nobody's business."""
    for module in program.graph_module.modules():
        if isinstance(module, GraphModule):
            for node in module.graph.nodes:
                node.meta.pop("stack_trace", None)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings and the log of exporters, which speak of their own insides; what counts is measured afterwards."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
