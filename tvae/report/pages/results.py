"""The page "The table": the recorded models beside each other, and what they decide about the paper's claims."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tvae import transfer
from tvae.baselines import LSTMVAE
from tvae.corpus import Corpus, load
from tvae.errors import TvaeError
from tvae.model import TransformerVAE
from tvae.report import answers, claims, listen, plots, results, status, tables
from tvae.report import record as records
from tvae.report.entry import Entry
from tvae.report.pages import page
from tvae.report.typeset import number
from tvae.runs import planned
from tvae.studies import comparison

GROUPS = {"first": claims.FIRST, "comparison": claims.COMPARISON, "inside": claims.INSIDE, "transfer": claims.TRANSFER}
UNHEARD = page.Text(("No run is recorded with its weights, so none can be heard or measured here.",))


@dataclass(frozen=True)
class Study:
    """The recorded runs in blocks that can be compared, and what they decide."""

    record: Path
    weights: Path
    entries: list[Entry]
    reported: dict[str, dict[str, float]]  # the paper's own numbers

    @cached_property
    def blocks(self) -> list[results.Block]:
        return results.blocks(self.entries)

    @cached_property
    def scores(self) -> pd.DataFrame:
        return results.scores(self.record, self.blocks)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The scores, those of the authors' checkpoint where it is at hand, and of what needs no model."""
        descriptions = results.read_descriptions(page.recorded(self.record, "corpora.json"))
        official = results.official_rows(self.weights, self.blocks)
        parts = (self.scores, official, results.trivial_rows(descriptions, self.blocks))
        return pd.concat([part for part in parts if len(part)])

    @cached_property
    def findings(self) -> list[claims.Finding]:
        return claims.read(self.record)

    def table(self) -> tables.Table:
        return tables.comparative(self.rows, self.reported)

    def who(self) -> tables.Table:
        """What the rows of `table` are, those that need no model left out."""
        return tables.models(self.rows.model)

    def papers_numbers(self) -> page.Text:
        """Where the paper's own numbers are, or why they are not."""
        if self.reported:
            return page.Text(
                ("The columns “in the paper” are from book/paper_reported.yml; “difference” is ours less the paper's.",)
            )
        return page.Text(
            (
                "The paper's own numbers are not here. They are not available to us and are not guessed.",
                "Who has the paper can write them into book/paper_reported.yml: then each appears beside ours.",
            )
        )

    def missing(self) -> page.Text:
        """Which runs that config.yaml plans at the preset of the first block are not recorded."""
        preset, config = self.blocks[0].preset, yaml.safe_load((page.REPOSITORY / "config.yaml").read_bytes())
        if preset not in config["presets"]:
            return page.Text((f"config.yaml plans no run of preset {preset}.",))
        recorded = {run.name for run in records.listed(self.record)}  # those that go beyond the paper too
        return page.Text((status.missing(planned(config, preset), recorded),))

    def verdicts(self) -> tables.Table:
        return tables.verdicts(self.findings)

    def strip(self) -> plots.Shown:
        """The value of each fold beside the threshold of each claim."""
        return plots.show(
            plots.strip(self.findings),
            "For each claim the value of each fold and of all together, with 95 % intervals, beside the threshold.",
            "Each fold's value (small dots) and all folds together (large dots, with 95 % intervals), measured from "
            "the threshold, which is the dashed line. To the right the claim holds. A row has its own scale: its "
            "interval and the threshold span it.",
            file="claims",
        )

    def differences(self) -> tables.Table | page.Text:
        """What attention has more or less than each other model, on the same pieces."""
        compared = [block for block in self.blocks if "attention" in block.runs and len(block.runs) > 1]
        if not compared:
            return page.Text(("Nothing is recorded that attention could be compared with.",))
        return tables.differences(pd.concat([results.differences(self.record, block) for block in compared]))

    @cached_property
    def swept(self) -> dict[str, pd.DataFrame]:
        """The points of the rate-distortion curves, a corpus each."""
        found = {
            block.corpus: results.rate_distortion(self.record, self.entries, block.corpus) for block in self.blocks
        }
        return {corpus: points for corpus, points in found.items() if len(points)}

    def curves(self) -> page.Below:
        if not self.swept:
            return page.below([page.Text(("No run at another KL weight is recorded.",))])
        return page.below(
            plots.show(
                plots.rate_distortion(points),
                f"Distortion and free-running accuracy over rate on {corpus}, a curve for each model, with 95 % "
                "intervals.",
                f"Models at equal rate on test pieces of {corpus}: distortion above, free-running accuracy below. Each "
                "point is a run at its own KL weight, whiskers are 95 % intervals over songs, rings mark the release's "
                "weight.",
                file=f"rate_distortion-{corpus}",
            )
            for corpus, points in self.swept.items()
        )

    def points(self) -> page.Below:
        return page.below(tables.rate_distortion(points) for points in self.swept.values())

    def at_equal_rate(self) -> page.Below:
        """Pairs of models at the rate that the first has at the release's weight."""
        found = [
            [results.at_equal_rate(self.record, self.entries, corpus, *pair) for pair in results.PAIRS]
            for corpus in self.swept
        ]
        return page.below(tables.equal_rate([pair for pair in pairs if pair]) for pairs in found)

    def rates(self) -> page.Below:
        """The rate of each bar; a figure a block."""
        return page.below(
            plots.show(
                plots.rate_per_bar(results.rates_per_bar(self.record, block)),
                f"Rate in nats of bars 1 to 8, {block.title}, a line for each model, with 95 % intervals.",
                f"Rate of each bar on test pieces ({block.title}), with 95 % intervals. Where a line falls, later bars "
                "are told in fewer nats.",
                # A corpus's first block has most folds, and the figure of the corpus is its own.
                file=f"rate_per_bar-{block.corpus}" if block is self._first(block.corpus) else "",
            )
            for block in self.blocks
        )

    def _first(self, corpus: str) -> results.Block:
        return next(block for block in self.blocks if block.corpus == corpus)

    def drops(self) -> tables.Table:
        """The share by which the rate falls from bar 1 to bars 5-7."""
        drops = self.scores[self.scores.statistic == "rate_drop"]
        text = [tables.interval(triple, ".1%") for triple in zip(drops.value, drops.low, drops.high, strict=True)]
        return tables.plain(pd.DataFrame({"": drops.block, "model": drops.model, "fall, bar 1 to bars 5-7": text}))

    def statistic(self, name: str, words: str, caption: str) -> plots.Shown:
        return plots.show(
            plots.comparison(self.rows[self.rows.statistic == name], words),
            f"{words.capitalize()} of each model on each corpus with 95 % intervals.",
            caption,
            file=name,
        )

    def frames(self) -> plots.Shown:
        caption = "Free-running frame accuracy on test pieces; whiskers are 95 % intervals."
        return self.statistic("accuracy_free_running", "free-running frame accuracy", caption)

    def onsets(self) -> plots.Shown:
        caption = "Free-running onset F1: the notes themselves, without the steps that only hold them."
        return self.statistic("onset_f1_free_running", "free-running onset F1", caption)

    @cached_property
    def own(self) -> list[Entry]:
        """The runs whose weights are released, on the embedded tunes; without those, on the record's first corpus."""
        released = [run for run in self.entries if run.released]
        corpus = min((run.corpus for run in released), key=lambda name: name != "folk", default="")
        return [run for run in released if run.corpus == corpus]

    @cached_property
    def pieces(self) -> Corpus:
        """The corpus of `own`."""
        return load(self.own[0].corpus)

    @cached_property
    def models(self) -> dict[str, TransformerVAE | LSTMVAE]:
        order = {model: number for number, model in enumerate(plots.MODEL_NAMES)}
        runs = sorted(self.own, key=lambda run: order[run.model])
        return {run.model: records.load_model(self.weights, run) for run in runs}

    def heard(self, which: tuple[int, ...] = (3, 40)) -> listen.Players | page.Text:
        """Test tunes, each followed by what every model gives back of it."""
        if not self.own:
            return UNHEARD
        index = self.pieces.split(self.own[0].fold)[1]
        test = self.pieces.part(index[[number % len(index) for number in which]])
        given_back = {model: transfer.reconstruct(vae, test.tokens) for model, vae in self.models.items()}
        pieces, titles = [], []
        for k, (tokens, title) in enumerate(zip(test.tokens, test.title, strict=True)):
            pieces += [tokens, *(again[k] for again in given_back.values())]
            titles += [str(title), *(f"{title}: {plots.MODEL_NAMES[model]}" for model in given_back)]
        return listen.players(pieces, titles)

    @cached_property
    def moved(self) -> pd.DataFrame:
        if not self.own:
            return pd.DataFrame({"semitones": [0], "value": np.nan, "low": np.nan, "high": np.nan})
        vae = self.models.get("attention") or next(iter(self.models.values()))
        return comparison.accuracy_by_transposition(vae, self.pieces, self.own[0].fold)

    def transposed(self) -> tables.Table:
        """Free-running accuracy of transposed test tunes."""
        intervals = zip(self.moved.value, self.moved.low, self.moved.high, strict=True)
        text = [tables.interval(triple, ".3f") for triple in intervals]
        semitones = [number(k, "+d") for k in self.moved.semitones]
        return tables.plain(pd.DataFrame({"semitones": semitones, "accuracy, free-running": text}))

    def checks(self) -> tables.Table | page.Text:
        """The recorded figures measured again from the weights."""
        if not self.own:
            return UNHEARD
        return tables.checked(pd.concat([results.recompute(run, self.weights) for run in self.own]))

    def runs(self) -> tables.Table:
        return tables.runs(self.entries)

    def tell(self) -> None:
        tests = {
            f"tests_{name}": tables.tests([claim for claim in claims.CLAIMS if claim.group == group])
            for name, group in GROUPS.items()
        }
        sentences = answers.answers(self.record, self.entries, self.findings)
        told = {f"answer_{name}": page.Text((sentence,)) for name, sentence in sentences.items()}
        numbers = {
            "verdicts": self.verdicts(),
            "strip": self.strip(),
            "table": self.table(),
            "headline": self.rates().shown[0],
            "heard": self.heard((3,)),
            "checked": self.checks(),
            "untransposed": float(self.moved.set_index("semitones").value[0]),
            "transposed": float(np.mean(self.moved.value)),
        }
        page.tell("", tests | told | numbers)


def study(
    record: str | Path = "figures", weights: str | Path = "weights", reported: str | Path = "book/paper_reported.yml"
) -> Study:
    """The recorded runs; `reported` is the file with the paper's own numbers.

    Raises `TvaeError` where no run is recorded that a table could show.
    """
    paper = records.read_reported(page.located(reported))
    found = Study(page.located(record), page.located(weights), page.entries(record), paper)
    if not found.blocks:
        raise TvaeError(
            f"{found.record} has no run of fold 0 and seed 0 for the table; train one, then `python -m tvae record`."
        )
    return found
