"""What a functional is called and what it consists of, so that a result can say which functional has made it.

A functional that :func:`mlxc.functional` or a checkpoint has made carries its name. The name holds as long as the
content does: a functional whose parameters have been moved since says so, ``pbe-proxy, changed``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mlxc.xc.sums.weighted_sum import WeightedSum

PLAIN = (bool, int, float, str, type(None))
# The attributes of any module, and what a functional is given when it is made.
NOT_SETTINGS = frozenset({*vars(nn.Module()), "origin", "checkpoint", "ensemble"})


@dataclass(frozen=True)
class FunctionalIdentity:
    """The name and the content of a functional.

    Attributes:
        name: The name by which it was asked for, or that of its class.
        content_hash: The SHA-256 of what it consists of, or the hash in the record of its checkpoint. Two functionals
            with the same hash have the same classes, settings and weights.
    """

    name: str
    content_hash: str

    def to_dict(self) -> dict[str, Any]:
        """The name and the hash as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Origin:
    """What a functional was when it was made; its attribute ``origin``.

    Attributes:
        identity: the name and the content at that time.
        fingerprint: the hash of the module's content at that time.
    """

    identity: FunctionalIdentity
    fingerprint: str


def identity_of(functional: nn.Module) -> FunctionalIdentity:
    """Say what a functional is called and what it consists of.

    A sum of functionals is named after its parts, any other module without an origin after its class.
    """
    origin = getattr(functional, "origin", None)
    if not isinstance(origin, Origin):
        return _anonymous(functional)
    if is_as_made(functional):
        return origin.identity
    return FunctionalIdentity(f"{origin.identity.name}, changed", _content(functional))


def is_as_made(functional: nn.Module) -> bool:
    """Whether a functional that was given a name is still what it was then: no parameter has moved since."""
    origin = getattr(functional, "origin", None)
    return isinstance(origin, Origin) and origin.fingerprint == _fingerprint(functional)


def name_functional(functional: nn.Module, name: str, content_hash: str | None = None) -> None:
    """Give a functional the name that it was asked for by, which it carries from then on.

    Args:
        functional: The functional as it has just been made.
        name: The name by which :func:`mlxc.functional` makes it again.
        content_hash: The hash in the record of its checkpoint; by default the hash of its content.
    """
    content = content_hash or identity_of(functional).content_hash
    functional.origin = Origin(FunctionalIdentity(name, content), _fingerprint(functional))  # type: ignore[assignment]


def _anonymous(functional: nn.Module) -> FunctionalIdentity:
    if not isinstance(functional, WeightedSum):
        return FunctionalIdentity(type(functional).__name__, _content(functional))
    parts = zip(functional.weights.tolist(), functional.functionals, strict=True)
    name = " + ".join(f"{weight:g}*{identity_of(part).name}" for weight, part in parts)
    return FunctionalIdentity(name, _content(functional))


def _content(functional: nn.Module) -> str:
    """The hash of what a functional consists of; of a sum, that of its weights and of the contents of its parts."""
    if not isinstance(functional, WeightedSum):
        return _fingerprint(functional)
    parts = zip(functional.weights.tolist(), functional.functionals, strict=True)
    return _digest([json.dumps([[weight, identity_of(part).content_hash] for weight, part in parts]).encode()])


def _fingerprint(functional: nn.Module) -> str:
    """The hash of the classes, the plain settings, and the parameters and buffers of a module and its parts."""
    classes = [
        (name, f"{type(module).__module__}.{type(module).__qualname__}", _settings(module))
        for name, module in functional.named_modules()
    ]
    pieces = [json.dumps(classes, sort_keys=True).encode()]
    for name, tensor in sorted([*functional.named_parameters(), *functional.named_buffers()]):
        pieces.append(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        pieces.append(_bytes(tensor))
    return _digest(pieces)


def _settings(module: nn.Module) -> dict[str, Any]:
    """The attributes of a module beside its parameters, buffers and parts, as plain data."""
    own = {name: value for name, value in vars(module).items() if name not in NOT_SETTINGS}
    return {name: _described(value) for name, value in own.items()}


def _described(value: Any, depth: int = 3) -> Any:
    """Plain data as they are; arrays by their content, functions by name and code, other objects by what they hold."""
    if _is_plain(value):
        return value
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, Tensor):
        return [kind, _bytes(value).hex()]
    if isinstance(value, np.ndarray):
        return [kind, str(value.dtype), list(value.shape), value.tobytes().hex()]
    if isinstance(value, (list, tuple)):
        return [_described(item, depth) for item in value]
    if hasattr(value, "__qualname__"):
        # Of functions without a name, such as lambdas, what they do tells one from another.
        code = getattr(value, "__code__", None)
        done = [] if code is None else [code.co_code.hex(), [x for x in code.co_consts if _is_plain(x)]]
        return [kind, getattr(value, "__module__", ""), value.__qualname__, *done]
    if depth == 0 or not hasattr(value, "__dict__"):
        return kind
    return [kind, {name: _described(item, depth - 1) for name, item in sorted(vars(value).items())}]


def _bytes(tensor: Tensor) -> bytes:
    """The content of a tensor of any type of numbers."""
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return isinstance(value, PLAIN)


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return f"sha256:{digest.hexdigest()}"
