"""Packages that exported files need, imported in one place: without their telemetry, and with a sentence where one is missing."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from attseg.errors import UsageError
from attseg.extras import install_command

EXTRAS = {"onnx": "export", "onnxscript": "export", "onnxruntime": "export", "openvino": "openvino", "nncf": "openvino"}
"""Which extra of attseg brings each package."""


def need(name: str, purpose: str) -> Any:
    """Import a package.

    OpenVINO and NNCF report their use over the network when they are imported, by way of the package ``openvino_telemetry``;
    both do without it where it is missing, and so it is made to look missing. ONNX Runtime, which reports on Windows, has a
    switch.

    Args:
        name: One of ``EXTRAS``.
        purpose: What it is needed for, to begin a sentence.

    Raises:
        UsageError: It is not installed.
    """
    if "openvino_telemetry" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # what Python itself has for "cannot be imported"
    try:
        package = import_module(name)
    except ImportError as error:
        raise UsageError(
            f"{purpose} needs the package {name}, which cannot be imported ({error}); install it with: "
            f"{install_command(EXTRAS[name])}"
        ) from error
    if name == "onnxruntime":
        package.disable_telemetry_events()
    return package
