"""What every page needs: the record, whatever folder the notebook runs in, and numbers for its prose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tvae import checkpoint
from tvae.checkpoint import read_settings
from tvae.corpus import LONGER
from tvae.errors import TvaeError
from tvae.melody import BARS
from tvae.model import TransformerVAE
from tvae.presets import MODELS
from tvae.report import claims, measured
from tvae.report import record as records
from tvae.report.entry import Entry
from tvae.report.tables import Table, code, plain, runs, verdicts

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


@dataclass(frozen=True)
class Chosen:
    """A model to look at, and where it comes from."""

    vae: TransformerVAE
    model: str  # its row in `MODELS`
    name: str  # of its run or file
    corpus: str  # whose pieces it is asked about
    trained_on: str  # the corpus; empty where a file does not say
    fold: int  # of that corpus: its test pieces are those that the model did not train on
    source: Table


def chosen(model: str | Path, corpus: str, record: str | Path, weights: str | Path) -> Chosen:
    """A recorded model of a corpus by its name in `MODELS`, ``official``, or any weights file.

    Raises `TvaeError` where there is none, for one without a code for each bar, and for a corpus or a model of more
    bars than the eight that the pages show.
    """
    if corpus in LONGER:
        raise TvaeError(f"{corpus} has pieces of {LONGER[corpus][1]} bars; the page's pieces have {BARS}.")
    if model in MODELS and MODELS[str(model)].trained:
        entry = measured.find_run(entries(record), corpus, str(model))
        vae = records.load_model(located(weights), entry)
        return Chosen(vae, entry.model, entry.name, corpus, entry.corpus, entry.fold, runs([entry]))
    path = located(weights) / f"{model}.safetensors" if model in MODELS else located(model)
    about = read_settings(path)
    kept = {"weights": path.name} | {
        key: str(about[key]) for key in ("model", "corpus", "fold", "preset") if key in about
    }
    source, vae = plain(pd.DataFrame([kept])), checkpoint.load(path)
    if MODELS[about["model"]].one_code:
        raise TvaeError(f"{path.stem} has one code for a whole piece; the page needs a code for each bar.")
    if vae.config.bars != BARS:
        raise TvaeError(f"{path.stem} is a model of {vae.config.bars} bars; the page's pieces have {BARS}.")
    return Chosen(vae, about["model"], path.stem, corpus, about.get("corpus", ""), about.get("fold", 0), source)


def verdict(record: str | Path, claim: str | tuple[str, ...]) -> Table:
    """What the record has found about claims, by how their names begin."""
    return verdicts([found for found in claims.read(located(record)) if found.claim.startswith(claim)])


def entries(record: str | Path) -> list[Entry]:
    """The recorded runs."""
    return records.compared(located(record))


def tell(page: str, numbers: dict) -> None:
    """Let the page's prose use these numbers, as in ``{glue:text}`codes_rate:.1f` ``."""
    from myst_nb import glue

    for name, value in numbers.items():
        glue(f"{page}_{name}" if page else name, value, display=False)


@dataclass(frozen=True, repr=False)
class Text:
    """Sentences that a notebook can show, with `code` in backticks."""

    sentences: tuple[str, ...]

    def _repr_html_(self) -> str:
        return f'<div class="tvae-text">{"".join(f"<p>{code(sentence)}</p>" for sentence in self.sentences)}</div>'

    def __repr__(self) -> str:
        return "\n".join(self.sentences)
