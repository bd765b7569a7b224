"""Functionals by name: those written here, checkpoints, those of other packages, and every semilocal one of libxc.

Another package offers functionals through entry points of the group ``mlxc.functionals``: the name of each is that of
the functional, and what it points to is called without arguments and returns the module. Torch is imported only when a
functional is built, so that a page can list and check names at once.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from mlxc.errors import InputError
from mlxc.utils.plugins import entry_points_of
from mlxc.utils.spelling import closest_name
from mlxc.xc.cards.card import FunctionalCard, Origin
from mlxc.xc.checkpoints.files import (
    CLAMPED,
    checkpoint_of,
    checkpoint_path,
    named_checkpoints,
    shipped_checkpoints,
    split_member,
    to_be_fetched,
    unclamped,
)
from mlxc.xc.checkpoints.record import CheckpointRecord, read_record
from mlxc.xc.conventional import (
    DESCRIPTIONS,
    GROUP,
    TRAINABLE,
    build_conventional,
    build_sum,
    conventional_card,
    is_conventional,
)
from mlxc.xc.libxc.names import close_libxc_name
from mlxc.xc.published.cards import CARDS
from mlxc.xc.sums.expression import split_sum

if TYPE_CHECKING:
    from torch import nn


# As much of a wrong name as an error shows.
SHOWN_LENGTH = 60


def functional_groups() -> dict[str, dict[str, str]]:
    """Each name with one line that says what it is, by what a person may look for: a textbook's functionals, those
    whose parameters are few and can be trained, networks, and what authors and other packages have published.
    """
    trainable = {TRAINABLE: DESCRIPTIONS[TRAINABLE]}
    checkpoints = {name: read_record(path).description for name, path in named_checkpoints().items()}
    registered = {name: f"from the package {_package(point)}" for name, point in _registered().items()}
    return {
        "Textbook": {name: line for name, line in DESCRIPTIONS.items() if name not in trainable},
        "Trainable": trainable,
        "Networks": {name: line for name, line in checkpoints.items() if name not in CARDS},
        "Published": {name: line for name, line in checkpoints.items() if name in CARDS} | registered,
    }


def functional_names() -> dict[str, str]:
    """Each name with one line that says what it is; the names of libxc are understood as well."""
    return {name: line for group in functional_groups().values() for name, line in group.items()}


def card_of(name: str) -> FunctionalCard | None:
    """What a person should know of a functional; None where nothing is written down.

    Args:
        name: The name of a single functional; for a checkpoint file its card is that of its form, if that is a
            published one.

    Raises:
        InputError: the checkpoint is not in order.
    """
    record = checkpoint_of(name)
    if record is not None:
        return CARDS.get(record.architecture)
    return CARDS.get(name.lower()) or conventional_card(name)


def origin_of(name: str) -> Origin | None:
    """The kind of origin of a functional, of :data:`~mlxc.xc.cards.card.ORIGINS`; None where it is not known.

    A checkpoint has learned from data. Arguments and errors as for :func:`card_of`.
    """
    card = card_of(name)
    if card is not None:
        return card.origin
    return None if checkpoint_path(name) is None else "learned"


def content_hashes(expression: str) -> list[str]:
    """The hashes of the checkpoints in a functional or a sum of some: a file that has changed is another functional."""
    records = [checkpoint_of(name) for _, name in split_sum(expression)]
    return [record.content_hash for record in records if record is not None]


def check_name(expression: str) -> None:
    """Raise an :class:`InputError` with one sentence unless this is a functional or a weighted sum of some.

    Names are understood in upper or lower case.
    """
    for _, name in split_sum(expression):
        _check_single_name(name)


def carries_ensemble(expression: str) -> bool:
    """Whether a functional, or a part of a sum, comes with an ensemble; a member of one does not."""
    for _, name in split_sum(expression):
        record = checkpoint_of(name)
        if record is not None and record.ensemble is not None and split_member(name)[1] is None:
            return True
    return False


def without_ensemble(expression: str) -> InputError:
    """What is said of a functional of whose uncertainty nothing is known."""
    having = ", ".join(name for name in shipped_checkpoints() if carries_ensemble(name))
    return InputError(
        f"xc: {expression[:SHOWN_LENGTH]!r} carries no ensemble that would tell how uncertain it is; of those that "
        f"come with mlxc there is one in {having}."
    )


def _check_member(name: str, record: CheckpointRecord | None) -> None:
    whole, number = split_member(name)
    if record is None or number is None:
        return
    count = 0 if record.ensemble is None else record.ensemble.members
    if not 1 <= number <= count:
        has = f"has the members 1 to {count}" if count else "has no members"
        raise InputError(f"xc: {whole[:SHOWN_LENGTH]!r} {has}, so there is no member {number}.")


def _check_single_name(name: str) -> None:
    record = checkpoint_of(name)
    _check_member(name, record)
    if name.startswith(CLAMPED) and (record is None or not record.domain):
        raise InputError(
            f"xc: {unclamped(name)[:SHOWN_LENGTH]!r} has no training domain to be held inside; after {CLAMPED!r} "
            "stands a checkpoint whose record has one."
        )
    if name.lower() in DESCRIPTIONS or record is not None:
        return
    if name in _registered() or is_conventional(name):
        return
    if name.lower() in to_be_fetched():
        raise InputError(
            f"xc: {name!r} does not come with mlxc, since its authors state no licence; 'mlxc checkpoint fetch "
            f"{name.lower()}' brings it onto this computer."
        )
    shown = name if len(name) <= SHOWN_LENGTH else f"{name[:SHOWN_LENGTH]}..."
    ours = [*DESCRIPTIONS, *named_checkpoints(), *to_be_fetched(), *_registered()]
    meant = closest_name(shown.lower(), ours) or close_libxc_name(shown)
    names = f"there are {', '.join(DESCRIPTIONS)}, and the names of libxc such as gga_x_b88,gga_c_lyp."
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
    checkpoints = ", ".join(name for name in shipped_checkpoints() if name not in CARDS)  # those that are our own
    return InputError(
        f"xc: {expression!r} has no parameters that a gradient could reach; {TRAINABLE} has two, and checkpoints such "
        f"as {checkpoints} have many."
    )


def functional(source: str | nn.Module) -> nn.Module:
    """The functional of this name, or the module itself if it is one already.

    Args:
        source: One of :func:`functional_names`; a checkpoint file; ``clamped:`` and the name of a checkpoint, which is
            then held inside the domain of its training, see :class:`~mlxc.xc.analysis.clamped.Clamped`; ``NAME#3``, the
            third member of the ensemble that a checkpoint carries; a name in libxc or two of them with a comma in
            between, such as ``gga_x_pbe,gga_c_pbe``; a sum of such names with weights, such as
            ``0.75*pbe + 0.25*scan``; or a module.

    Raises:
        InputError: the name is unknown, the checkpoint is not in order, libxc's functional is not semilocal, or the
            module does not declare its ingredients.
    """
    from mlxc.xc.functional import declared_ingredients
    from mlxc.xc.identity import name_functional

    if not isinstance(source, str):
        declared_ingredients(source)
        return source
    made = build_sum(source, _build)
    name_functional(made, source)
    return made


def _build(name: str) -> nn.Module:
    from mlxc.xc.checkpoint import load_checkpoint
    from mlxc.xc.checkpoints.ensemble import move_to_member
    from mlxc.xc.functional import declared_ingredients
    from mlxc.xc.identity import name_functional

    _check_single_name(name)
    if name.lower() in DESCRIPTIONS:
        made = build_conventional(name)
    elif (path := checkpoint_path(name)) is not None:
        made = load_checkpoint(path)
        if (number := split_member(name)[1]) is not None:
            move_to_member(made, number)
        if name.startswith(CLAMPED):
            made = _held_inside(made)
    elif name in _registered():
        made = _registered()[name].load()()
        declared_ingredients(made)
    else:
        made = build_conventional(name)
    name_functional(made, name)
    return made


def _held_inside(functional: nn.Module) -> nn.Module:
    from mlxc.xc.analysis.clamped import Clamped
    from mlxc.xc.analysis.domain import training_domains

    (domain,) = training_domains(functional)
    return Clamped(functional, domain)


def _registered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points_of(GROUP)}


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module
