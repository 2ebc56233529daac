"""The page "What the model was fed"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tvae.corpus import FOLDS, Corpus, load
from tvae.errors import TvaeError
from tvae.melody import bars
from tvae.report import listen, plots, results, tables
from tvae.report.pages import page

ROWS = {
    "pieces": "pieces of 8 bars",
    "songs": "songs",
    "onsets_per_piece": "notes a piece",
    "sustain": "share of sustain",
    "silence": "share of silence",
    "padded": "pieces with a short last bar",
    "lowest": "lowest MIDI pitch",
    "highest": "highest MIDI pitch",
}


@dataclass(frozen=True)
class Study:
    """The embedded corpus, and the recorded description of each corpus by its name."""

    folk: Corpus
    described: dict[str, dict]

    def repeats(self) -> plots.Shown:
        return plots.show(
            plots.repeats_by_distance({name: np.array(one["repeats"]) for name, one in self.described.items()}),
            "Share of bar pairs that are equal, by distance, for three corpora; four bars apart is by far the most "
            "common in folk and hooktheory.",
            "How often bar i equals bar j. Above: by distance. Below: every pair. Four-bar phrases that begin alike "
            "make distance 4 stand out; the performed melodies of POP909 hardly ever repeat exactly.",
        )

    def in_numbers(self) -> tables.Table:
        columns = {name: [short(one[key]) for key in ROWS] for name, one in self.described.items()}
        return tables.plain(pd.DataFrame({"": list(ROWS.values()), **columns}))

    def some_tunes(self) -> listen.Players:
        chosen = np.random.default_rng(4).choice(len(self.folk), 4, replace=False)
        return listen.players(list(self.folk.tokens[chosen]), [str(title) for title in self.folk.title[chosen]])

    def pitches(self) -> plots.Shown:
        return plots.show(
            plots.pitch_histogram({name: np.array(one["pitch"]) for name, one in self.described.items()}),
            "Histograms of pitches from MIDI 40 to 84 for the three corpora.",
            "Share of the notes at each pitch. Pieces that leave the 45 pitches of the grid were moved by whole "
            "octaves.",
        )

    def left_out(self) -> tables.Table:
        rows = [
            {"corpus": name, "reason": reason, "count": count}
            for name, one in self.described.items()
            for reason, count in one["left_out"].items()
        ]
        return tables.plain(pd.DataFrame(rows))

    def folds(self) -> tables.Table:
        columns = {name: one["test_pieces_by_fold"] for name, one in self.described.items()}
        return tables.plain(pd.DataFrame({"test pieces of fold": range(FOLDS), **columns}))

    def identities(self) -> tables.Table:
        rows = [{"corpus": name, "sha256": one["sha256"]} for name, one in self.described.items()]
        return tables.plain(pd.DataFrame(rows))

    def tell(self) -> None:
        numbers = {}
        for name, one in self.described.items():
            numbers |= {f"{name}_pieces": one["pieces"], f"{name}_songs": one["songs"]}
            numbers |= {f"{name}_fifth": 100 * one["repeats_earlier"][4], f"{name}_sustain": 100 * one["sustain"]}
        first, second = bars(self.folk.tokens)[:, :4], bars(self.folk.tokens)[:, 4:]
        numbers["folk_twice"] = float(100 * (first == second).all((1, 2)).mean())
        page.tell("", numbers)


def short(value: float) -> str:
    """A number in three digits, a whole one in all of them."""
    return f"{value:,.3g}" if isinstance(value, float) else f"{value:,}"


def study(record: str | Path = "figures") -> Study:
    """Read the descriptions of the corpora. Raises TvaeError where they are not of the embedded corpus that is here."""
    folk = load("folk")
    described = results.read_descriptions(page.recorded(record, "corpora.json"))
    if folk.sha256 != described["folk"]["sha256"]:
        raise TvaeError("The record describes another folk corpus: run `python -m tvae measure`.")
    return Study(folk, described)
