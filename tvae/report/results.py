"""What the page of results shows: statistics of the recorded runs with their intervals, as rows.

python -m tvae measure --data-dir DIR    describes the corpora, into figures/corpora.json
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tvae import checkpoint
from tvae.corpus import NAMES, Corpus, load
from tvae.errors import TvaeError
from tvae.evaluate import Pieces, evaluate, terms
from tvae.files import write_json
from tvae.melody import PIECE
from tvae.model import parameter_count
from tvae.presets import MODELS, PRESETS
from tvae.report import record as records
from tvae.report.entry import Entry
from tvae.studies.comparison import FOLD_SETS, Curve, EqualRate, equal_rate, fold_label
from tvae.studies.description import describe
from tvae.studies.statistics import interval, over_folds, quantiles, ratio, resampled

PAPER_CORPUS = "hooktheory"  # what the paper's own numbers are about: it comes first
PAIRS = (  # that are compared at equal rate; in the first two, context is all that differs
    ("attention", "no_attention"),
    ("attention_lstm", "no_attention_lstm"),
    ("attention_lstm", "lstm_8x1"),
    ("attention", "lstm_8x1"),
    ("attention", "lstm_1x8"),
)
DIFFERENCES = ("accuracy_free_running", "onset_f1_free_running", "rate_nats_per_piece", "distortion_nats_per_piece")


def read_descriptions(path: str | Path) -> dict[str, dict]:
    """The recorded `describe` of each corpus, by name."""

    def by_name(found: list[dict]) -> dict[str, dict]:
        return {description["name"]: description for description in found}

    return by_name(records.measurement(path, "descriptions of corpora", by_name))


Triple = Sequence[np.ndarray | float]  # value, low, high


@dataclass(frozen=True)
class Block:
    """Runs that can be compared: models trained on one corpus with one preset, tested on the same folds.

    `runs` holds a model's entries in the order of `folds`.
    """

    corpus: str
    preset: str
    folds: tuple[int, ...]
    runs: dict[str, list[Entry]]

    @property
    def title(self) -> str:
        return f"{self.corpus}, preset {self.preset}, {fold_label(self.folds)}"

    def intervals(self, record: str | Path, model: str) -> dict[str, Triple]:
        """Every statistic of a model over the folds: name -> (value, low, high); see `over_folds`.

        Values are the recorded ones, intervals are made from the per-piece scores.
        """
        by_fold = []
        for entry in self.runs[model]:
            pieces, song = records.pieces(record, entry)
            found = intervals(pieces, song)
            recorded = {name: entry.score(name) for name in found}
            by_fold.append(
                {name: (value if recorded[name] is None else recorded[name], low, high)
                 for name, (value, low, high) in found.items()}
            )  # fmt: skip
        return averaged(by_fold)


def intervals(pieces: Pieces, song: np.ndarray) -> dict[str, Triple]:
    """Every statistic of per-piece scores with its interval over songs."""
    return {name: interval(*term, song) for name, term in terms(pieces).items()}


def averaged(by_fold: list[dict[str, Triple]]) -> dict[str, Triple]:
    """Every statistic over the folds; see `over_folds`."""
    return {name: over_folds([found[name] for found in by_fold]) for name in by_fold[0]}


def blocks(entries: list[Entry]) -> list[Block]:
    """What the tables compare: for each corpus, the models recorded on five folds, and on fold 0 if those differ.

    Sweeps over KL weights are left to `rate_distortion`.
    """
    found = []
    names = dict.fromkeys(entry.corpus for entry in entries)
    for corpus in sorted(names, key=lambda name: name != PAPER_CORPUS):
        own = [entry for entry in entries if entry.corpus == corpus and not entry.sweep]
        seen = None
        for folds in FOLD_SETS:
            runs = {}
            for model in MODELS:
                by_fold = {entry.fold: entry for entry in own if entry.model == model}
                if set(folds) <= set(by_fold):
                    runs[model] = [by_fold[fold] for fold in folds]
            if runs and set(runs) != seen:
                found.append(Block(corpus, own[0].preset, folds, runs))
                seen = set(runs)
    return found


def model_rows(block: Block, model: str, parameters: int, pieces: int, found: Mapping[str, Triple]) -> Iterator[dict]:
    """What the tables say of a model in a block, a row a statistic. Per-bar statistics are left out.

    Columns: corpus, block, model, parameters, pieces (of training), statistic, value, low, high.
    """
    about = {"corpus": block.corpus, "block": block.title, "model": model, "parameters": parameters, "pieces": pieces}
    for statistic, (value, low, high) in found.items():
        if np.ndim(value) == 0:
            yield about | {"statistic": statistic, "value": float(value), "low": float(low), "high": float(high)}


def scores(record: str | Path, found: list[Block]) -> pd.DataFrame:
    """Every statistic of every model in these blocks with its interval, from the per-piece scores, as `model_rows`."""
    return pd.DataFrame(
        row
        for block in found
        for model, runs in block.runs.items()
        for row in model_rows(block, model, runs[0].parameters, runs[0].pieces, block.intervals(record, model))
    )


def trivial_rows(descriptions: dict[str, dict], found: list[Block]) -> pd.DataFrame:
    """The rows that need no model, for the corpora and folds of these blocks, as `model_rows`.

    `descriptions` are those that `read_descriptions` gives; a corpus that it lacks, one's own, is described now.
    """
    of_ones_own = {block.corpus for block in found} - set(descriptions)
    descriptions = descriptions | {name: describe(load(name)) for name in of_ones_own}
    return pd.DataFrame(
        row
        for block in found
        for model, statistics in descriptions[block.corpus]["trivial"][fold_label(block.folds)].items()
        for row in model_rows(block, model, 0, 0, statistics)
    )


def official_rows(weights: Path, found: list[Block]) -> pd.DataFrame:
    """The authors' checkpoint, once `tvae.official` has made a weights file of it, as `model_rows`.

    Measured now, on the folds of those blocks whose corpus is at hand in the recorded version.
    """
    path, rows = weights / "official.safetensors", []
    vae = checkpoint.load(path) if path.exists() else None
    for block in found if vae else ():
        try:
            corpus = load(block.corpus)
        except TvaeError:
            continue  # there is nothing to measure it on here
        if corpus.sha256 != next(iter(block.runs.values()))[0].corpus_sha256:
            continue
        by_fold = []
        for fold in block.folds:
            test = corpus.part(corpus.split(fold)[1])
            _, pieces = evaluate(vae, test.tokens, test.length)
            by_fold.append(intervals(pieces, test.song))
        rows += model_rows(block, "official", parameter_count(vae), PRESETS["paper"].stage_1.rows, averaged(by_fold))
    return pd.DataFrame(rows)


def rates_per_bar(record: str | Path, block: Block) -> dict[str, Triple]:
    """The rate of each bar of the models that have a code a bar: model -> (value, low, high), each (T,) nats."""
    found = {model: block.intervals(record, model).get("rate_per_bar") for model in block.runs}
    return {model: rates for model, rates in found.items() if rates}


def paired_difference(record: str | Path, entry: Entry, other: Entry, statistic: str) -> tuple[float, float, float]:
    """A statistic of one run less that of another, on the same pieces, with the interval of the paired difference."""
    (pieces, song), (others, same) = records.pieces(record, entry), records.pieces(record, other)
    if not np.array_equal(song, same):
        raise TvaeError(f"{entry.name} and {other.name} were not tested on the same pieces.")
    sums = resampled(song, *terms(pieces)[statistic], *terms(others)[statistic])
    (top, tops), (bottom, bottoms), (top_other, tops_other), (bottom_other, bottoms_other) = sums
    low, high = quantiles(ratio(tops, bottoms) - ratio(tops_other, bottoms_other))
    return float(ratio(top, bottom) - ratio(top_other, bottom_other)), float(low), float(high)


def difference(record: str | Path, block: Block, model: str, other: str, statistic: str) -> tuple[float, float, float]:
    """`paired_difference` of two models over the folds of a block."""
    pairs = zip(block.runs[model], block.runs[other], strict=True)
    value, low, high = over_folds([paired_difference(record, *pair, statistic) for pair in pairs])
    return float(value), float(low), float(high)


def differences(record: str | Path, block: Block) -> pd.DataFrame:
    """`difference` of attention to every other model of a block, for `DIFFERENCES`, as `model_rows`."""
    rows = []
    for other, runs in block.runs.items():
        if other != "attention":
            found = {name: difference(record, block, "attention", other, name) for name in DIFFERENCES}
            rows += model_rows(block, other, runs[0].parameters, runs[0].pieces, found)
    return pd.DataFrame(rows)


def beta(entry: Entry) -> float:
    """A run's KL weight (of means, the release's) as the beta of a summed ELBO: of 512 dimensions, 1 is 0.25."""
    return entry.kl_weight * PIECE / PRESETS[entry.preset].plan(entry.model).model.latent_dims


def curves(entries: list[Entry], corpus: str, fold: int = 0) -> dict[str, list[Entry]]:
    """The sweeps recorded on a fold of a corpus: model -> its entries, from the lowest KL weight to the highest."""
    own = [entry for entry in entries if entry.corpus == corpus and entry.fold == fold and entry.sweep]
    found = {model: [entry for entry in own if entry.model == model] for model in MODELS}
    return {model: sorted(runs, key=lambda entry: entry.kl_weight) for model, runs in found.items() if runs}


def rate_distortion(record: str | Path, entries: list[Entry], corpus: str) -> pd.DataFrame:
    """Every point of the rate-distortion curves on a corpus, with intervals.

    Columns: model, kl_weight, beta, and rate, distortion, total (their sum, which bounds -log p(x)), accuracy and
    onset_f1 (both free-running), each with `_low` and `_high`; nats are nats a piece.
    """
    named = {"rate_nats_per_piece": "rate", "distortion_nats_per_piece": "distortion",
             "accuracy_free_running": "accuracy", "onset_f1_free_running": "onset_f1"}  # fmt: skip
    rows = []
    for model, runs in curves(entries, corpus).items():
        for entry in runs:
            row = {"model": model, "kl_weight": entry.kl_weight, "beta": beta(entry)}
            pieces, song = records.pieces(record, entry)
            for statistic, name in named.items():
                _, row[f"{name}_low"], row[f"{name}_high"] = interval(*terms(pieces)[statistic], song)
                row[name] = entry.score(statistic)
            row["total"] = row["rate"] + row["distortion"]
            total = pieces["rate"] + pieces["distortion"]
            _, row["total_low"], row["total_high"] = interval(total, np.ones(len(total)), song)
            rows.append(row)
    return pd.DataFrame(rows)


def curve(record: str | Path, runs: list[Entry]) -> Curve:
    """The measured rate-distortion curve of a model, from the entries of its sweep."""
    parts = [records.pieces(record, entry) for entry in runs]

    def stacked(key: str) -> np.ndarray | None:
        if any(key not in pieces for pieces, _ in parts):
            return None
        return np.stack([pieces[key] for pieces, _ in parts], 1)  # (N, points)

    pieces, song = parts[0]
    return Curve(
        np.array([beta(entry) for entry in runs]),
        stacked("rate"),
        stacked("distortion"),
        stacked("correct_free_running"),
        stacked("correct_free_running_sampled"),
        pieces["steps"][:, None],
        song,
    )


def at_equal_rate(
    record: str | Path, entries: list[Entry], corpus: str, model: str, other: str, fold: int = 0
) -> EqualRate | None:
    """`tvae.studies.comparison.equal_rate` of two models' recorded curves, at the rate of `model` at a KL weight of 1.

    None where `model` has no point at weight 1, the other none at all, or the curves have no rate in common.
    """
    found = curves(entries, corpus, fold)
    weights = [entry.kl_weight for entry in found.get(model, ())]
    if 1 not in weights or other not in found:
        return None
    ours, theirs = (curve(record, found[name]) for name in (model, other))
    return equal_rate((model, other), ours, theirs, weights.index(1))


def recompute(entry: Entry, weights: str | Path) -> pd.DataFrame:
    """A recorded run on the embedded corpus, measured again from its released weights.

    Columns: run, statistic, recorded, recomputed, equal (to 4 digits).
    """
    corpus = load(entry.corpus)
    test = corpus.split(entry.fold)[1]
    metrics, _ = evaluate(records.load_model(weights, entry), corpus.tokens[test], corpus.length[test])
    rows = []
    for statistic in (
        "accuracy_free_running",
        "accuracy_teacher_forced",
        "rate_nats_per_piece",
        "distortion_nats_per_piece",
    ):
        recorded, recomputed = entry.score(statistic), metrics[statistic]
        equal = bool(np.isclose(recorded, recomputed, rtol=5e-5, atol=0))
        rows.append({"run": entry.name, "statistic": statistic,
                     "recorded": recorded, "recomputed": recomputed, "equal": equal})  # fmt: skip
    return pd.DataFrame(rows)


def describe_corpora(data: Mapping[str, Corpus], path: Path) -> None:
    """Describe the corpora for the record: sizes, ranges, repeats, and how well one does without a model.

    The description of one that is not at hand stays as it was.
    """
    found = records.kept(path, read_descriptions, {})
    for name in NAMES:
        try:
            found[name] = describe(data[name])
        except TvaeError as error:
            print(f"{name} is not described again: {error}", flush=True)
    write_json(path, [*found.values()])
