"""What published functionals say of densities, computed by their authors' programs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

TESTS = Path(__file__).resolve().parent
# A few values of each are here; all of them, and the published files, lie beside a checkout of the project's workplace.
SHARED = [folder / "shared" / "published_functionals" for folder in TESTS.parents[1:4]]
FILES = {
    "pcnn": "pcNN", "xcdiff": "XCDIFF", "hm-lda": "HM_LDA", "hm-gga": "HM_GGA", "hm-mgga": "HM_MGGA",
    "kanungo-nnlda": "NNLDA", "kanungo-nngga": "NNGGA", "kanungo-nngga-ueg": "NNGGA_UEG",
}  # fmt: skip
SETS = ("kept", "all")
SPINS = ("up", "dn")


def shared_folder() -> Path:
    """Where all values and the published files lie; the test is skipped where they do not."""
    found = next((folder for folder in SHARED if folder.is_dir()), None)
    if found is None:
        pytest.skip("the published files and all reference values (shared/published_functionals) are not here")
    return found


@cache
def reference_values(name: str, kind: str) -> dict[str, Any]:
    """The values of a functional, by ``unpolarised`` and ``polarised``; ``kind`` is one of :data:`SETS`."""
    if kind == "all":
        values: dict[str, Any] = json.loads((shared_folder() / f"{FILES[name]}_reference.json").read_text())
        return values
    kept: dict[str, Any] = json.loads((TESTS / "data" / "published_functionals.json").read_text())[name]
    return kept


def column(block: dict[str, Any], name: str) -> Tensor:
    """A column of numbers, NaN where the original has none; vectors have the shape ``(3, npoint)``."""
    rows = [float("nan") if value is None else value for value in block[name]]
    values = torch.tensor(rows, dtype=torch.float64)
    return values.movedim(-1, 0).contiguous() if values.dim() > 1 else values


def ingredients_of(block: dict[str, Any], nspin: int) -> dict[str, Tensor]:
    """The densities of a block, as a functional takes them."""
    found = {}
    for name in ("rho", "grad", "tau"):
        field = torch.stack([column(block, f"{name}_{spin}") for spin in SPINS])
        found[name] = (field if nspin == 2 else field.sum(0, keepdim=True)).requires_grad_()
    return found


def expected_derivatives(block: dict[str, Any], ingredients: dict[str, Tensor]) -> dict[str, Tensor]:
    """The derivatives of the energy per volume with respect to each ingredient that the original depends on."""
    spins = SPINS if len(ingredients["rho"]) == 2 else (None,)
    found = {
        name: torch.stack([_derivative(block, name, spin) for spin in spins])
        for name in ("rho", "tau")
        if _has(block, name, spins[0])
    }
    if _has(block, "sigma", "uu"):
        up, down = ingredients["grad"].detach()
        uu, ud, dd = (_derivative(block, "sigma", pair) for pair in ("uu", "ud", "dd"))
        found["grad"] = torch.stack([2 * uu * up + ud * down, ud * up + 2 * dd * down])
    elif _has(block, "sigma", None):
        found["grad"] = 2 * _derivative(block, "sigma", None) * ingredients["grad"].detach()
    return found


def _name(variable: str, spin: str | None) -> str:
    return f"v_{variable}" if spin is None else f"v_{variable}_{spin}"


def _has(block: dict[str, Any], variable: str, spin: str | None) -> bool:
    return _name(variable, spin) in block or f"{_name(variable, spin)}_x" in block


def _derivative(block: dict[str, Any], variable: str, spin: str | None) -> Tensor:
    """A derivative, which some have for exchange and for correlation apart."""
    name = _name(variable, spin)
    return column(block, name) if name in block else column(block, f"{name}_x") + column(block, f"{name}_c")
