"""The page "Where it looks": one head's map of one piece, and the count over all test pieces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tvae.corpus import Corpus, load
from tvae.errors import TvaeError
from tvae.report import listen, measured, plots, tables
from tvae.report.answers import listed
from tvae.report.pages import page
from tvae.studies import attention
from tvae.studies.attention import Head


@dataclass(frozen=True)
class Study:
    """A model with attention, measured on the test pieces of its corpus, beside the record of the other corpora."""

    record: str | Path
    chosen: page.Chosen
    pieces: Corpus
    piece: int
    head: Head  # that is shown
    finder: Head  # that finds repeats best
    maps: dict[str, np.ndarray]  # of the piece: kind -> (1, layers, heads, 8, 8)
    found: dict  # what `tvae.studies.attention.measure` gives

    @property
    def tokens(self) -> np.ndarray:
        return self.pieces.tokens[self.piece]

    @property
    def title(self) -> str:
        return str(self.pieces.title[self.piece])

    @cached_property
    def corpora(self) -> dict[measured.Origin, dict]:
        """What was measured now, and what was recorded of the other corpora."""
        recorded = measured.read(page.recorded(self.record, "inside.json"))
        sides = measured.sides(recorded, "attention", self.pieces.name, {"attention": self.found})
        return {origin: one for (origin, model), one in sides.items() if model == "attention"}

    def map(self) -> plots.Shown:
        """The chosen head on the chosen piece."""
        head = self.head
        weights = self.maps[head.kind][0, head.layer - 1, head.number - 1]
        return plots.show(
            plots.attention_map(weights, self.tokens, head.kind, str(head)),
            f"Attention of {head} on {self.title}: a map of eight by eight bars with the melody along both axes.",
            f"{self.title}: where {head} looks, in per cent of each row. The melody stands along both axes, bars that "
            "are equal share a tint; a frame marks where a bar looks at an earlier bar that it equals.",
        )

    def player(self) -> listen.Player:
        return listen.player(self.tokens, self.title)

    def masses(self) -> page.Below:
        """Of every head the mass on repeated bars, found and expected; a figure a corpus."""
        return page.below(self._masses(origin, one) for origin, one in self.corpora.items())

    @staticmethod
    def _masses(origin: measured.Origin, one: dict) -> plots.Shown:
        best = one["heads"][one["finder"]]
        return plots.show(
            plots.attention_masses(one["heads"], one["finder"]),
            f"Mass on the repeated bar, found and expected, for each head; {origin}.",
            f"{origin}: mean attention mass on the earlier bar over {one['pairs']:,} pairs of equal bars in "
            f"{one['pieces']:,} test pieces; thin lines are 95 % intervals over songs. The ring is the head chosen on "
            f"training pieces: {plots.ATTENTIONS[best['kind']][0]}, layer {best['layer']}, head {best['number']}.",
            file=f"attention-{origin.corpus}-attention",
        )

    def verdict(self) -> tables.Table:
        return page.verdict(self.record, "C5")

    def best_heads(self) -> tables.Table:
        """The five heads of each corpus that put most mass on the repeated bar beyond what is expected."""
        rows = []
        for origin, one in self.corpora.items():
            for head in sorted(one["heads"], key=lambda head: head["expected"][0] - head["found"][0])[:5]:
                rows.append(
                    {
                        "": str(origin),
                        "attention": plots.ATTENTIONS[head["kind"]][0],
                        "layer.head": f"{head['layer']}.{head['number']}",
                        "mass found": head["found"][0],
                        "expected": head["expected"][0],
                        "times as much": tables.interval(head["lift"], ".1f"),
                        "untrained": head["untrained"][0],
                        "permuted": head["permuted"],
                    }
                )
        return tables.plain(pd.DataFrame(rows))

    def reach(self) -> page.Text:
        """How much of its attention the same head puts on the bar that is repeated, by how far back that is."""
        said = []
        for origin, one in self.corpora.items():
            each = [f"{row['found'][0]:.0%} at {row['distance']}" for row in one["distance"]]
            said.append(f"{origin}: {listed(each)} {'bar' if each[-1].endswith(' 1') else 'bars'} back.")
        return page.Text(tuple(said))

    def by_distance(self) -> page.Below:
        """The head that finds repeats best, for each distance by itself; a figure a corpus."""
        return page.below(
            plots.show(
                plots.attention_by_distance(one["distance"]),
                "Mass of the chosen head on the repeated bar and on the same place without a repeat, by distance; "
                f"{origin}.",
                f"{origin}: the chosen head by distance; distances with fewer than {attention.FEW} pairs are left out. "
                "Where several earlier bars are equal, the mass is shared among them.",
            )
            for origin, one in self.corpora.items()
            if one["distance"]
        )

    def all_heads(self) -> page.Below:
        """The maps of every head on the chosen piece; a figure for each of the three attentions."""
        return page.below(
            plots.show(
                plots.attention_maps(weights[0], self.tokens, kind),
                f"Attention maps of all layers and heads, {plots.ATTENTIONS[kind][0]}, on {self.title}.",
                f"{self.title}, {plots.ATTENTIONS[kind][0]}: every layer and head. Frames mark the cells of equal "
                "bars; a shaded frame is a repeat that was found.",
            )
            for kind, weights in self.maps.items()
        )

    def run(self) -> tables.Table:
        return self.chosen.source

    def tell(self) -> None:
        best = self.found["heads"][self.found["finder"]]
        lift, low, high = best["lift"]
        page.tell(
            "attention",
            {
                "piece": self.title,
                "finder": str(self.finder),
                "corpus": self.pieces.name,
                "pairs": self.found["pairs"],
                "found": 100 * best["found"][0],
                "expected": 100 * best["expected"][0],
                "lift": lift,
                "low": low,
                "high": high,
                "untrained": max(head["untrained"][2] for head in self.found["heads"]),
                "chance": self.found["chance"],
            },
        )


def study(
    corpus: str = "folk",
    piece: int | str = 0,
    kind: str | None = None,
    layer: int | None = None,
    head: int | None = None,
    model: str = "attention",
    record: str | Path = "figures",
    weights: str | Path = "weights",
) -> Study:
    """Measure a model on a corpus, and look at one piece of it with one head.

    `model` is a recorded one's name, ``official``, or a weights file. `piece` is a title or a number. Where `kind`,
    `layer` or `head` is None, it is that of the head that finds repeats best. Raises TvaeError for a name that does
    not exist, before anything is measured.
    """
    chosen = page.chosen(model, corpus, record, weights)
    vae, pieces = chosen.vae, load(corpus)
    if not attention.looks_back(vae):
        raise TvaeError(f"{chosen.name} has no attention that sees an earlier bar.")
    heads, shown_piece = attention.heads(vae), pieces.find(piece)
    attention.find_head(vae, heads[0], kind, layer, head)
    found = attention.measure(vae, *map(pieces.part, pieces.split(chosen.fold)))
    finder = heads[found["finder"]]
    shown = attention.find_head(vae, finder, kind, layer, head)
    maps = attention.maps(vae, pieces.tokens[[shown_piece]])
    return Study(record, chosen, pieces, shown_piece, shown, finder, maps, found)
