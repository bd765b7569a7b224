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
        field = ".".join(str(part) for part in first["loc"]) or "calculation"
        reason = first["msg"].removeprefix("Value error, ").replace("valid tuple", "list")
        if first["type"] == "extra_forbidden":
            sentence = f"{field}: there is no such setting; the settings are {', '.join(model.model_fields)}."
        elif first["type"] == "missing":
            sentence = f"{field}: this is missing and has to be given."
        elif isinstance(first.get("input"), (str, int, float, list, tuple, type(None))):
            sentence = f"{field}: {first['input']!r} is not allowed: {reason[0].lower()}{reason[1:]}."
        else:
            sentence = f"{field}: {reason[0].lower()}{reason[1:]}."
        raise InputError(sentence) from None
