"""Layouts: how a model lies on a mesh of devices, and what each device holds, computes and sends."""

from __future__ import annotations

from symcost.layouts.device import OnDevice
from symcost.layouts.messages import Message
from symcost.layouts.named import COMPOSED, LAYOUTS, layout
from symcost.layouts.placing import ACTIVATIONS, GRADIENTS, PARAMETERS, STATES, Layout, Placement, Split

__all__ = [
    "ACTIVATIONS", "COMPOSED", "GRADIENTS", "LAYOUTS", "PARAMETERS", "STATES",
    "Layout", "Message", "OnDevice", "Placement", "Split", "layout",
]  # fmt: skip
