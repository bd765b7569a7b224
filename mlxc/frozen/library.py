"""A library of frozen densities: curves of many solids in a folder, with the record of how they were made.

The folder has a file of tensors for each solid (:mod:`mlxc.frozen.packing`) and ``library.json``, which holds crystals,
references, settings, versions, the functional of the densities, and the hash of each file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.frozen.curve import SolidCurve, protocol
from mlxc.frozen.energy_difference import EnergyDifference
from mlxc.frozen.packing import PACKED, unpack
from mlxc.solids.table import Solid
from mlxc.utils.assets import asset_path
from mlxc.utils.replacing import replacing
from mlxc.xc.catalogue import content_hashes
from mlxc.xc.identity import FunctionalIdentity

MANIFEST = "library.json"
FORMAT = 1
# The shipped library: the folder's name in the assets.
SHIPPED = "frozen"


class FrozenLibrary:
    """Curves that are read when they are asked for.

    Args:
        folder: The folder with ``library.json``; by default the library that comes with mlxc.

    Raises:
        InputError: there is no library, or its record cannot be read.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = asset_path(SHIPPED) if folder is None else Path(folder)
        try:
            content = (self.folder / MANIFEST).read_bytes()
        except OSError:
            raise InputError(
                f"There is no library of frozen densities in {str(self.folder)!r}; mlxc freeze makes one."
            ) from None
        try:
            self.record: dict[str, Any] = json.loads(content)
            if self.record["format"] != FORMAT:
                raise InputError(f"{self.folder.name}: the library has another format than this version of mlxc reads.")
            self._solids = {name: _solid(name, entry) for name, entry in self.record["solids"].items()}
            self.functional = FunctionalIdentity(**self.record["functional"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{self.folder.name}: the record of this library, {MANIFEST}, is damaged ({type(error).__name__})."
            ) from None
        self.hash = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._curves: dict[str, SolidCurve] = {}

    @property
    def solids(self) -> dict[str, Solid]:
        """All solids by name: crystals, atoms in boxes, and what is known of them."""
        return self._solids

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the solids that have an equation of state."""
        return tuple(name for name, solid in self._solids.items() if not solid.rigid)

    def chosen(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Some solids of :attr:`names`, each once; all by default.

        Raises:
            InputError: one of them is not in the library.
        """
        wanted = self.names if names is None else tuple(dict.fromkeys(names))
        for name in wanted:
            if name not in self.names:
                raise InputError(f"solids: the library has no {name[:100]!r}; it has {', '.join(self.names)}.")
        return wanted

    def curve(self, name: str) -> SolidCurve:
        """The frozen densities of one solid.

        Raises:
            InputError: its file is missing or has changed.
        """
        if name not in self._curves:
            tensors = self._tensors(name)
            self._curves[name] = SolidCurve(self._solids[name], unpack(tensors, self.functional))
        return self._curves[name]

    def curve_of(self, solid: Solid, xc: str) -> SolidCurve | None:
        """The frozen densities of a solid, if they are those that this functional would make of it; else None.

        Args:
            solid: A solid, whose references need not be those of the library.
            xc: The name of the functional.

        Raises:
            InputError: the file of its densities is missing or has changed.
        """
        entry = self.record["solids"].get(solid.name)
        if entry is None or xc != self.functional.name or entry.get("identity") != frozen_identity(solid, xc):
            return None
        return SolidCurve(solid, self.curve(solid.name).snapshots)

    def difference(self, name: str) -> EnergyDifference | None:
        """A solid beside the atoms that its cohesive energy is compared with; None where the library lacks them.

        Raises:
            InputError: a file is missing or has changed.
        """
        solid = self._solids[name]
        if not solid.relative_to or not self._solids.keys() >= solid.relative_to.keys():
            return None
        return EnergyDifference(self.curve(name), {other: self.curve(other) for other in solid.relative_to})

    def _tensors(self, name: str) -> dict[str, Tensor]:
        entry = self.record["solids"][name]
        try:
            content = (self.folder / entry["file"]).read_bytes()
            if hashlib.sha256(content).hexdigest() == entry["sha256"]:
                tensors: dict[str, Tensor] = safetensors.torch.load(content)
                return {key: tensors[key] for key in PACKED}
        except (OSError, SafetensorError, KeyError):
            pass
        raise InputError(f"The stored densities of {name} are missing or damaged.")


def write_manifest(folder: Path, record: dict[str, Any]) -> None:
    """Write ``library.json``, replacing it at once when it is complete."""
    with replacing(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def solid_entry(solid: Solid) -> dict[str, Any]:
    """What the record of a library says of a solid; paths and settings that only computing needs are left out."""
    return {
        "crystal": solid.crystal.to_dict(),
        "references": solid.references,
        "relative_to": solid.relative_to,
        "rigid": solid.rigid,
    } | ({"is_free_atom": True} if solid.is_free_atom else {})


def frozen_identity(solid: Solid, xc: str) -> str:
    """The hash of all that makes the stored densities of a solid what they are.

    Args:
        solid: The solid.
        xc: The name of the functional that makes the densities.
    """
    try:
        described: Any = solid.identity(xc)
    except (InputError, OSError):  # which the computation meets as well, and tells
        described = [solid.crystal.to_dict(), solid.settings]
    plain = json.dumps([described, protocol(solid), xc, content_hashes(xc)], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _solid(name: str, entry: dict[str, Any]) -> Solid:
    return Solid(
        name=name,
        crystal=Crystal.from_dict(entry["crystal"]),
        references=entry["references"],
        relative_to=entry["relative_to"],
        rigid=entry["rigid"],
        is_free_atom=entry.get("is_free_atom", False),
    )
