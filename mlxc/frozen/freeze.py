"""Make a library of frozen densities: converge each solid at every volume, keep what other functionals need.

Solids are computed on local processes or on Dask, and each is written when it is there: a library whose making was
interrupted goes on where it stopped, and what is there with the same settings is not computed again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch

from mlxc import __version__
from mlxc.errors import InputError, MlxcError
from mlxc.frozen.curve import compute_curve
from mlxc.frozen.library import FORMAT, MANIFEST, frozen_identity, solid_entry, write_manifest
from mlxc.frozen.packing import pack, unpack
from mlxc.frozen.snapshot import Snapshot
from mlxc.solids.table import Solid
from mlxc.solids.table_values import reason_of
from mlxc.utils.job_pool import finished
from mlxc.utils.replacing import replacing
from mlxc.xc.catalogue import check_name, functional
from mlxc.xc.identity import identity_of

# Functionals, one of each rung, by whose energies the error of rounding is told.
WITNESSES = ("lda", "pbe", "r2scan")
# What rounding may change of an energy, hartree per cell.
LARGEST_ROUNDING_HA = 1e-6


@dataclass(frozen=True)
class Frozen:
    """What came of one solid.

    Attributes:
        name: The name of the solid.
        content: The bytes of its file; empty where it failed.
        entry: What the library's record says of it.
        message: Why it failed; empty where it did not.
        seconds: The time that it took.
    """

    name: str
    content: bytes
    entry: dict[str, Any]
    message: str
    seconds: float


@dataclass(frozen=True)
class _Job:
    solid: Solid
    xc: str
    identity: str


def freeze(
    solids: Sequence[Solid],
    folder: Path,
    *,
    xc: str = "pbe",
    processes: int = 1,
    scheduler: str | None = None,
    on_result: Callable[[Frozen], None] | None = None,
) -> list[Frozen]:
    """Add to a library what it lacks.

    Args:
        solids: The solids; those that cohesive energies refer to among them.
        folder: The folder of the library, which is made if it is not there.
        xc: The name of the functional that makes the densities.
        processes: The number of local processes, with one thread each if there are several.
        scheduler: The address of a Dask scheduler whose workers compute instead.
        on_result: A function that is told what came of each solid.

    Returns:
        what was computed now, failures included.

    Raises:
        InputError: the functional is not known, the scheduler does not answer, or the folder holds a library of
            another functional.
        MlxcError: a worker died; what others finished is in the library.
    """
    check_name(xc)
    record = _begun(folder, xc)
    jobs = [_Job(solid, xc, frozen_identity(solid, xc)) for solid in solids]
    order = [solid.name for solid in solids]
    missing = [job for job in jobs if not _is_there(record, folder, job)]
    for job in jobs:
        if job not in missing:  # what is known of a solid may have changed, its densities have not
            record["solids"][job.solid.name] |= solid_entry(job.solid)
    write_manifest(folder, record)
    results = []
    for result in finished(_compute, missing, processes, scheduler):
        if not result.message:
            with replacing(folder / result.entry["file"]) as temporary:
                temporary.write_bytes(result.content)
            record["solids"][result.name] = result.entry
            # The order of the table, whatever finishes first.
            record["solids"] = dict(sorted(record["solids"].items(), key=lambda item: _place(item[0], order)))
            write_manifest(folder, record)
        results.append(result)
        if on_result is not None:
            on_result(result)
    return results


def _place(name: str, order: Sequence[str]) -> int:
    return order.index(name) if name in order else -1


def _begun(folder: Path, xc: str) -> dict[str, Any]:
    """The record of the library in a folder, or a new one."""
    identity = identity_of(functional(xc)).to_dict()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MANIFEST).exists():
        return {"format": FORMAT, "mlxc": __version__, "functional": identity, "solids": {}}
    try:
        record: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        known = record["functional"], record["format"], record["solids"].keys()
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise InputError(f"{str(folder / MANIFEST)!r} is damaged; take another folder, or remove it.") from None
    if known[0] != identity or known[1] != FORMAT:
        raise InputError(f"{str(folder)!r} holds a library of another functional or format; take another folder.")
    return record


def _is_there(record: dict[str, Any], folder: Path, job: _Job) -> bool:
    entry = record["solids"].get(job.solid.name, {})
    if entry.get("identity") != job.identity:
        return False
    file = folder / entry["file"]
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256"]


def _compute(job: _Job) -> Frozen:
    started, name = time.perf_counter(), job.solid.name
    content, entry, message = b"", solid_entry(job.solid), ""
    try:
        curve = compute_curve(job.solid, job.xc)
        tensors = {key: tensor.contiguous() for key, tensor in pack(curve.snapshots).items()}
        rounding = rounding_ha(curve.snapshots, unpack(tensors, None))
        if rounding > LARGEST_ROUNDING_HA:
            raise MlxcError(f"{name}: rounding changes an energy by {rounding:.1e} Ha.")
        content = safetensors.torch.save(tensors)
        entry |= {
            "file": f"{name}.safetensors",
            "sha256": hashlib.sha256(content).hexdigest(),
            "identity": job.identity,
            "settings": job.solid.identity(job.xc),
            "rounding_ha": rounding,
        }
    except MlxcError as error:
        message = str(error)
    except Exception as error:  # one solid must not end the others
        message = f"{name} ended with {type(error).__name__}: {reason_of(error)}."
    return Frozen(name, content, entry, message, time.perf_counter() - started)


def rounding_ha(exact: Sequence[Snapshot], rounded: Sequence[Snapshot]) -> float:
    """The largest change of a snapshot's energy, hartree, over functionals of three kinds."""
    changes = [
        abs(float(one.xc_energy(module).detach() - other.xc_energy(module).detach()))
        for module in map(functional, WITNESSES)
        for one, other in zip(exact, rounded, strict=True)
    ]
    return max(changes)
