"""The time of one step on one device, between two bounds: its parts one after the other, or all at once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.terms import Number, plain


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step's parts, and what follows.

    `compute` is FLOPs over peak; `memory` is what is read and written at least, over the memory's bandwidth;
    `messages` the bytes sent over what the link carries in one direction. `bubble` is the wait of a
    pipeline over the work. `useful` are the model's FLOPs of a step over the peak of all devices, `done`
    those with what is computed again; both without the update.

    >>> StepTime(Fraction(4), Fraction(1), Fraction(3), Fraction(1, 4), Fraction(3), Fraction(4)).serial
    Fraction(8, 1)
    """

    compute: Fraction
    memory: Fraction
    messages: Fraction
    bubble: Fraction
    useful: Fraction
    done: Fraction

    @property
    def serial(self) -> Fraction:
        """Nothing overlaps: an upper bound, where peak, bandwidth and link are reached."""
        return max(self.compute, self.memory) * (1 + self.bubble) + self.messages

    @property
    def overlapped(self) -> Fraction:
        """Everything overlaps: a lower bound."""
        return max(max(self.compute, self.memory) * (1 + self.bubble), self.messages)

    @property
    def binds(self) -> str:
        """The longest part."""
        parts = {"compute": self.compute, "memory": self.memory, "messages": self.messages}
        return max(parts, key=lambda name: parts[name])

    def mfu(self, seconds: Number | None = None) -> Fraction:
        """Model FLOPs utilisation in a step of so many seconds, else in the serial one."""
        return self.useful / Fraction(seconds if seconds is not None else self.serial)

    def hfu(self, seconds: Number | None = None) -> Fraction:
        """The same with what is computed again."""
        return self.done / Fraction(seconds if seconds is not None else self.serial)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, in seconds."""
        found = {name: plain(getattr(self, name)) for name in ("compute", "memory", "messages", "bubble")}
        found |= {"serial": plain(self.serial), "overlapped": plain(self.overlapped), "binds": self.binds}
        return found | {"mfu": [plain(self.mfu()), plain(self.mfu(self.overlapped))]}
