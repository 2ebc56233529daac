"""The page "What z keeps": what codes cost, what changes with them, and the space they live in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tvae import transfer
from tvae.corpus import Corpus, load
from tvae.model import TransformerVAE
from tvae.report import listen, measured, plots, tables
from tvae.report.pages import page
from tvae.report.typeset import number
from tvae.studies import codes

MAPPED = 400  # pieces in `map`
DRAWN = 4  # pieces from the prior
STEPS = ("from here", "a quarter", "half-way", "three quarters", "to there")


@dataclass(frozen=True)
class Study:
    """Models measured on the test pieces of their corpus, beside what was recorded of the other corpora."""

    record: str | Path
    models: dict[str, page.Chosen]  # the first is listened to
    pieces: Corpus
    train: Corpus
    test: Corpus
    piece: int  # to listen to
    other: int  # to go to
    found: dict[str, dict]  # model -> what `tvae.studies.codes.measure` gives

    @property
    def vae(self) -> TransformerVAE:
        return next(iter(self.models.values())).vae

    @property
    def own(self) -> dict:
        return next(iter(self.found.values()))

    @cached_property
    def sides(self) -> measured.Sides:
        """What was measured now, and what was recorded of the other corpora."""
        recorded = measured.read(page.recorded(self.record, "inside.json"))
        return measured.sides(recorded, "codes", self.pieces.name, self.found)

    def rates(self) -> plots.Shown:
        """What the code of a bar costs, by what the bar is to earlier ones."""
        return plots.show(
            plots.dots(measured.rates_by_kind(self.sides), "rate, as a multiple of that of new bars"),
            "Rate of bars that equal an earlier bar, are one transposed, or share a rhythm, as a multiple of matched "
            "new bars, for each model.",
            "What the code of a bar costs by what it is to earlier bars; 1 is a new bar at the same position with as "
            "many notes. Lines are 95 % intervals over songs.",
            file="codes-kinds",
        )

    def rates_in_numbers(self) -> tables.Table:
        sides = self.sides.items()
        return self._table([row | self._named(side) for side, one in sides for row in measured.kinds(one["matched"])])

    @staticmethod
    def _named(side: tuple[measured.Origin, str]) -> dict[str, str]:
        origin, model = side
        return {"": str(origin), "model": plots.MODEL_NAMES[model]}

    @staticmethod
    def _table(rows: list[dict]) -> tables.Table:
        """Rows as a table whose first columns say what was measured of which model."""
        frame = pd.DataFrame(rows)
        return tables.plain(frame[["", "model", *frame.columns.drop(["", "model"])]])

    def verdict(self) -> tables.Table:
        return page.verdict(self.record, "C4")

    def fifth_codes(self) -> listen.Players:
        """The chosen piece with its own z_5 and with those of `tvae.studies.codes.fifth_codes`."""
        tokens, title = self.pieces.tokens[self.piece], str(self.pieces.title[self.piece])
        first = self.pieces.part(np.concatenate([[self.piece], self._test_index]))
        variants = codes.fifth_codes(transfer.encode(self.vae, first.tokens), first, np.array([0]))
        heard = [transfer.decode(self.vae, z)[0] for z in variants.values()]
        roles = ["host", *["result"] * len(heard)]
        return listen.players([tokens, *heard], [title, *(f"z₅: {name}" for name in variants)], roles)

    @property
    def _test_index(self) -> np.ndarray:
        return self.pieces.split(next(iter(self.models.values())).fold)[1]

    def fifth_bars(self) -> plots.Shown:
        """In how many results bar 5 equals bar 1, by the z_5 that was given."""
        return plots.show(
            plots.dots(measured.fifth_bars(self.sides), "share of results in which bar 5 equals bar 1"),
            "Share of A-A pieces whose bar 5 still equals bar 1 when z5 is replaced, for each model.",
            "A-A pieces decoded with their own z₅ and with three others: in how many the result's bar 5 is its bar 1, "
            "note for note. 95 % intervals over songs.",
            file="codes-fifth_bar",
        )

    def fifth_bars_by_training(self) -> tables.Table:
        """The same of every recorded training of attention, as each has its own seed."""
        rows = [
            {"corpus": run["corpus"], "fold and seed": run["fold"]}
            | {row["z_5"]: f"{row['equal'][0]:.0%}" for row in run["codes"]["fifth_bar"]}
            for run in measured.read(page.recorded(self.record, "inside.json"))["runs"].values()
            if run["model"] == "attention"
        ]
        return tables.plain(pd.DataFrame(rows))

    def told_again(self) -> tables.Table:
        rows = [
            self._named(side)
            | {
                "A-A pieces": number(one["told_again"]["A-A"], ".1%"),
                "bar 5 is new": number(one["told_again"]["new"], ".1%"),
            }
            for side, one in self.sides.items()
        ]
        return tables.plain(pd.DataFrame(rows))

    def copy_test(self) -> tables.Table:
        rows = [
            self._named(side)
            | {
                "pieces": one["copy_test"]["pieces"],
                "rate of bar 5 as it was": one["copy_test"]["own"][0],
                "another song's bar": one["copy_test"]["control"][0],
                "copy of bar 1": one["copy_test"]["copy"][0],
                "saved by the copy": tables.interval(one["copy_test"]["saving"], ".1%"),
            }
            for side, one in self.sides.items()
        ]
        return tables.plain(pd.DataFrame(rows))

    def changes(self) -> page.Below:
        """Which bars change with a code; a figure a corpus."""
        origins = dict.fromkeys(origin for origin, _ in self.sides)
        return page.below(
            plots.show(
                plots.changed_bars({m: np.array(one["changes"]) for (o, m), one in self.sides.items() if o == origin}),
                f"Which bars change when one code is drawn anew; {origin}.",
                f"{origin}: rows are codes that were drawn anew from the prior, columns the bars of the result, "
                "numbers the share of steps that changed (in %).",
            )
            for origin in origins
        )

    def rate_per_dimension(self) -> plots.Shown:
        return plots.show(
            plots.rate_per_dimension(np.array(self.own["rate_per_dimension"])),
            "Rate of each dimension of the eight codes, sorted; a line a bar.",
            "Rate of each dimension of the codes of bars 1 to 8, the most used first (attention, "
            f"{self.pieces.name}); the digits on the lines are the bars.",
        )

    def active_units(self) -> tables.Table:
        rows = [
            self._named(side) | {f"bar {bar}": units for bar, units in enumerate(one["active_units"], 1)}
            for side, one in self.sides.items()
        ]
        return tables.plain(pd.DataFrame(rows))

    def map(self) -> plots.Shown:
        """Codes of bar 1 in two dimensions, by what can be read off the bar."""
        points, share = codes.principal(transfer.encode(self.vae, self.test.tokens)[:, 0])
        shown = np.random.default_rng(0).permutation(len(points))[:MAPPED]
        features = codes.features(self.test.tokens[shown])
        named = {"notes in bar 1": features["notes"], "first to last note (semitones)": features["contour"]}
        return plots.show(
            plots.code_map(points[shown], named, share),
            "Codes of bar 1 in two dimensions, once by number of notes, once by contour.",
            f"Bar 1 of {len(shown)} test pieces: the two directions in which z₁ varies most. Above by how many notes "
            "the bar has, below by how far it goes up or down; neither depends on the key.",
        )

    def way(self) -> listen.Players:
        """From one piece to the other, all codes on a straight line."""
        return self._way(slice(None), STEPS)

    def way_of_bar_1(self) -> listen.Players:
        """The same of z_1 alone."""
        return self._way(slice(0, 1), [f"z₁ {step}" for step in STEPS])

    def _way(self, which: slice, titles: tuple | list) -> listen.Players:
        start, end = transfer.encode(self.vae, self.pieces.tokens[[self.piece, self.other]])
        between = codes.between(start, end, len(STEPS), which)
        return listen.players(list(transfer.decode(self.vae, between)), titles)

    def from_prior(self) -> listen.Players:
        drawn = codes.from_prior(self.vae, DRAWN)
        return listen.players(list(drawn), [f"from the prior, {k}" for k in range(1, DRAWN + 1)])

    def run(self) -> page.Below:
        return page.below(one.source for one in self.models.values())

    def tell(self) -> None:
        repeated = {
            side: next(row for row in one["matched"] if row["kind"] == "repeated") for side, one in self.sides.items()
        }
        numbers = {
            "corpus": self.pieces.name,
            "rate": next(row["rate"] for row in self.own["matched"] if row["kind"] == "repeated"),
            "rate_new": next(row["rate_new"] for row in self.own["matched"] if row["kind"] == "repeated"),
            "active": float(np.mean(self.own["active_units"])),
            "width": self.vae.config.d_latent,
            "notes": self.own["explained"]["notes"],
            "contour": self.own["explained"]["contour"],
        }
        for (origin, model), one in self.sides.items():
            saved = repeated[origin, model]["saving"]  # None where no repeat has a new bar to be compared with
            numbers[f"{origin.corpus}_{model}_saved"] = None if saved is None else 100 * saved
            if model == "attention":
                for row, short in zip(one["fifth_bar"], ("own", "mean", "again", "new")):
                    numbers[f"{origin.corpus}_{short}"] = 100 * row["equal"][0]
                numbers[f"{origin.corpus}_returns"] = 100 * one["fifth_bar"][0]["pieces"] / one["pieces"]
        numbers |= {f"share_{name.split()[-1]}": 100 * share for name, share in self.own["repeated_share"].items()}
        page.tell("codes", {name: math.nan if number is None else number for name, number in numbers.items()})


def study(
    corpus: str = "folk",
    piece: int | str = 0,
    other: int | str = 1,
    model: str | None = None,
    record: str | Path = "figures",
    weights: str | Path = "weights",
) -> Study:
    """Measure the recorded models of a corpus; `piece` and `other` (titles or numbers) are to listen to.

    `model` chooses one of them by its name, ``official``, or a weights file; None: all that can be looked into.
    """
    names = [model] if model else measured.inspected(page.entries(record), corpus) or ["attention"]
    chosen = [page.chosen(name, corpus, record, weights) for name in names]
    pieces = load(corpus)
    heard = pieces.find(piece), pieces.find(other)
    train, test = map(pieces.part, pieces.split(chosen[0].fold))
    found = {one.model: codes.measure(one.vae, train, test) for one in chosen}
    return Study(record, {one.model: one for one in chosen}, pieces, train, test, *heard, found)
