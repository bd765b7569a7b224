"""Moments of atoms add up to that of the cell, and mirror each other where the atoms do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.properties.atomic_moments import atomic_moments


@cache
def hydrogen(first: float, second: float, shift: float = 0.0) -> GroundState:
    """Two atoms of hydrogen in a row, which start with these moments."""
    crystal = Crystal(np.diag([10.0, 7.0, 7.0]), ["H", "H"], [[shift, 0, 0], [0.5 + shift, 0, 0]], [first, second])
    return mlxc.scf(
        crystal,
        basis=PlaneWaves(4.0),
        kmesh=(2, 1, 1),
        smearing=FermiDirac(0.005),
        spin=True,
        pseudo="gth",
        differentiate=None,
    )


def moments(ground: GroundState) -> list[float]:
    shares = atomic_moments(ground)
    assert shares is not None
    found: list[float] = shares.tolist()
    return found


def test_moments_of_atoms_add_up_to_the_magnetisation() -> None:
    ground = hydrogen(1, 0.5)
    assert ground.magnetisation is not None
    assert abs(ground.magnetisation) > 1
    assert sum(moments(ground)) == pytest.approx(ground.magnetisation, abs=1e-9)


def test_mirror_atoms_of_an_antiferromagnet_have_opposite_moments() -> None:
    first, second = moments(hydrogen(1, -1))
    assert abs(first) > 0.5
    assert first == pytest.approx(-second, abs=1e-6)


def test_a_lone_atom_has_the_moment_of_the_cell() -> None:
    alone = mlxc.scf(
        Crystal(7.0 * np.eye(3), ["H"], [[0.1, 0.2, 0.3]], [1]),
        basis=PlaneWaves(4.0),
        kmesh=(1, 1, 1),
        smearing=FermiDirac(0.005),
        spin=True,
        pseudo="gth",
        differentiate=None,
    )
    assert moments(alone) == pytest.approx([alone.magnetisation], abs=1e-9)


def test_moments_do_not_change_when_the_crystal_is_moved() -> None:
    assert moments(hydrogen(1, -1, 0.05)) == pytest.approx(moments(hydrogen(1, -1)), abs=2e-3)


def test_without_spin_there_are_no_moments() -> None:
    plain = mlxc.scf(
        Crystal(7.0 * np.eye(3), ["He"], [[0, 0, 0]]), basis=PlaneWaves(4.0), kmesh=(1, 1, 1), pseudo="gth"
    )
    assert atomic_moments(plain) is None
    assert plain.summary()["atomic_moments_bohr_magneton"] is None
    assert plain.summary()["absolute_magnetisation_bohr_magneton"] is None


def test_a_state_and_its_file_tell_the_moments_of_the_atoms(tmp_path: Path) -> None:
    ground = hydrogen(1, -1)
    told = ground.summary()["atomic_moments_bohr_magneton"]
    assert told == pytest.approx(moments(ground), abs=1e-12)
    # Where the two atoms do not overlap, each has one sign.
    assert ground.absolute_magnetisation == pytest.approx(sum(map(abs, told)), rel=0.1)
    ground.save(tmp_path / "state.h5")
    read = GroundState.load(tmp_path / "state.h5")
    assert read.atomic_moments is not None
    assert read.atomic_moments.tolist() == told
    assert read.absolute_magnetisation == ground.absolute_magnetisation
