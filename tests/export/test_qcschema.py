"""A result as QCSchema says what the result says, and is what the schema of molecules allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qcelemental.models import AtomicResult
from support import Outcome

import mlxc
from mlxc import Calculation, Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.export.files import EXPORTS
from mlxc.export.qcschema import qcschema_of
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute

DISTORTED = Crystal(
    [[0, 5.13, 5.13], [5.13, 0, 5.13], [5.13, 5.13, 0]], ["Si", "Si"], [[0.01, 0.0, 0.0], [0.25, 0.25, 0.25]]
)
TASK = Calculation.from_dict({"structure": DISTORTED, "ecut_ha": 5, "kmesh": [1, 1, 1], "pseudo": "gth"})


@pytest.fixture(scope="module")
def ground() -> GroundState:
    """Of silicon with forces on its atoms."""
    return TASK.run()


def test_energy_gradient_and_cell_are_those_of_the_result(ground: GroundState) -> None:
    output = json.loads(json.dumps(qcschema_of(ground)))
    assert (output["schema_name"], output["schema_version"]) == ("qcschema_output", 1)
    assert output["return_result"] == output["properties"]["return_energy"] == float(ground.energy)
    assert ground.forces is not None
    assert np.reshape(output["properties"]["return_gradient"], (2, 3)) == pytest.approx(-ground.forces.numpy())
    assert np.abs(output["properties"]["return_gradient"]).max() > 1e-3
    molecule = output["molecule"]
    lattice = np.array(molecule["extras"]["lattice_bohr"])
    again = Crystal(lattice, molecule["symbols"], np.reshape(molecule["geometry"], (2, 3)) @ np.linalg.inv(lattice))
    assert again.species == DISTORTED.species
    assert again.lattice == pytest.approx(DISTORTED.lattice)
    assert again.positions == pytest.approx(DISTORTED.positions)
    assert output["extras"]["mlxc"]["stress_ha_bohr3"] == ground.summary()["stress_ha_bohr3"]
    assert output["provenance"] == {"creator": "mlxc", "version": mlxc.__version__, "routine": "mlxc.scf"}


def test_model_and_keywords_make_the_same_calculation(ground: GroundState) -> None:
    output = json.loads(json.dumps(qcschema_of(ground)))
    assert output["model"] == {"method": "pbe", "basis": "plane waves"}
    settings = {"xc": output["model"]["method"], "structure": DISTORTED, **output["keywords"]}
    assert Calculation.from_dict(settings) == TASK


def test_the_library_of_the_schema_accepts_it(ground: GroundState) -> None:
    result = AtomicResult(**qcschema_of(ground))
    assert result.return_result == float(ground.energy)
    assert result.molecule.geometry == pytest.approx(DISTORTED.positions @ DISTORTED.lattice)
    assert result.properties.return_gradient.shape == (2, 3)


def test_a_state_that_was_computed_in_python_tells_its_settings_as_well() -> None:
    ground = mlxc.scf(
        Crystal.load("al"), basis=PlaneWaves(4.0), kmesh=(1, 1, 1), smearing=FermiDirac(0.02), pseudo="gth",
        max_iterations=1,
    )  # fmt: skip
    output = json.loads(json.dumps(qcschema_of(ground)))
    assert output["model"] == {"method": "pbe", "basis": "plane waves"}
    assert output["keywords"]["ecut_ha"] == 4.0
    assert not output["success"]
    assert "return_gradient" not in output["properties"]
    assert output["error"] == {"error_type": "convergence_error", "error_message": ground.message}


def test_a_run_is_exported_and_an_equation_of_state_has_no_place_in_it(
    tmp_path: Path, mlxc_command: Callable[..., Outcome]
) -> None:
    folder = RunFolder.create(TASK, "silicon", tmp_path)
    execute(folder)
    outcome = mlxc_command("export", str(folder.path), "--to", "qcschema")
    assert outcome.code == 0
    output = json.loads(Path(outcome.stdout.strip()).read_text())
    assert folder.result is not None
    assert output["return_result"] == folder.result["free_energy_ha"]
    assert output["molecule"]["symbols"] == ["Si", "Si"]
    curve = RunFolder.create(mlxc.EquationOfStateTask.from_dict({"calculation": {"structure": "si"}}), "", tmp_path)
    curve.write_result({"converged": True})
    assert EXPORTS["qcschema"].make(curve) == {}
