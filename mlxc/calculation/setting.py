"""How a person meets one setting of a calculation: on the command line, on the page, in reports."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True)
class Setting:
    """How a person meets a setting.

    Attributes:
        option: The option on the command line; a word without dashes is an argument that has to be given.
        label: The label on the page; within a sentence it has a small letter.
        help: The help of the option.
        metavar: What stands for the value in the help; empty where there is none.
        unit: The unit of the value, which stands behind the label.
        takes: The form of the values and an example, for an option that takes pairs.
        on_page: Whether a person chooses it on the page; the page leaves every other setting at its default.
    """

    option: str
    label: str
    help: str
    metavar: str = ""
    unit: str = ""
    takes: str = ""
    on_page: bool = True

    @property
    def title(self) -> str:
        """The label with the unit, such as ``Cutoff (Ha)``."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def in_sentence(self) -> str:
        """The same within a sentence, such as ``cutoff (Ha)``."""
        return self.title if self.label[:2].isupper() else self.title[0].lower() + self.title[1:]


def settings_table(model: type[BaseModel]) -> dict[str, Setting]:
    """The settings of a model by the names of its fields, in their order."""
    return {
        name: setting
        for name, field in model.model_fields.items()
        for setting in field.metadata
        if isinstance(setting, Setting)
    }
