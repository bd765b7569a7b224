"""Plain data become a model, and a mistake in them becomes one sentence."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mlxc.errors import InputError

Model = TypeVar("Model", bound=BaseModel)


def build_model(model: type[Model], data: dict[str, Any]) -> Model:
    """Validate ``data`` as ``model``; a mistake becomes an :class:`InputError` with one sentence."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, InputError):
            raise cause from None
        place = ".".join(str(part) for part in first["loc"])
        field = f"{place}: " if place else ""
        if first["type"] == "extra_forbidden":
            sentence = f"{field}there is no such setting; the settings are {', '.join(model.model_fields)}."
        elif first["type"] == "missing":
            sentence = f"{field}this is missing and has to be given."
        elif isinstance(first.get("input"), (str, int, float, list, tuple, type(None))):
            sentence = f"{field}{first['input']!r} is not allowed: {_reason(first['msg'])}."
        else:
            sentence = f"{field}{_reason(first['msg'])}."
        raise InputError(sentence) from None


def _reason(message: str) -> str:
    """What is wrong, after a colon: what validators of ours say stays as it is, since names may begin it."""
    own = message.removeprefix("Value error, ")
    return own if own != message else f"{message[0].lower()}{message[1:]}".replace("valid tuple", "list")
