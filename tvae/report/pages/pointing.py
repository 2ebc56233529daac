"""The page 'When does "as bar 1" appear?': one long run, measured along its way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tvae.report import emerged, listen, plots, tables
from tvae.report.claims import CLAIMS
from tvae.report.pages import page

THRESHOLDS = {claim.id: claim.threshold for claim in CLAIMS}


@dataclass(frozen=True)
class Study:
    """What was recorded of a run that kept its weights along the way, or None, beside the runs of the comparison."""

    record: str | Path
    found: dict | None

    @cached_property
    def ended(self) -> pd.DataFrame:
        """Recorded runs of the same model and corpus, at the pieces they ended with."""
        return emerged.ended(page.located(self.record), page.entries(self.record), self.corpus)

    @property
    def corpus(self) -> str:
        return self.found["corpus"] if self.found else "hooktheory"

    def answer(self) -> page.Text:
        """When later bars become cheaper, and when the structure stays."""
        attention = self.fallen[self.fallen["model"] == "attention"]
        early = emerged.from_then_on(attention, THRESHOLDS["R1"])
        return page.Text((*early, emerged.answer(self.found, THRESHOLDS["C7"])))

    @cached_property
    def fallen(self) -> pd.DataFrame:
        return emerged.falls(page.located(self.record), page.entries(self.record), self.corpus)

    def curves(self) -> plots.Shown | page.Text:
        """Five measures of pointing, against pieces seen."""
        if self.found is None:
            return page.Text(
                ("A run of three million pieces, measured at ten moments of its way, is not recorded yet.",)
            )
        return plots.show(
            plots.emergence(emerged.curves(self.found), self.ended, emerged.STATISTICS, emerged.RELEASE),
            "Structure kept, bar 5 repeated from a z5 that says nothing, rate of repeated bars, attention found and "
            "accuracy, against pieces seen.",
            f"Five measures of pointing on the test songs of {self.found['corpus']}, fold {self.found['fold']}, while "
            f"one run of {self.found['points'][-1]['pieces']:,} pieces goes on (dots, averaged weights; bands are 95 % "
            "intervals over songs). Diamonds are runs that ended there with a low learning rate. The dashed line is "
            "how long the release trains.",
            file="pointing",
        )

    def players(self) -> listen.Players | page.Text:
        """One swap of bar 1, as the model made it at the beginning, half-way and at the end."""
        if self.found is None:
            return page.Text(("Neither is its sound.",))
        points = self.found["points"]
        chosen = [points[k] for k in (0, len(points) // 2, len(points) - 1)]
        heard = points[0]["heard"]
        pieces = [heard["host"], heard["donor"], *(point["heard"]["result"] for point in chosen)]
        titles = [*heard["titles"], *(f"after {emerged.seen(point['pieces'])} pieces" for point in chosen)]
        roles = ["host", "donor", *["result"] * len(chosen)]
        return listen.players([np.array(tokens) for tokens in pieces], titles, roles)

    def falls(self) -> plots.Shown | page.Text:
        """The rate of later bars while the runs of the comparison train."""
        if not len(self.fallen):
            return page.Text((f"No run on {self.corpus} is recorded.",))
        return plots.show(
            plots.falls(self.fallen),
            "Fall of the rate from bar 1 to bars 5-7 against pieces seen, a line for each recorded run.",
            f"How much less bars 5-7 cost than bar 1 while the recorded runs on {self.corpus} train: a line a run, "
            "means over training batches.",
            file="pointing-falls",
        )

    def in_numbers(self) -> tables.Table | page.Text:
        """A row a moment."""
        if self.found is None:
            return page.Text(("Nor its numbers.",))
        rows = [
            {"pieces seen": emerged.seen(point["pieces"])}
            | {words: tables.interval(point[name], ".2f") for name, words in emerged.STATISTICS.items()}
            for point in self.found["points"]
        ]
        return tables.plain(pd.DataFrame(rows))

    def run(self) -> tables.Table | page.Text:
        if self.found is None:
            return page.Text(("No run yet.",))
        about = {name: self.found[name] for name in ("model", "corpus", "preset", "fold", "seed", "precision")}
        return tables.with_commits([about | {"commit": self.found["git_commit"]}])


def study(record: str | Path = "figures") -> Study:
    """Read the recorded run that kept its weights along the way."""
    found = emerged.read(page.recorded(record, "emergence.json"))
    return Study(record, found[0] if found else None)
