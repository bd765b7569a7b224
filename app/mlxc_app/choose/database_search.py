"""A search in databases of structures, which asks the network only when a person presses its button."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ipywidgets import HTML, Button, Dropdown, Select, Text, Widget
from traitlets import HasTraits, Tuple, Unicode

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError, MlxcError
from mlxc.structures.optimade import PROVIDERS, fetch_structure
from mlxc.structures.optimade_search import FoundStructure, search_structures
from mlxc_app.widgets.controls import LABEL, WIDE
from mlxc_app.widgets.message import MessageArea, caution, hint

ABOUT = "Asks a public database (OPTIMADE) once you press the button."
TITLES = {"mp": "Materials Project", "alexandria": "Alexandria", "cod": "Crystallography Open Database"}


class DatabaseSearchModel(HasTraits):
    """Asks databases in a thread, since an answer takes seconds and a page must not stand still meanwhile.

    Attributes:
        found: What was found last, as :class:`~mlxc.structures.optimade_search.FoundStructure`.
        words: What is going on, or what came of it.
        problem: What went wrong, in one sentence; empty if nothing did.
    """

    found = Tuple()
    words = Unicode()
    problem = Unicode()

    def __init__(
        self,
        take: Callable[[Crystal, str], None],
        search: Callable[[str, str], list[FoundStructure]] = search_structures,
        fetch: Callable[[str], Crystal] = fetch_structure,
    ) -> None:
        super().__init__()
        self._take, self._search, self._fetch = take, search, fetch
        self.thread: threading.Thread | None = None

    def search(self, formula: str, provider: str) -> None:
        """Look for the structures of a formula; returns at once."""

        def ask() -> None:
            found = self._search(formula, provider)
            self.found = tuple(found)
            self.words = "" if found else f"{provider} has no structure of {formula}."

        self._ask(f"Asking {provider} …", ask)

    def choose(self, entry: str) -> None:
        """Fetch an entry and choose it; returns at once."""

        def ask() -> None:
            self._take(self._fetch(entry), f"{entry} (OPTIMADE)")
            self.words = f"{entry} is chosen."

        self._ask(f"Fetching {entry} …", ask)

    def _ask(self, words: str, ask: Callable[[], None]) -> None:
        if self.thread is not None and self.thread.is_alive():
            raise InputError("A database is being asked already; its answer takes some seconds.")

        def guarded() -> None:
            try:
                ask()
            except MlxcError as error:
                self.words, self.problem = "", str(error)
            except Exception as error:  # which nobody would see in a thread
                self.words, self.problem = "", f"The search failed ({type(error).__name__}: {error})."

        self.words, self.problem = words, ""
        self.thread = threading.Thread(target=guarded, daemon=True)
        self.thread.start()


class DatabaseSearch:
    """Observes a :class:`DatabaseSearchModel`.

    Attributes:
        widgets: The widgets, from top to bottom.
    """

    def __init__(self, model: DatabaseSearchModel, messages: MessageArea) -> None:
        self._model = model
        self._formula = Text(description="Formula", placeholder="such as TiO2", style=LABEL, layout=WIDE)
        self._provider = Dropdown(
            options=[(TITLES.get(name, name), name) for name in sorted(PROVIDERS, key=lambda name: name not in TITLES)],
            description="Database",
            style=LABEL,
            layout=WIDE,
        )
        search = Button(description="Search the database", tooltip=ABOUT)
        self._found = Select(rows=3, description="Found", style=LABEL, layout=WIDE)
        self._use = Button(description="Use this structure", disabled=True)
        for button in (search, self._use):
            button.add_class("mlxc-use-text")
        self._words = HTML()
        about = HTML(hint(ABOUT))
        self.widgets: list[Widget] = [self._formula, self._provider, about, search, self._found, self._use, self._words]
        search.on_click(messages.guard(lambda _: model.search(self._formula.value, self._provider.value)))
        self._use.on_click(messages.guard(lambda _: model.choose(self._found.value)))
        model.observe(self._show_found, "found")
        model.observe(self._show_words, ["words", "problem"])

    def _show_found(self, change: Any) -> None:
        self._found.options = [(f"{one.formula}, {one.atoms} atoms: {one.entry}", one.entry) for one in change["new"]]
        self._found.value = change["new"][0].entry if change["new"] else None
        self._use.disabled = not change["new"]

    def _show_words(self, change: Any) -> None:
        self._words.value = caution(self._model.problem) or (hint(self._model.words) if self._model.words else "")
