"""The same crystal in other codes: PySCF agrees, whatever goes wrong is a sentence, and nothing is left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from set_ups import HYDROGEN
from support import Outcome

from mlxc.calculation.calculation import Calculation
from mlxc.codes import live
from mlxc.codes.cases import case_for
from mlxc.codes.functionals import gpaw_functional, pyscf_functional
from mlxc.codes.live import ENDS, ReferenceRun
from mlxc.codes.result import CodeResult
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.response.levels import band_gap
from mlxc.tasks.comparison.result import differences
from mlxc.tasks.comparison.run import compare
from mlxc.tasks.eos.task import EquationOfStateTask

CHAIN = {
    "structure": {
        "name": "chain",
        "lattice_ang": [[2.2, 0, 0], [0, 2.2, 0], [0, 0, 4.4]],
        "species": ["H", "H"],
        "fractional_positions": [[0, 0, 0], [0, 0, 0.5]],
        "moments_bohr_magneton": [1, -1],
    }
}
ALUMINIUM = ["al", "--gaussian-basis", "gth-szv", "--kmesh", "2", "2", "2"]
# Looked for when such a test runs, since that starts processes.
needs_gpaw = pytest.mark.skipif("live.available_codes()['gpaw']", reason="GPAW is not installed")


def unwatched(_: str, __: dict[str, Any]) -> None:
    pass


def calculation(**settings: Any) -> Calculation:
    return Calculation.from_dict(HYDROGEN | settings)


def children() -> list[psutil.Process]:
    """The processes below this one, but for the one that watches what processes of other tests have shared."""
    found = psutil.Process().children(recursive=True)
    alive = [child for child in found if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if not any("resource_tracker" in word for word in child.cmdline())]


@pytest.mark.process
def test_aluminium_has_the_same_energy_in_pyscf_and_the_output_is_one_object(
    mlxc_command: Callable[..., Outcome],
) -> None:
    outcome = mlxc_command("compare", *ALUMINIUM, "--codes", "pyscf", "--json")
    assert outcome.code == 0
    result = json.loads(outcome.stdout)
    ours, theirs = result["runs"]
    assert (ours["code"], theirs["code"]) == ("mlxc", "pyscf")
    assert theirs["energy_comparable"]
    assert theirs["pseudo"] == ours["pseudo"] == "GTH-PBE-q3"
    assert theirs["free_energy_ha"] == pytest.approx(ours["free_energy_ha"], abs=1e-6)
    assert result["differences"]["pyscf"]["free_energy_ha_per_atom"] == pytest.approx(0, abs=1e-6)
    assert "PySCF" in outcome.stderr
    assert children() == []


@pytest.mark.process
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"xc": "lda", "pseudo": "gth-pbe"}, marks=pytest.mark.slow),
        {"xc": "r2scan", "smearing": "gaussian"},
        pytest.param({"xc": "0.5*pbe + 0.5*lda_xc_teter93"}, marks=pytest.mark.slow),
        pytest.param({"kmesh": [3, 1, 1]}, marks=pytest.mark.slow),
        {"spin": True, "total_moment": 0.5, "smearing": "gaussian"},
        CHAIN | {"spin": True, "kmesh": [2, 2, 1]},
    ],
    ids=["lda", "meta-GGA", "a sum", "an odd number of electrons", "a held moment", "an antiferromagnet"],
)
def test_hydrogen_has_the_same_energy_in_pyscf(settings: dict[str, Any]) -> None:
    ours, theirs = compare(calculation(**settings), ["pyscf"], unwatched).runs
    assert theirs.message == ""
    assert theirs.energy_comparable
    assert theirs.free_energy_ha == pytest.approx(ours.free_energy_ha, abs=1e-6)
    if settings.get("spin"):
        assert theirs.magnetisation_bohr_magneton == pytest.approx(ours.magnetisation_bohr_magneton, abs=1e-3)


@pytest.mark.process
def test_an_equation_of_state_is_the_same_in_pyscf() -> None:
    crystal = HYDROGEN["structure"] | {"lattice_ang": (1.75 * np.eye(3)).tolist()}
    task = EquationOfStateTask.from_dict(
        {"calculation": HYDROGEN | {"structure": crystal, "kmesh": [2, 2, 2]}, "points": 4}
        | {"lowest_volume": 0.85, "highest_volume": 1.2}
    )
    comparison = compare(task, ["pyscf"], unwatched)
    assert comparison.message == ""
    off = comparison.summary()["differences"]["pyscf"]
    assert off["lattice_constant_percent"] == pytest.approx(0, abs=1e-4)
    assert off["bulk_modulus_percent"] == pytest.approx(0, abs=1e-3)
    assert off["bulk_modulus_derivative_percent"] == pytest.approx(0, abs=1e-2)
    assert off["free_energy_ha_per_atom"] == pytest.approx(0, abs=1e-7)


def test_a_code_that_lacks_the_functional_computes_pbe_and_says_so() -> None:
    case = case_for("pyscf", calculation(xc="pbe-proxy"))
    assert case.xc == "pbe"
    assert case.data["xc"] == "gga_x_pbe,gga_c_pbe"
    assert case.note == "PySCF has no functional pbe-proxy; it computes PBE instead."
    assert not case.energy_comparable


def test_beside_plane_waves_pyscf_takes_the_default_gaussians_and_says_so() -> None:
    case = case_for("pyscf", Calculation.from_dict({"structure": "si"}))
    assert case.data["basis"] == {"Si": "gth-dzvp-molopt-sr"}
    assert "PySCF has no plane waves" in case.note
    assert not case.energy_comparable


@pytest.mark.process
def test_what_pyscf_cannot_do_is_a_sentence_and_the_other_results_are_kept() -> None:
    cold = compare(calculation(smearing="marzari-vanderbilt"), ["pyscf"], unwatched)
    assert cold.runs[0].converged
    assert cold.runs[1].message.startswith("PySCF has no Marzari-Vanderbilt smearing")
    assert not cold.converged
    with pytest.raises(InputError, match="whole number"):
        case_for("pyscf", calculation(spin=True, total_moment=0.1))


@pytest.mark.process
def test_what_does_not_converge_elsewhere_is_said_and_gives_exit_code_3(
    mlxc_command: Callable[..., Outcome], tmp_path: Path
) -> None:
    Crystal.from_dict(HYDROGEN["structure"]).to_ase().write(tmp_path / "hydrogen.xyz", format="extxyz")
    run = ["compare", "hydrogen.xyz", "--gaussian-basis", "gth-szv", "--ecut", "8", "--kmesh", "2", "2", "1"]
    outcome = mlxc_command(*run, "--codes", "pyscf", "--max-iterations", "1", "--xc", "pbe-proxy")
    assert outcome.code == 3
    assert "PySCF has no functional pbe-proxy; it computes PBE instead." in outcome.stdout
    assert "PySCF: the SCF did not converge in 1 steps." in outcome.stdout
    assert "not comparable" in outcome.stdout


def test_names_of_functionals_in_other_codes() -> None:
    assert pyscf_functional("LDA") == "lda_x,lda_c_pw"
    assert pyscf_functional("gga_x_b88,gga_c_lyp") == "gga_x_b88,gga_c_lyp"
    assert pyscf_functional("0.75*pbe - 0.25*lda_x") == "0.75*gga_x_pbe+0.75*gga_c_pbe-0.25*lda_x"
    assert pyscf_functional("pbe + solids-mgga") is None
    assert gpaw_functional("rpbe") == "RPBE"
    assert gpaw_functional("gga_x_b88,gga_c_lyp") == "GGA_X_B88+GGA_C_LYP"
    assert gpaw_functional("blyp") is None
    assert gpaw_functional("0.5*pbe") is None


def test_bands_that_overlap_have_no_gap_with_fixed_occupations_either() -> None:
    compressed = HYDROGEN["structure"] | {
        "lattice_ang": [[1.6, 0, 0], [0, 1.6, 0], [0, 0, 3.2]],
        "species": ["H", "H"],
        "fractional_positions": [[0, 0, 0], [0, 0, 0.5]],
    }
    metal = calculation(structure=compressed, kmesh=[2, 2, 2], smearing="none")
    assert float(band_gap(metal.run()).detach()) < -0.1
    assert compare(metal, [], unwatched).runs[0].gap_ev == 0


def test_energies_with_another_zero_have_no_difference() -> None:
    ours = CodeResult("mlxc", "1", "pbe", "", "", True, "", free_energy_ha=-2.0, energy_comparable=True, gap_ev=1.0)
    theirs = CodeResult("gpaw", "1", "pbe", "", "", True, "", free_energy_ha=-0.1, gap_ev=1.5)
    found = differences(theirs, ours, natoms=1)
    assert found["free_energy_ha_per_atom"] is None
    assert found["gap_ev"] == pytest.approx(0.5)


def long_case(code: str = "pyscf") -> dict[str, Any]:
    nickel = {"structure": "ni", "basis": "gaussian", "spin": True, "smearing": "gaussian", "width_ha": 0.01}
    return case_for(code, Calculation.from_dict(nickel)).data


@pytest.mark.process
@pytest.mark.timed
@pytest.mark.parametrize("code", ["pyscf", pytest.param("gpaw", marks=needs_gpaw)])
def test_a_run_is_stopped_at_once_and_leaves_nothing(code: str) -> None:
    with ReferenceRun(code, long_case(code)) as run:
        time.sleep(3)
        running = children()
        assert running
        started = time.monotonic()
        run.stop()
        assert time.monotonic() - started < 2
        assert not [process for process in running if process.is_running() and process.status() != "zombie"]
        (last,) = [record for record in run.records() if record["kind"] in ENDS]
        assert last["message"].endswith(" was stopped.")


@pytest.mark.process
def test_a_run_whose_owner_dies_ends_itself() -> None:
    code = (
        "import json, sys, time; from mlxc.codes.live import ReferenceRun;"
        "run = ReferenceRun('pyscf', json.loads(sys.stdin.read()));"
        "print(run._process.pid, run._folder.name, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdin is not None
        assert it.stdout is not None
        it.stdin.write(json.dumps(long_case()))
        it.stdin.close()
        number, folder = it.stdout.readline().split()
        pid = int(number)
        time.sleep(2)
        it.kill()
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "still running"
        time.sleep(0.05)
    assert not Path(folder).exists()


@pytest.mark.process
def test_a_process_that_is_killed_is_a_failure_with_a_sentence() -> None:
    with ReferenceRun("pyscf", long_case()) as run:
        os.kill(children()[0].pid, signal.SIGKILL)
        assert [record["kind"] for record in run.records()] == ["failure"]


@pytest.mark.process
def test_an_error_inside_a_code_is_a_failure_with_a_sentence() -> None:
    case = case_for("pyscf", calculation()).data | {"basis": {"H": "no-such-set"}}
    with ReferenceRun("pyscf", case) as run:
        (last,) = run.records()
    assert last["kind"] == "failure"
    assert last["message"].startswith("PySCF failed: ")
    assert "\n" not in last["message"]


@pytest.mark.process
def test_an_interruption_ends_the_other_code(
    mlxc_command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: ReferenceRun) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ReferenceRun, "records", interrupted)
    outcome = mlxc_command(
        "compare", "si", "--basis", "pw", "--ecut", "5", "--kmesh", "1", "1", "1", "--codes", "pyscf"
    )
    assert (outcome.code, outcome.stdout) == (130, "")
    assert children() == []


def test_a_code_that_is_not_installed_is_a_sentence(
    mlxc_command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_python_with", lambda package: None if package == "gpaw" else sys.executable)
    outcome = mlxc_command("compare", *ALUMINIUM, "--codes", "pyscf", "gpaw", "--json")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("mlxc: codes: GPAW is not installed; get it with ")
    assert "no code 'vasp'" in mlxc_command("compare", *ALUMINIUM, "--codes", "vasp").stderr
    assert "give --eos" in mlxc_command("compare", *ALUMINIUM, "--points", "5").stderr


@pytest.mark.process
@needs_gpaw
def test_gpaw_has_the_same_gap_and_forces_in_plane_waves() -> None:
    silicon = Calculation.from_dict({"structure": "si", "kmesh": [2, 2, 2]})
    moved = silicon.structure | {"fractional_positions": [[0, 0, 0], [0.26, 0.25, 0.24]]}
    ours, theirs = compare(silicon.model_copy(update={"structure": moved}), ["gpaw"], unwatched).runs
    assert theirs.converged
    assert not theirs.energy_comparable
    assert theirs.gap_ev == pytest.approx(ours.gap_ev, abs=0.01)
    assert ours.forces_ha_bohr is not None
    assert theirs.forces_ha_bohr is not None
    assert np.abs(ours.forces_ha_bohr).max() > 5e-3
    assert np.allclose(theirs.forces_ha_bohr, ours.forces_ha_bohr, atol=1e-3)


@pytest.mark.process
@needs_gpaw
def test_gpaw_that_does_not_converge_keeps_what_it_has() -> None:
    result = compare(calculation(max_iterations=3), ["gpaw"], unwatched).runs[1]
    assert result.message == "GPAW: the SCF did not converge in 3 steps."
    assert result.free_energy_ha is not None
