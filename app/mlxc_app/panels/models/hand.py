"""A functional that a hand moves: two numbers of PBE, the shares of a sum, or how far a network's correction goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from traitlets import Float, HasTraits, Unicode

from mlxc.xc.checkpoints.corrected import corrected_by
from mlxc.xc.conventional import TRAINABLE
from mlxc.xc.sums.expression import mixed
from mlxc_app.choose.words import functional_in_words

OFF, PARAMETERS, MIX, STRENGTH = "off", "parameters", "mix", "strength"
# What may be moved, and what its button says.
MODES = {OFF: "Nothing", PARAMETERS: "κ and μ of PBE", MIX: "A mix of two", STRENGTH: "A network's strength"}
# What a slider moves.
GLIDING = ("kappa", "mu", "share")
PBE = "pbe"
# PBE's own numbers, to the digits of a slider.
PBE_KAPPA, PBE_MU = 0.804, 0.2195


@dataclass(frozen=True)
class Moved:
    """The functional under the hand.

    Attributes:
        request: How the bench is asked for it; empty where nothing is moved.
        label: What it is called on the page.
        beside: The names of those that it is drawn beside.
    """

    request: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    beside: tuple[str, ...] = ()


class Hand(HasTraits):
    """What is moved, and where it stands.

    Attributes:
        mode: One of :data:`MODES`.
        kappa: The bound of PBE's exchange enhancement.
        mu: Its gradient coefficient.
        first: The functional of which the mix holds the rest.
        second: The functional of which it holds the share.
        network: The network whose correction is strengthened.
        share: The share of the second, or the strength of the network's correction.
    """

    mode = Unicode(OFF)
    kappa = Float(PBE_KAPPA)
    mu = Float(PBE_MU)
    first = Unicode(PBE)
    second = Unicode("scan")
    network = Unicode("solids-mgga")
    share = Float(0.5)

    @property
    def moved(self) -> Moved:
        """The functional that results.

        Raises:
            InputError: one of those that it is made of is not there any more.
        """
        if self.mode == PARAMETERS:
            request = {"functional": TRAINABLE, "parameters": {"kappa": self.kappa, "mu": self.mu}}
            return Moved(request, f"PBE with κ = {self.kappa:.3f}, μ = {self.mu:.4f}", (PBE,))
        if self.mode == MIX:
            return self._between(self.first, self.second)
        base = corrected_by(self.network) if self.mode == STRENGTH and self.network else None
        return Moved() if base is None else self._between(base, self.network)

    def _between(self, first: str, second: str) -> Moved:
        share = f"{100 * self.share:.0f} %"
        label = f"{functional_in_words(first)} with {share} of {functional_in_words(second)}"
        return Moved({"functional": mixed(first, second, self.share)}, label, (first, second))
