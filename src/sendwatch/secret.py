"""A text that does not show itself, and one that could not be had."""

from __future__ import annotations


class Secret:
    """A text that shows itself only when asked: not in a repr, a log line, an error or `config show`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class NotHadError(Exception):
    """A secret that is needed could not be read; the message says why."""


class NotHad(Secret):
    """Stands for a secret that only few need, where its file could not be read: `why`. Whoever asks for it hears."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        super().__init__("")
        self.why = why

    def reveal(self) -> str:
        """Raises NotHadError."""
        raise NotHadError(self.why)
