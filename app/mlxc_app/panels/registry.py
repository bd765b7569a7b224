"""The panels of the page.

Another package adds a panel by an entry point of the group ``mlxc_app.panels`` that names a function which makes a
:class:`~mlxc_app.panels.panel.Panel` of a :class:`~mlxc_app.panels.panel.Page`.
"""

from __future__ import annotations

from collections.abc import Callable

from mlxc.utils.plugins import plugins
from mlxc_app.panels.bands.view import bands_panel
from mlxc_app.panels.compare.view import compare_panel
from mlxc_app.panels.convergence.view import convergence_panel
from mlxc_app.panels.density.view import density_panel
from mlxc_app.panels.diagnose.view import diagnose_panel
from mlxc_app.panels.equation_of_state.view import equation_of_state_panel
from mlxc_app.panels.functional.view import functional_panel
from mlxc_app.panels.gradients.view import gradients_panel
from mlxc_app.panels.learn.view import learn_panel
from mlxc_app.panels.models.view import models_panel
from mlxc_app.panels.moments.view import moments_panel
from mlxc_app.panels.orders.view import orders_panel
from mlxc_app.panels.panel import Page, Panel
from mlxc_app.panels.runs.view import runs_panel
from mlxc_app.panels.sweep.view import sweep_panel
from mlxc_app.panels.train.view import train_panel

ENTRY_POINTS = "mlxc_app.panels"
# In the order of their buttons within each group; the first is unfolded when the page opens.
PANELS: tuple[Callable[[Page], Panel], ...] = (
    convergence_panel,
    density_panel,
    equation_of_state_panel,
    sweep_panel,
    moments_panel,
    bands_panel,
    orders_panel,
    models_panel,
    functional_panel,
    gradients_panel,
    compare_panel,
    diagnose_panel,
    train_panel,
    runs_panel,
    learn_panel,
)


def make_panels(page: Page) -> list[Panel]:
    """All panels of a page, those of other packages last."""
    return [make(page) for make in (*PANELS, *plugins(ENTRY_POINTS, Callable))]  # type: ignore[arg-type]
