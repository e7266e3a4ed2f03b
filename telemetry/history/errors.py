"""What is wrong with a question about history."""


class HistoryError(ValueError):
    """`field` names the part of the question, `message` says to a person what it may be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"
