"""What a panel of the page is: a name, an explanation, and a widget that is made when somebody first looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ipywidgets import Widget

from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel
from mlxc_app.run.side_by_side import SideBySide
from mlxc_app.widgets.choosing.cards import Cards
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.pointer import Pointer
from mlxc_app.widgets.theme import Theme


@dataclass(frozen=True)
class Page:
    """What all panels share.

    Attributes:
        choose: What a person has chosen to compute.
        run: The run that the page shows.
        messages: Where a panel reports what went wrong.
        theme: Whether the page is dark, for what cannot be coloured by a style sheet.
        unfold: A function that shows the panel of a name; usable as soon as the page is put together.
        cards: Which card of the choices is open.
        pointer: What shows a person where to press.
        side_by_side: Which runs a person wants to see side by side.
    """

    choose: ChooseModel
    run: RunModel
    messages: MessageArea
    theme: Theme
    unfold: Callable[[str], None]
    cards: Cards = field(default_factory=Cards)
    pointer: Pointer = field(default_factory=Pointer)
    side_by_side: SideBySide = field(default_factory=SideBySide)


# What a person may ask: what does this crystal do, what is a model worth, how does all this work, what is there.
GROUPS = (CRYSTAL, MODELS, LEARN, RUNS) = ("Crystal", "Models", "Learn", "Runs")


@dataclass(frozen=True)
class Panel:
    """One panel; each has a function ``...(page: Page) -> Panel`` beside its view, see
    :mod:`mlxc_app.panels.registry`.

    Attributes:
        name: What its button says; short.
        about: The HTML that answers "what am I looking at", one to three sentences.
        make: A function that makes the widget, with all that its model knows by then; it is called once, when the panel
            is first unfolded.
        group: The question to which it belongs, one of :data:`GROUPS`; another one is a new group.
        kinds: The names of the kinds of tasks, see :mod:`mlxc.tasks.kinds`, at whose start the panel unfolds.
        shows: The kinds of tasks that are watched in another panel and of whose results this one has something to show:
            the page comes back to it when a run of them has ended that was started here.
        shown: A function that is told whenever the panel is unfolded (True) or folded (False).
        follow: A task that lives as long as the page's kernel.
    """

    name: str
    about: str
    make: Callable[[], Widget]
    group: str = CRYSTAL
    kinds: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    shown: Callable[[bool], None] | None = None
    follow: Callable[[], Awaitable[None]] | None = None

    @property
    def style_class(self) -> str:
        """The CSS class of the panel."""
        return style_class(self.name)


def style_class(name: str) -> str:
    """The CSS class of the panel of a name."""
    return "mlxc-panel-" + name.lower().replace(" ", "-")
