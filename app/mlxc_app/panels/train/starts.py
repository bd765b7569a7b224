"""Where a training can begin, as a person chooses it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlxc.xc.catalogue import functional_groups
from mlxc_app.choose.own.checkpoints import own_checkpoints


@dataclass(frozen=True)
class Start:
    """A place to begin.

    Attributes:
        label: What a person reads.
        rung: The rung of a fresh network; empty if the start is a functional that is there.
        functional: Its name or file.
        rate: The step size that suits it.
    """

    label: str
    rung: str = ""
    functional: str = ""
    rate: float = 0.002

    def settings(self, width: int) -> dict[str, Any]:
        """The part of a configuration that says so, with a network of two layers of this width."""
        return {"network": {"rung": self.rung, "hidden": [width, width]}} if self.rung else {"start": self.functional}

    @property
    def short(self) -> str:
        """What it is in a title."""
        return f"fresh {self.rung.upper()} network" if self.rung else Path(self.functional).stem


KAPPA_MU = Start("PBE, its κ and μ", functional="pbe-kappa-mu", rate=0.01)
UNCONSTRAINED = "bulk-unconstrained"


def starts(owner: str) -> list[Start]:
    """All of them: two numbers of PBE, fresh networks, those that come with mlxc, and those of the visitor."""
    networks = functional_groups()["Networks"]
    others = [name for name in networks if name != UNCONSTRAINED]
    return [
        KAPPA_MU,
        Start("a fresh GGA network, constrained", rung="gga"),
        Start("a fresh meta-GGA network, constrained", rung="mgga"),
        Start("DeepChem's NNPBE, unconstrained", functional=UNCONSTRAINED, rate=0.0005),
        *(Start(name, functional=name, rate=0.0005) for name in others),
        *(Start(f"{path.stem} (yours)", functional=str(path), rate=0.0005) for path in own_checkpoints(owner)),
    ]
