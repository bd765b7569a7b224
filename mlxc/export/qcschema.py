"""A result in the form of QCSchema, the JSON in which programs of quantum chemistry exchange molecules and results.

QCSchema (version 1 of ``qcschema_output``, https://molssi-qc-schema.readthedocs.io) describes molecules and has no
fields for a crystal. What it has stands where it belongs, per cell; the lattice and whatever else only crystals have
are in ``extras``, where the schema allows further fields. ``docs/qcschema.md`` lists both. Read and written without
torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import mlxc
from mlxc.basis.kinds import BASES
from mlxc.crystal.crystal import Crystal

if TYPE_CHECKING:
    from mlxc.kohn_sham.solved_state import SolvedState

# Settings that have a place of their own.
ELSEWHERE = ("structure", "xc", "basis", "gaussian_basis")


def qcschema_of(ground: SolvedState) -> dict[str, Any]:
    """A ground state as ``qcschema_output``, ready for ``json.dumps``."""
    return qcschema_output(ground.crystal, ground.calculation, ground.summary())


def qcschema_output(crystal: Crystal, settings: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    """A result as ``qcschema_output``.

    Args:
        crystal: What was computed.
        settings: The calculation as plain data, see :class:`mlxc.Calculation`.
        summary: The result as plain data, see :meth:`~mlxc.kohn_sham.solved_state.SolvedState.summary`.
    """
    output = {
        "schema_name": "qcschema_output",
        "schema_version": 1,
        "molecule": _molecule(crystal),
        "driver": "energy",
        "model": {"method": settings["xc"], "basis": BASES[settings["basis"]].in_words(settings)},
        "keywords": {name: value for name, value in settings.items() if name not in ELSEWHERE and value is not None},
        "properties": _properties(crystal, summary),
        "return_result": summary["free_energy_ha"],
        "success": summary["converged"],
        "provenance": _provenance(),
        "extras": {"mlxc": {name: value for name, value in summary.items() if name != "calculation"}},
    }
    if not summary["converged"]:
        output["error"] = {"error_type": "convergence_error", "error_message": summary["message"]}
    return output


def _molecule(crystal: Crystal) -> dict[str, Any]:
    """The atoms of one cell; who reads it must not turn or shift them, since the lattice would stay behind."""
    return {
        "schema_name": "qcschema_molecule",
        "schema_version": 2,
        "name": crystal.name,
        "comment": "One cell of a crystal; its lattice vectors are in extras.",
        "symbols": list(crystal.species),
        "geometry": (crystal.positions @ crystal.lattice).ravel().tolist(),
        "molecular_charge": 0.0,
        "fix_com": True,
        "fix_orientation": True,
        "provenance": _provenance(),
        "extras": {
            "periodic": [True, True, True],
            "lattice_bohr": crystal.lattice.tolist(),
            "fractional_positions": crystal.positions.tolist(),
            "moments_bohr_magneton": crystal.moments.tolist(),
        },
    }


def _properties(crystal: Crystal, summary: Mapping[str, Any]) -> dict[str, Any]:
    energy = summary["free_energy_ha"]
    properties = {
        "calcinfo_natom": len(crystal.species),
        "return_energy": energy,
        "scf_total_energy": energy,
        "scf_xc_energy": summary["energies_ha"]["xc"],
        "scf_iterations": summary["iterations"],
    }
    if summary["forces_ha_bohr"] is not None:
        gradient = (-np.array(summary["forces_ha_bohr"])).ravel().tolist()
        properties |= {"return_gradient": gradient, "scf_total_gradient": gradient}
    return properties


def _provenance() -> dict[str, str]:
    return {"creator": "mlxc", "version": mlxc.__version__, "routine": "mlxc.scf"}
