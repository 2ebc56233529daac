"""What every page needs: the record, whatever folder the notebook runs in, and numbers for its prose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tvae.report import claims
from tvae.report import record as records
from tvae.report.tables import Table, verdicts

REPOSITORY = Path(__file__).parents[3]


def located(path: str | Path) -> Path:
    """A file or folder of the repository, whatever folder the notebook runs in; a path that is there stays as it is."""
    path = Path(path)
    return path if path.exists() else REPOSITORY / path


def recorded(record: str | Path, name: str) -> Path:
    """A file of the record; of a record that has none, as that of toy runs, the repository's own."""
    path = located(record) / name
    return path if path.exists() else REPOSITORY / "figures" / name


@dataclass(frozen=True, repr=False)
class Below:
    """Things that a notebook can show, one below the other."""

    shown: tuple

    def _repr_html_(self) -> str:
        return "".join(one._repr_html_() for one in self.shown)

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self.shown))


def below(shown: Iterable) -> Below:
    return Below(tuple(shown))


def verdict(record: str | Path, claim: str | tuple[str, ...]) -> Table:
    """What the record has found about claims, by how their names begin."""
    return verdicts([found for found in claims.read(located(record)) if found.claim.startswith(claim)])


def entries(record: str | Path) -> list[dict]:
    """The recorded runs."""
    return records.read(located(record))


def tell(page: str, numbers: dict) -> None:
    """Let the page's prose use these numbers, as in ``{glue:text}`codes_rate:.1f` ``."""
    from myst_nb import glue

    for name, value in numbers.items():
        glue(f"{page}_{name}" if page else name, value, display=False)


@dataclass(frozen=True, repr=False)
class Text:
    """Sentences that a notebook can show."""

    sentences: tuple[str, ...]

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(sentence)}</p>" for sentence in self.sentences)

    def __repr__(self) -> str:
        return "\n".join(self.sentences)
