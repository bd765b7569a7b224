"""The systems whose energies another plane-wave code has computed at the same discretisation, and their states here."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mlxc import Calculation, Crystal, GroundState

REFERENCE: dict[str, Any] = json.loads((Path(__file__).with_name("data") / "plane_wave_energies.json").read_text())
SYSTEMS = {system["name"]: system for system in REFERENCE["systems"]}
UNPOLARISED = ["al", "si", "si-lda", "si-displaced", "graphene", "ca", "mgo"]
# One metal and one insulator are quick enough for every change.
MARKS = {"al": (), "si": (), "ca": pytest.mark.slow}
CASES = [pytest.param(name, marks=MARKS.get(name, pytest.mark.thorough)) for name in UNPOLARISED]


def calculation(name: str) -> Calculation:
    """The calculation behind a reference figure."""
    system = SYSTEMS[name]
    names = {symbol: label.split()[0] for symbol, label in system["pseudopotentials"].items()}
    labels = " ".join(system["pseudopotentials"].values())
    dojo = "PseudoDojo" in labels
    crystal = Crystal(system["lattice_bohr"], system["species"], system["fractional_positions"], name=name)
    return Calculation.from_dict(
        {
            "structure": crystal,
            "xc": system["xc"].split()[0],
            "ecut_ha": system["ecut_ha"],
            "kmesh": system["kmesh_gamma_centred"],
            "smearing": system["smearing"] or "none",
            "spin": system["spin_polarised"],
            "width_ha": system["width_ha"],
            "pseudo": "pseudodojo"
            if dojo
            else "gth-uzh"
            if "UZH" in labels
            else "gth-pade"
            if "PADE" in labels
            else "gth-pbe",
            "pseudo_names": {} if dojo else names,
            "fft_grid": system["fft_grid"],
        }
    )


@cache
def ground_state(name: str) -> GroundState:
    """The result of the calculation, computed once for all tests."""
    return calculation(name).run()
