"""Errors and warnings that a user can act on."""


class MlxcError(Exception):
    """An error whose message is one sentence meant for the person who gave the input."""


class InputError(MlxcError, ValueError):
    """The input cannot be computed; the message names what was given and what is allowed."""


class MlxcWarning(UserWarning):
    """What was asked is computed, but not quite so; the message is one sentence that says how."""


class RunStoppedError(MlxcError):
    """A monitor asked the run to stop."""
