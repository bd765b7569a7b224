"""Writes PseudoDojo's UPF files with the far local potential of its psp8 files, for ``acwf.py --pseudo FOLDER``.

    python benchmarks/coulomb_tail.py [--folder FOLDER] [--table pseudodojo-pbe]

Far from an ion the local potential is -Z/r. PseudoDojo's psp8 files end at 5.99 bohr, and ABINIT takes -Z/r from there
on. The UPF files of the same pseudopotentials end at 7 to 24 bohr, and r V + Z is some 5e-6 hartree bohr there, the
errors of the integrals with which they were made; copper's has 2e-3. Quantum ESPRESSO, and mlxc like it, integrates
that up to 10 bohr. It shifts the energy by a constant over the volume, hence volumes by up to a percent.
"""

from __future__ import annotations

import argparse
import re
from math import pi
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pseudodojo_files import DEFAULT_TABLE

from mlxc.crystal.crystal import Crystal
from mlxc.pseudo.files.radial import LARGEST_RADIUS, RadialPseudopotential
from mlxc.pseudo.files.reading import parse_pseudopotential
from mlxc.pseudo.files.upf import RYDBERG_HA
from mlxc.pseudo.pseudodojo import TABLES, pseudodojo_content, pseudodojo_elements

DEFAULT_FOLDER = Path.home() / ".cache" / "mlxc" / "pseudodojo-coulomb-tail"
# Bohr: the last radius of PseudoDojo's psp8 files.
END = 5.99
# Per bohr: free atoms' densities have no shorter waves that matter here.
LARGEST_WAVE = 8.0
_LOCAL = re.compile(r"(<PP_LOCAL\b[^>]*>)(.*?)(</PP_LOCAL>)", re.DOTALL)


def with_coulomb_tail(content: bytes, symbol: str) -> bytes:
    """A UPF file whose local potential is -Z/r beyond :data:`END`; the rest of it stays, byte by byte."""
    text = content.decode()
    file = parse_pseudopotential(content, symbol, symbol)
    tail = [f"{value:.10E}" for value in -file.charge / file.radius[file.radius > END] / RYDBERG_HA]
    found = _LOCAL.search(text)
    assert found is not None
    head = found[2].split()[: len(file.radius) - len(tail)]
    values = "\n".join([*head, *tail])
    return f"{text[: found.start(2)]}\n{values}\n{text[found.end(2) :]}".encode()


def energy_of_tail(file: RadialPseudopotential, crystal: Crystal) -> float:
    """What local potentials beyond :data:`END` add to the energy of one element's crystal, to first order, hartree.

    The density is the sum of those of free atoms.

    Args:
        file: The pseudopotential.
        crystal: A crystal of this element.
    """
    beyond = (file.radius > END) & (file.radius <= LARGEST_RADIUS)
    r, weight = file.radius[beyond], file.spacing[beyond]
    excess = 4 * pi * r**2 * (file.local[beyond] + file.charge / r) * weight
    waves = _waves(crystal)
    lengths, which = np.unique(np.linalg.norm(waves, axis=1).round(9), return_inverse=True)
    potential = np.sinc(np.outer(lengths, r) / pi) @ excess
    density = np.sinc(np.outer(lengths, file.radius) / pi) @ (file.atomic_density * file.spacing)
    density *= file.charge / density[0]
    phases = np.exp(-1j * waves @ (crystal.positions @ crystal.lattice).T).sum(axis=1)
    return float(np.sum(np.abs(phases) ** 2 * (potential * density)[which]) / crystal.volume)


def _waves(crystal: Crystal) -> NDArray[np.float64]:
    """The wave vectors G up to :data:`LARGEST_WAVE`, shape ``(nwave, 3)``."""
    reach = np.ceil(LARGEST_WAVE * np.linalg.norm(crystal.lattice, axis=1) / (2 * pi)).astype(int)
    indices = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    waves = indices @ crystal.reciprocal
    return waves[np.linalg.norm(waves, axis=1) <= LARGEST_WAVE]


def main() -> None:
    """Fill the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="default: %(default)s")
    parser.add_argument("--table", choices=list(TABLES), default=DEFAULT_TABLE, help="default: %(default)s")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    symbols = sorted(pseudodojo_elements(arguments.table))
    for symbol in symbols:
        content = with_coulomb_tail(pseudodojo_content(arguments.table, symbol), symbol)
        (arguments.folder / f"{symbol}.upf").write_bytes(content)
    print(f"{len(symbols)} files in {arguments.folder}: {' '.join(symbols)}")


if __name__ == "__main__":
    main()
