"""What the page says when something happens: one card, one sentence, one piece of advice."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any, Literal, TypeVar

from ipywidgets import HTML

from mlxc.errors import MlxcError
from mlxc.runs.folder import runs_directory
from mlxc_app.widgets.typeset import typeset_html

Result = TypeVar("Result")
Kind = Literal["error", "warning", "success", "information"]
HEADINGS: dict[Kind, str] = {
    "error": "This did not work",
    "warning": "Please note",
    "success": "Done",
    "information": "Note",
}
DONE_WITH_NOTE = "Done, but please note"


def card(kind: Kind, what: str, advice: str = "", details: str = "", note: str = "") -> str:
    """HTML of a card; the strings may come from a user and are escaped.

    Args:
        kind: What kind of news it is.
        what: What has happened.
        advice: What to do now.
        details: More, which is folded.
        note: What there is to doubt of something that is done; such a card is a warning, whatever its kind, and tells
            it first, since the line of a result has not room for all.
    """
    role = "alert" if kind == "error" else "status"
    heading = f"<strong>{DONE_WITH_NOTE if note else HEADINGS[kind]}.</strong>"
    told = f'<div class="mlxc-doubt">{_printed(note)}</div> <div>{_printed(what)}</div>' if note else _printed(what)
    extra = f'<div class="mlxc-advice">{_printed(advice)}</div>' if advice else ""
    if details:
        extra += f"<details><summary>Details</summary><pre>{escape(details)}</pre></details>"
    looks = "warning" if note else kind
    return f'<div class="mlxc-card mlxc-{looks}" role="{role}">{heading} {told}{extra}</div>'


def hint(text: str) -> str:
    """HTML of a short explanation below a control; the string is escaped."""
    return f'<p class="mlxc-hint mlxc-under">{_printed(text)}</p>'


def caution(text: str) -> str:
    """HTML of a sentence below a control about what may be wrong with it; the string is escaped, an empty one shows
    nothing.
    """
    return f'<p class="mlxc-caution mlxc-under" role="status">{_printed(text)}</p>' if text else ""


def _printed(text: str) -> str:
    return typeset_html(escape(text))


def log_file() -> Path:
    """Where unexpected errors of the page are written."""
    directory = runs_directory()
    directory.mkdir(parents=True, exist_ok=True)
    return directory / "page.log"


class MessageArea:
    """The place on the page where cards appear: that of a result, and for a while those about what a person does."""

    def __init__(self) -> None:
        # The card of a result, and the card that is shown now, which may be the same.
        self._lasting = self._shown = ""
        self.widget = HTML()
        self.widget.add_class("mlxc-messages")

    def show(self, kind: Kind, what: str, advice: str = "", details: str = "", note: str = "") -> None:
        """Replace what is shown by a card, see :func:`card`."""
        self._show(card(kind, what, advice, details, note))

    def show_result(self, kind: Kind, what: str, advice: str = "", details: str = "", note: str = "") -> None:
        """Show what came of something that is shown on the page; it comes back when another card is cleared."""
        self._lasting = card(kind, what, advice, details, note)
        self._show(self._lasting)

    def announce(self, what: str) -> None:
        """Tell what happens by itself, before the card that is shown, which stays."""
        self.widget.value = card("information", what) + self._shown

    def forget_result(self) -> None:
        """Show nothing: nothing that is shown on the page has come to an end, or a person has read what came of it."""
        self._lasting = ""
        self.clear()

    def clear(self) -> None:
        """Show no other card than that of a result."""
        self._show(self._lasting)

    def _show(self, shown: str) -> None:
        self._shown = self.widget.value = shown

    def guard(self, handler: Callable[..., Any]) -> Callable[..., None]:
        """Wrap a callback: an exception in it, which would otherwise vanish, becomes a card on the page."""

        def guarded(*arguments: Any) -> None:
            try:
                handler(*arguments)
            except Exception as error:
                self._tell(error)

        return guarded

    async def guarded(self, work: Awaitable[Result]) -> Result | None:
        """What some work comes to; None if it fails, which becomes a card on the page."""
        try:
            return await work
        except Exception as error:
            self._tell(error)
            return None

    def _tell(self, error: Exception) -> None:
        """Show what went wrong, and log what nobody has foreseen."""
        if isinstance(error, MlxcError):
            self.show("error", str(error))
            return
        _logger().error("A callback of the page failed.", exc_info=error)
        self.show(
            "error",
            f"The page met an unexpected problem ({type(error).__name__}: {error}).",
            f"Reload the page to go on; finished runs are kept. Details are in {log_file()}.",
        )

    def starting(self, start: Callable[[], None]) -> Callable[..., None]:
        """A guarded callback of a button that starts something: the card about what was before goes away."""

        def begin(button: Any) -> None:
            self.clear()
            start()

        return self.guard(begin)


def _logger() -> logging.Logger:
    logger = logging.getLogger("mlxc_app")
    if not logger.handlers:
        handler = logging.FileHandler(log_file(), encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
    return logger
