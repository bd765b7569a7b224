"""Functionals by name: those written here, checkpoints, those of other packages, and every semilocal one of libxc.

Another package offers functionals through entry points of the group ``mlxc.functionals``: the name of each is that of
the functional, and what it points to is called without arguments and returns the module. Torch is imported only when a
functional is built, so that a page can list and check names at once.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from mlxc.errors import InputError
from mlxc.utils.assets import asset_path
from mlxc.utils.spelling import closest_name
from mlxc.xc.checkpoints.record import SUFFIX, CheckpointRecord, read_record
from mlxc.xc.expression import split_sum
from mlxc.xc.libxc.names import close_libxc_name, find_libxc

if TYPE_CHECKING:
    from torch import nn

TRAINABLE = "pbe-kappa-mu"
_DESCRIPTIONS = {
    "lda": "local density: Slater exchange, Perdew-Wang 1992 correlation",
    "lda_xc_teter93": "local density: Teter's rational fit",
    "pbe": "generalised gradient: Perdew, Burke, Ernzerhof 1996",
    "pbesol": "generalised gradient: PBE for solids, 2008",
    "rpbe": "generalised gradient: PBE revised for adsorption by Hammer, Hansen, Norskov 1999",
    "scan": "meta-generalised gradient: strongly constrained and appropriately normed, 2015",
    "r2scan": "meta-generalised gradient: SCAN regularised, 2020",
    TRAINABLE: "PBE whose two parameters kappa and mu can be trained",
}
ENTRY_POINTS = "mlxc.functionals"
# As much of a wrong name as an error shows.
SHOWN_LENGTH = 60


def functional_names() -> dict[str, str]:
    """Each name with one line that says what it is; the names of libxc are understood as well."""
    shipped = {name: read_record(path).description for name, path in shipped_checkpoints().items()}
    registered = {name: f"from the package {_package(point)}" for name, point in _registered().items()}
    return _DESCRIPTIONS | shipped | registered


def shipped_checkpoints() -> dict[str, Path]:
    """The checkpoint files that come with mlxc, by name."""
    return {path.stem: path for path in sorted(asset_path("checkpoints").glob(f"*{SUFFIX}"))}


def checkpoint_path(name: str) -> Path | None:
    """Where the checkpoint of this name lies, or would lie; None for the names of other functionals."""
    if name in shipped_checkpoints():
        return shipped_checkpoints()[name]
    path = Path(name)
    # A file may be called like a functional, but not with a folder or an extension.
    is_file = ("/" in name or path.suffix != "") and path.is_file()
    return path if name.endswith(SUFFIX) or is_file else None


def checkpoint_of(name: str) -> CheckpointRecord | None:
    """The record of a shipped checkpoint or of a checkpoint file, None for other functionals."""
    path = checkpoint_path(name)
    return None if path is None else read_record(path)


def content_hashes(expression: str) -> list[str]:
    """Of the checkpoints in a functional or a sum of some: a file that has changed is another functional."""
    records = [checkpoint_of(name) for _, name in split_sum(expression)]
    return [record.content_hash for record in records if record is not None]


def check_name(expression: str) -> None:
    """Raise an :class:`InputError` with one sentence unless this is a functional or a weighted sum of some.

    Names are understood in upper or lower case.
    """
    for _, name in split_sum(expression):
        _check_single_name(name)


def _check_single_name(name: str) -> None:
    if name.lower() in _DESCRIPTIONS or checkpoint_of(name) is not None:
        return
    if name in _registered() or find_libxc(name) is not None:
        return
    shown = name if len(name) <= SHOWN_LENGTH else f"{name[:SHOWN_LENGTH]}..."
    ours = [*_DESCRIPTIONS, *shipped_checkpoints(), *_registered()]
    meant = closest_name(shown.lower(), ours) or close_libxc_name(shown)
    names = f"there are {', '.join(_DESCRIPTIONS)}, and the names of libxc such as gga_x_b88,gga_c_lyp."
    hint = f"did you mean '{meant}'?" if meant else names
    raise InputError(f"xc: {shown!r} is not a known functional; {hint}")


def check_has_parameters(expression: str) -> None:
    """Raise an :class:`InputError` with one sentence unless this functional has parameters that can be trained."""
    check_name(expression)
    names = [name for _, name in split_sum(expression)]
    if not any(name.lower() == TRAINABLE or checkpoint_path(name) or name in _registered() for name in names):
        raise without_parameters(expression)


def without_parameters(expression: str) -> InputError:
    """What is said of a functional that no gradient can reach."""
    checkpoints = ", ".join(shipped_checkpoints())
    return InputError(
        f"xc: {expression!r} has no parameters that a gradient could reach; {TRAINABLE} has two, and checkpoints such "
        f"as {checkpoints} have many."
    )


def functional(source: str | nn.Module) -> nn.Module:
    """The functional of this name, or the module itself if it is one already.

    Args:
        source: one of :func:`functional_names`; a checkpoint file; a name in libxc or two of them with a comma in
            between, such as ``gga_x_pbe,gga_c_pbe``; a sum of such names with weights, such as
            ``0.75*pbe + 0.25*scan``; or a module.

    Raises:
        InputError: the name is unknown, the checkpoint is not in order, libxc's functional is not semilocal, or the
            module does not declare its ingredients.
    """
    from mlxc.xc.functional import declared_ingredients
    from mlxc.xc.weighted_sum import WeightedSum

    if not isinstance(source, str):
        declared_ingredients(source)
        return source
    terms = [(weight, _build(name)) for weight, name in split_sum(source)]
    if len(terms) == 1 and terms[0][0] == 1:
        return terms[0][1]
    return WeightedSum([weight for weight, _ in terms], [part for _, part in terms])


def _build(name: str) -> nn.Module:
    from mlxc.xc.checkpoint import load_checkpoint
    from mlxc.xc.functional import declared_ingredients
    from mlxc.xc.gga import PBE, RPBE, pbesol
    from mlxc.xc.lda import LDA, Teter93
    from mlxc.xc.libxc.functional import LibXC
    from mlxc.xc.mgga import R2SCAN, SCAN

    _check_single_name(name)
    builders: dict[str, Callable[[], nn.Module]] = {
        "lda": LDA,
        "lda_xc_teter93": Teter93,
        "pbe": PBE,
        "pbesol": pbesol,
        "rpbe": RPBE,
        "scan": SCAN,
        "r2scan": R2SCAN,
        TRAINABLE: lambda: PBE(trainable=True),
    }
    if name.lower() in builders:
        return builders[name.lower()]()
    if (path := checkpoint_path(name)) is not None:
        return load_checkpoint(path)
    if name in _registered():
        module: nn.Module = _registered()[name].load()()
        declared_ingredients(module)
        return module
    return LibXC(name)


def _registered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module
