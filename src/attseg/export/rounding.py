"""Sizes in whole numbers: what timm reckons with fractions becomes a division of integers, which every format knows."""

from __future__ import annotations

import math
import operator

from torch.export import ExportedProgram
from torch.fx import Node


def divide_in_integers(program: ExportedProgram) -> None:
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
