"""What can be wrong with a rule: where, and what. Pure Python."""


class BadRule(ValueError):
    """`path` names the field, such as `when.all.0.value`; `message` is for people."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
