"""A functional that a hand moves: two numbers of PBE, the shares of a sum, how far a network's correction goes, one of
its weights, or where in its ensemble it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from traitlets import Dict, Float, HasTraits, Int, Unicode, observe

from mlxc.frozen.moved.move import DEVIATIONS, weight_at
from mlxc.xc.checkpoints.corrected import corrected_by
from mlxc.xc.conventional import TRAINABLE
from mlxc.xc.sums.expression import mixed
from mlxc_app.choose.words import functional_in_words

OFF, PARAMETERS, MIX, STRENGTH, WEIGHT, ENSEMBLE = "off", "parameters", "mix", "strength", "weight", "ensemble"
# What may be moved, and what its button says.
MODES = {
    OFF: "Nothing",
    PARAMETERS: "κ and μ of PBE",
    MIX: "A mix of two",
    STRENGTH: "A network's strength",
    WEIGHT: "One weight",
    ENSEMBLE: "An ensemble",
}
# What a slider moves.
GLIDING = ("kappa", "mu", "share", "place", "member", "deviations")
PBE = "pbe"
# PBE's own numbers, to the digits of a slider.
PBE_KAPPA, PBE_MU = 0.804, 0.2195
# Of an ensemble: its members, and not one of its directions.
MEMBERS = 0


@dataclass(frozen=True)
class Moved:
    """The functional under the hand.

    Attributes:
        request: How the bench is asked for it; empty where nothing is moved, or not enough is known yet.
        label: What it is called on the page.
        beside: The names of those that it is drawn beside.
        asks_of: The network of which must be known what may be moved; empty if nothing must.
        others: The names of those that the hand will come to.
    """

    request: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    beside: tuple[str, ...] = ()
    asks_of: str = ""
    others: tuple[str, ...] = ()


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
        weighted: The network of which one weight moves.
        weight: The name of the parameter that holds the weight.
        element: The index of the weight in it, as one row of numbers.
        place: Where the weight is on its slider, between -1 and 1.
        uncertain: The functional in whose ensemble the hand moves.
        direction: The direction of the ensemble, counted from one; :data:`MEMBERS` for its members.
        member: The number of the member, counted from one; zero for the functional itself.
        deviations: How far along the direction, standard deviations.
        movable: What may be moved of each network that was asked for, see :func:`mlxc.frozen.moved.line.movable`.
    """

    mode = Unicode(OFF)
    kappa = Float(PBE_KAPPA)
    mu = Float(PBE_MU)
    first = Unicode(PBE)
    second = Unicode("scan")
    network = Unicode("solids-mgga")
    share = Float(0.5)
    weighted = Unicode("solids-gga")
    weight = Unicode()
    element = Int(0)
    place = Float(0.0)
    uncertain = Unicode("solids-gga")
    direction = Int(MEMBERS)
    member = Int(0)
    deviations = Float(0.0)
    movable = Dict()

    @property
    def weights(self) -> Mapping[str, Mapping[str, Any]]:
        """The parameters of the network of which one weight moves, by name; empty as long as they are not known."""
        known: Mapping[str, Mapping[str, Any]] = self.movable.get(self.weighted, {}).get("weights", {})
        return known

    @property
    def members(self) -> int:
        """The number of members of the ensemble."""
        return int(self.movable.get(self.uncertain, {}).get("members", 0))

    @property
    def directions(self) -> int:
        """The number of directions of the ensemble."""
        return int(self.movable.get(self.uncertain, {}).get("directions", 0))

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
        if self.mode == WEIGHT:
            return self._with_weight()
        if self.mode == ENSEMBLE:
            return self._in_ensemble()
        base = corrected_by(self.network) if self.mode == STRENGTH and self.network else None
        return Moved() if base is None else self._between(base, self.network)

    def _between(self, first: str, second: str) -> Moved:
        share = f"{100 * self.share:.0f} %"
        label = f"{functional_in_words(first)} with {share} of {functional_in_words(second)}"
        return Moved({"functional": mixed(first, second, self.share)}, label, (first, second))

    def _with_weight(self) -> Moved:
        held = self.weights.get(self.weight)
        if held is None or not 0 <= self.element < len(held["values"]):
            return Moved(asks_of=self.weighted)
        value = held["values"][self.element]
        now = weight_at(value, held["typical"], self.place)
        called = f"{functional_in_words(self.weighted)}, {self.weight}{_index(self.element, held['shape'])}"
        label = f"{called} = {_signed(now, '.4f')} (learned: {_signed(value, '.4f')})"
        move = {"weight": self.weight, "element": self.element}
        return Moved({"functional": self.weighted, "move": move, "place": self.place}, label, (self.weighted,))

    def _in_ensemble(self) -> Moved:
        name, called = self.uncertain, functional_in_words(self.uncertain)
        if name not in self.movable:
            return Moved(asks_of=name)
        if self.direction != MEMBERS:
            move, place = {"direction": self.direction}, self.deviations / DEVIATIONS
            label = f"{called}, {_signed(self.deviations, '+.2f')} standard deviations along direction {self.direction}"
            return Moved({"functional": name, "move": move, "place": place}, label, (name,))
        members = tuple(f"{name}#{number}" for number in range(1, self.members + 1))
        if not 1 <= self.member <= len(members):
            return Moved({"functional": name}, f"{called} itself", (name,), others=members)
        label = f"{called}, member {self.member} of {len(members)}"
        return Moved({"functional": members[self.member - 1]}, label, (name,), others=members)

    @observe("movable", "weighted")
    def _choose_weight(self, change: Any) -> None:
        """A network that is known has a weight that is chosen."""
        if self.weights and self.weight not in self.weights:
            self.weight = next(iter(self.weights))

    @observe("movable", "uncertain")
    def _choose_direction(self, change: Any) -> None:
        """An ensemble without members has directions."""
        if self.uncertain in self.movable:
            self.member = min(self.member, self.members)
            if self.direction > self.directions or (self.direction == MEMBERS and not self.members):
                self.direction = min(1, self.directions)

    @observe("weighted", "weight", "element")
    def _begin_in_the_middle(self, change: Any) -> None:
        """Another weight is where it was learned to be."""
        self.place = 0.0
        if change["name"] != "element":
            self.element = 0


def _signed(value: float, style: str) -> str:
    """A number with a minus sign, where a hyphen would stand."""
    return f"{value:{style}}".replace("-", "−")


def _index(element: int, shape: list[int]) -> str:
    """The index of a number in its parameter, counted from one, such as ``[2, 1]``; empty for a single number."""
    indices = [element // prod(shape[axis + 1 :]) % length + 1 for axis, length in enumerate(shape)]
    return f"[{', '.join(map(str, indices))}]" if indices else ""
