"""The page "Where it stops": relations that are not noticed, and other kinds of music."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from tvae.corpus import NAMES, Corpus, load
from tvae.report import listen, measured, plots, tables
from tvae.report import record as records
from tvae.report.pages import page
from tvae.studies import limits

SHOWN = [*limits.RELATIONS, *limits.OTHERS]


@dataclass(frozen=True)
class Study:
    """A model with attention measured on pieces made of the test pieces of its corpus, beside what was recorded."""

    record: str | Path
    weights: str | Path
    chosen: page.Chosen
    test: Corpus
    made: limits.Variants
    piece: int  # of those that were made
    found: dict  # what `tvae.studies.limits.measure` gives

    @cached_property
    def recorded(self) -> dict:
        return measured.read(page.recorded(self.record, "inside.json"))

    @cached_property
    def sides(self) -> measured.Sides:
        """What was measured now, and what was recorded of the other corpora."""
        sides = measured.sides(self.recorded, "limits", self.test.name, {"attention": self.found})
        return {(origin, model): one for (origin, model), one in sides.items() if model == "attention"}

    def rates(self) -> plots.Shown:
        """What bars 5 to 8 cost by what they are to bars 1 to 4."""
        return plots.show(
            plots.dots(measured.rates_by_relation(self.sides), "rate of bars 5 to 8 (nats a bar)"),
            "Rate of bars 5 to 8 when they are a copy, a transposition, a retrograde, an inversion, a rhythm-only copy "
            "of bars 1 to 4, or unrelated.",
            "What bars 5 to 8 cost by what they are to bars 1 to 4. Made from test bars, with as many notes in each "
            "variant; lines are 95 % intervals over songs.",
        )

    def variants(self) -> listen.Players:
        return listen.players([self.made.tokens[name][self.piece] for name in SHOWN], SHOWN)

    def gains(self) -> plots.Shown:
        """What a relation is worth beyond its notes."""
        return plots.show(
            plots.dots(
                measured.gains(self.sides), "share of the rate that the relation saves beside its shuffled twin"
            ),
            "Share of the rate that copy, transposition, retrograde and inversion save beside the same notes in a "
            "shuffled order.",
            "What a relation is worth beyond its notes: the share by which bars 5 to 8 cost less than with the same "
            "rhythm and pitches in a shuffled order. At 0 nothing of the relation is noticed.",
            file="limits-gain",
        )

    def in_numbers(self) -> tables.Table:
        rows = [
            {
                "": str(origin),
                "bars 5 to 8": row["variant"],
                "rate (nats a bar)": tables.interval(row["rate"], ".2f"),
                "below unrelated": tables.interval(row["saving"], ".1%"),
                "accuracy, free-running": tables.interval(row["accuracy"], ".3f"),
            }
            for (origin, _), one in self.sides.items()
            for row in one["variants"]
        ]
        return tables.plain(pd.DataFrame(rows))

    def verdict(self) -> tables.Table:
        return page.verdict(self.record, "C6")

    @cached_property
    def everywhere(self) -> list[dict]:
        """First runs on the test pieces of every corpus: on folk measured now, else recorded."""
        entries = page.entries(self.record)
        runs = [run for name in NAMES for run in measured.inspected(entries, name).values()]
        folk = {"folk": load("folk")}
        weights = page.located(self.weights)
        live = [measured.elsewhere(run, records.load_model(weights, run), folk, "folk") for run in runs]
        now = {row["run"] for row in live}
        return [*live, *(r for r in self.recorded["elsewhere"] if r["tested_on"] != "folk" or r["run"] not in now)]

    def elsewhere(self) -> page.Below:
        """Accuracy and rate on other kinds of music."""
        statistics = (
            ("accuracy_free_running", "free-running frame accuracy", 3),
            ("rate_nats_per_piece", "rate (nats a piece)", 0),
        )
        return page.below(
            plots.show(
                plots.dots(measured.by_training(self.everywhere, statistic), label, digits),
                f"{label} of each model on the test pieces of each corpus.",
                f"{label} on the test pieces of each corpus, by what the model was trained on; lines are 95 % "
                "intervals over songs.",
            )
            for statistic, label, digits in statistics
        )

    def elsewhere_in_numbers(self) -> tables.Table:
        rows = [
            {
                "tested on": row["tested_on"],
                "trained on": row["trained_on"],
                "model": plots.MODEL_NAMES[row["model"]],
                "pieces": row["pieces"],
                "accuracy": tables.interval(row["accuracy_free_running"], ".3f"),
                "onset F1": tables.interval(row["onset_f1_free_running"], ".3f"),
                "rate": tables.interval(row["rate_nats_per_piece"], ".0f"),
                "distortion": tables.interval(row["distortion_nats_per_piece"], ".0f"),
            }
            for row in self.everywhere
        ]
        return tables.plain(pd.DataFrame(rows))

    def run(self) -> tables.Table:
        return self.chosen.source

    def tell(self) -> None:
        tokens, twin = self.made.tokens, limits.twin
        numbers = {"corpus": self.test.name, "pieces": self.found["pieces"]}
        for name in limits.RELATIONS:
            numbers[name] = 100 * self.found["gain"][name][0]
            numbers[f"{name}_in_place"] = 100 * limits.in_place(tokens[name])
            numbers[f"{name}_twin_in_place"] = 100 * limits.in_place(tokens[twin(name)])
        page.tell("limits", numbers)


def study(
    corpus: str = "folk",
    piece: int | str = 0,
    model: str = "attention",
    record: str | Path = "figures",
    weights: str | Path = "weights",
) -> Study:
    """Make the variants of a corpus's test pieces and measure a model on them; `piece` is to listen to.

    `model` is a recorded one's name, ``official``, or a weights file.
    """
    chosen = page.chosen(model, corpus, record, weights)
    pieces = load(corpus)
    test = pieces.part(pieces.split(chosen.fold)[1])
    made = limits.variants(test)
    heard = test.part(made.source).find(piece)
    return Study(record, weights, chosen, test, made, heard, limits.measure(chosen.vae, test))
