"""What can be wrong with a rule: where, and what. Pure Python.

Texts are English with named places; `problem_words.py` says them in the reader's language. A text that is said already
(by `gettext`, by another program) has no places.
"""

from typing import Any


class BadRule(ValueError):
    """`path` names the field, such as `when.all.0.value`; `text` is for people, and `places` fill it."""

    def __init__(self, path: str, text: str, /, **places: Any) -> None:
        super().__init__(path, text)
        self.path = path
        self.text = text
        self.places = places

    @property
    def message(self) -> str:
        """In English."""
        return self.text % self.places if self.places else self.text

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
