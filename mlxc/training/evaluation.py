"""Equations of state of many solids with several functionals, on local processes or a cluster, in any order.

Each result is appended to a file when it arrives, and what is in the file is not computed again: a sweep that is
interrupted goes on where it stopped. What failed is tried again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from mlxc.errors import InputError, MlxcError
from mlxc.frozen.curve import compute_curve, protocol
from mlxc.solids.known_quantities import reference_curve
from mlxc.solids.table import Solid
from mlxc.solids.table_values import reason_of
from mlxc.utils.job_pool import finished
from mlxc.utils.json_lines import read_json_lines, write_json_lines
from mlxc.xc.catalogue import check_name, content_hashes, functional
from mlxc.xc.identity import identity_of

RESULTS = "results.jsonl"

Record = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One solid with one functional.

    Attributes:
        solid: The solid to compute.
        xc: The name of the functional, or a module that is one, which another process can unpickle.
        name: The name of the functional.
        identity: The identity of what would be computed: a checkpoint or a pseudopotential that has changed makes
            another one.
        pseudopotentials: The names of the pseudopotentials by element.
    """

    solid: Solid
    xc: str | nn.Module
    name: str
    identity: str
    pseudopotentials: dict[str, str]

    @classmethod
    def of(cls, solid: Solid, xc: str | nn.Module) -> Job:
        """The job of a solid that may turn out to be none that can be computed."""
        if isinstance(xc, str):
            name, functional_identity = xc, [xc, *content_hashes(xc)]
        else:
            name, content_hash = astuple(identity_of(xc))
            functional_identity = [name, content_hash]
        try:
            described = solid.identity(xc if isinstance(xc, str) else "pbe")
        except (InputError, OSError):  # which the computation meets as well, and puts into its record
            described = {"crystal": solid.crystal.to_dict(), "settings": solid.settings, "pseudopotentials": {}}
        curve = reference_curve(solid)
        described |= {
            "solid": solid.name,
            "xc": functional_identity,
            "protocol": protocol(solid),
            "reference_curve": None if curve is None else asdict(curve),
        }
        names = {symbol: entry["name"] for symbol, entry in described["pseudopotentials"].items()}
        return cls(solid, xc, name, json.dumps(described, sort_keys=True), names)

    @property
    def labels(self) -> Record:
        """What a record says of its job; references may change without another computation."""
        return {
            "identity": self.identity,
            "solid": self.solid.name,
            "xc": self.name,
            "pseudopotentials": self.pseudopotentials,
            "references": self.solid.references,
        }


def evaluate(
    solids: Sequence[Solid],
    functionals: Sequence[str | nn.Module],
    folder: Path,
    *,
    processes: int = 1,
    scheduler: str | None = None,
    on_result: Callable[[Record], None] | None = None,
) -> list[Record]:
    """Compute what is missing, and return the records of all solids and functionals, each once.

    Args:
        solids: The solids to compute; rigid ones, which have no equation of state, are left out.
        functionals: Names, or modules, which are recorded by the names and contents of their own.
        folder: The folder for ``results.jsonl``.
        processes: The number of local processes, with one thread each if there are several.
        scheduler: The address of a Dask scheduler whose workers compute instead.
        on_result: A function that is told each record when it is there.

    Raises:
        InputError: a functional is not known, two of them have the same name, the scheduler does not answer, or all
            solids are rigid.
        MlxcError: a worker died; what the others finished is in the file.
    """
    _check_functionals(functionals)
    flexible = [solid for solid in solids if not solid.rigid]
    if not flexible:
        raise InputError("None of the solids has an equation of state: all of them are rigid.")
    found = [Job.of(solid, xc) for xc in functionals for solid in flexible]
    jobs = {job.identity: job for job in found}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RESULTS
    stored = {
        identity: record for record in read_json_lines(path) if isinstance(identity := record.get("identity"), str)
    }
    known = {key: record for key, record in stored.items() if key not in jobs or record.get("message") == ""}
    write_json_lines(path, list(known.values()))
    missing = [job for job in jobs.values() if job.identity not in known]
    with path.open("a", encoding="utf-8", buffering=1) as file:
        for record in finished(compute, missing, processes, scheduler):
            file.write(json.dumps(record) + "\n")
            known[record["identity"]] = record
            if on_result is not None:
                on_result(record)
    return [known[job.identity] | job.labels for job in jobs.values()]


def _check_functionals(functionals: Sequence[str | nn.Module]) -> None:
    called: dict[str, str | nn.Module] = {}
    for xc in functionals:
        if isinstance(xc, str):
            check_name(xc)
        name = xc if isinstance(xc, str) else identity_of(xc).name
        if called.setdefault(name, xc) != xc:
            raise InputError(f"Two functionals are called {name!r}; save them as checkpoints with names of their own.")


def compute(job: Job) -> Record:
    """The record of one solid with one functional; a failure is part of it."""
    started = time.perf_counter()
    record = job.labels | {"message": ""}
    try:
        module = functional(job.xc)
        record["functional"] = identity_of(module).to_dict()
        predicted = compute_curve(job.solid, job.xc).predictions(module)
        record |= {name: float(value.detach()) for name, value in predicted.items()}
    except MlxcError as error:
        record["message"] = str(error)
    except Exception as error:  # one solid must not end the sweep
        record["message"] = f"{job.solid.name} ended with {type(error).__name__}: {reason_of(error)}."
    return record | {"seconds": time.perf_counter() - started}
