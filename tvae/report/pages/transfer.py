"""The page "Context transfer": two songs to listen to, then the measurement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from tvae import melody, midi, transfer
from tvae.baselines import LSTMVAE
from tvae.corpus import Corpus, load
from tvae.errors import TvaeError
from tvae.model import TransformerVAE
from tvae.report import listen, plots, tables, transferred
from tvae.report import record as records
from tvae.report.answers import listed
from tvae.report.entry import Entry
from tvae.report.pages import page
from tvae.studies.statistics import ratio
from tvae.studies.transfers import couples

TOLD = (*transferred.DECIDING, "structure_recall", "repeats_notes", "repeats_notes_unrelated", "register_octave",
        "register_from_host")  # fmt: skip
CONDITIONS = {  # by the name that the prose knows them by
    "swap": "bar 1",
    "none": "no swap",
    "prior": "bar 1 from the prior",
    "own": "bar 1, the host's a fourth away",
    "octave": "bar 1, an octave away",
}


@dataclass(frozen=True)
class Study:
    """Two songs, each once host and once donor, and what was recorded of thousands."""

    record: str | Path
    weights: str | Path
    runs: list[Entry]  # whose models can be measured
    chosen: page.Chosen  # the model that is heard
    songs: tuple[midi.Melody, midi.Melody]
    names: tuple[str, str]
    bars: tuple[int, ...]  # whose codes are the donor's
    semitones: int  # the donor is moved by so many

    @property
    def vae(self) -> TransformerVAE:
        return self.chosen.vae

    @cached_property
    def hosts(self) -> np.ndarray:
        return np.stack([song.tokens for song in self.songs])

    @cached_property
    def results(self) -> np.ndarray:
        donors = melody.transpose(self.hosts[::-1], self.semitones)
        return transfer.context_transfer(self.vae, self.hosts, donors, self.bars)

    @property
    def swapped(self) -> str:
        """``bar 1`` or ``bars 1, 2``."""
        return ("bar " if len(self.bars) == 1 else "bars ") + ", ".join(map(str, self.bars))

    @property
    def shown(self) -> list[np.ndarray]:
        """The songs, what the model gives back of them, and the results."""
        return [*self.hosts, *transfer.reconstruct(self.vae, self.hosts), *self.results]

    @property
    def titles(self) -> list[str]:
        given_back = [f"{name}, reconstructed" for name in self.names]
        pairs = zip(self.names, self.names[::-1])
        return [*self.names, *given_back, *(f"{host}, {self.swapped} from {donor}" for host, donor in pairs)]

    roles = ("host", "donor", "host", "donor", "result", "result")

    @property
    def like(self) -> list[np.ndarray]:
        """The song whose tints each of them has: that in whose column it stands."""
        return [*self.hosts] * 3

    @cached_property
    def drawn(self) -> Figure:
        return plots.piano_rolls(self.shown, self.titles, self.roles, columns=2, like=self.like)

    def rolls(self) -> plots.Shown:
        one, other = self.names
        return plots.show(
            self.drawn,
            f"Six piano rolls in two columns: {one} and {other}, their reconstructions, and each with {self.swapped} "
            "from the other; equal bars share a tint.",
            "Context transfer as in the paper's Fig. 5. Above: two songs. Middle: what the model gives back from their "
            f"codes. Below: decoded again with the code of {self.swapped} exchanged; left the host is {one}, right it "
            f"is {other}. Bars that are equal share a tint and say so (5 = 1).",
            file="transfer-rolls",
        )

    def players(self) -> listen.Players:
        return listen.players(self.shown, self.titles, self.roles, self.songs[0].tempo, self.like)

    def trio(self) -> listen.Players:
        """Host, donor and result alone."""
        chosen = (0, 1, 4)
        parts = [[each[k] for k in chosen] for each in (self.shown, self.titles, self.roles)]
        return listen.players(*parts, self.songs[0].tempo)

    def write(self, out: str | Path) -> page.Text:
        """Both results as MIDI and sound, and the figure, as files; what was noticed in the songs is said."""
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        files = zip(self.results, self.songs, ("a-begun-as-b", "b-begun-as-a"), self.titles[4:])
        for result, song, file, title in files:
            midi.write_midi(result, folder / f"{file}.mid", tempo=song.tempo, name=title)
            listen.write_wav(result, folder / f"{file}.wav", tempo=song.tempo)
        one, other = self.names
        plots.save(self.drawn, folder / "rolls.svg", f"{one} and {other}, reconstructed and transferred")
        written = f"Both results as MIDI and WAV, and the figure, were written to {folder}. Model: {self.chosen.name}."
        notices = [f"{name}: {notice}" for name, song in zip(self.names, self.songs) for notice in song.notices]
        return page.Text((written, *notices))

    def unseen(self, corpus: str) -> tuple[TransformerVAE | LSTMVAE, Corpus] | None:
        """A model of a corpus, the chosen one or else a recorded one, and the test pieces that it never saw."""
        if self.chosen.trained_on == corpus:
            vae, fold = self.vae, self.chosen.fold
        elif own := self.of(corpus):
            vae, fold = records.load_model(page.located(self.weights), own[0]), own[0].fold
        else:
            return None
        pieces = load(corpus)
        return vae, pieces.part(pieces.split(fold)[1])

    def lost(self, corpus: str = "folk") -> page.Below:
        """How many of 100 test tunes keep the repeats of their first bar; one that does, and one that does not."""
        if not (found := self.unseen(corpus)):
            return page.below([page.Text((f"No model of {corpus} is recorded.",))])
        vae, test = found
        pairs = couples(test.song)
        repeats = melody.equal_bars(test.tokens[pairs.host])[:, 0, 1:]
        drawn = np.random.default_rng(1).permutation(np.flatnonzero(repeats.any(1)))[:100]
        hosts, donors = pairs.host[drawn], pairs.donors[drawn, 0]
        results = transfer.context_transfer(vae, test.tokens[hosts], test.tokens[donors])
        again = transfer.reconstruct(vae, test.tokens[hosts])
        is_lost, was_lost = (
            (repeats[drawn] & ~melody.equal_bars(found)[:, 0, 1:]).any(1) for found in (results, again)
        )
        said = (
            f"Of {len(drawn)} test tunes that repeat their first bar, drawn at random, {np.sum(~is_lost)} keep every "
            f"repeat when they begin as another tune does; {np.sum(is_lost)} lose one or more. Only encoded and "
            f"decoded, nothing swapped, {np.sum(was_lost)} lose one or more, {np.sum(is_lost & was_lost)} of them the "
            "same tunes."
        )
        shown = [page.Text((said,))]
        for kind, words in ((False, "One that keeps them:"), (True, "One that loses a repeat:")):
            for k in np.flatnonzero(is_lost == kind)[:1]:
                one, other = (str(test.title[index[k]]) for index in (hosts, donors))
                heard = [test.tokens[hosts[k]], test.tokens[donors[k]], results[k]]
                titles = [one, other, f"{one}, bar 1 from {other}"]
                shown += [page.Text((words,)), listen.players(heard, titles, ["host", "donor", "result"])]
        return page.below(shown)

    @cached_property
    def measured(self) -> list[dict]:
        return transferred.read(page.recorded(self.record, "transfer.json"))

    @cached_property
    def by_corpus(self) -> dict[str, list[dict]]:
        names = dict.fromkeys(run["corpus"] for run in self.measured)
        return {name: [run for run in self.measured if run["corpus"] == name] for name in names}

    def verdicts(self) -> tables.Table:
        return page.verdict(self.record, ("C7", "C8", "C9"))

    def measures(self) -> page.Below:
        """The three measures, by which bars were swapped; a figure a corpus."""
        return page.below(
            plots.show(
                self._measures(runs),
                f"Structure kept, rhythm followed, register followed on {corpus}, a line for each swapped bar and a "
                "marker for each model, with 95 % intervals.",
                f"{corpus}, recorded: {tables.span((run['n'] for run in runs), ',')} transfers a line "
                "and training, in groups of three songs; bars are 95 % intervals over the groups, and over the "
                "trainings of a model that has several. Lines say whose code is the donor's. Dashed: the threshold of "
                "the claim. Arrowheads lie beyond the edge. After bar 8 there is no later bar.",
                file=f"transfer-{corpus}",
            )
            for corpus, runs in self.by_corpus.items()
        )

    @staticmethod
    def _measures(runs: list[dict]) -> Figure:
        rows = transferred.table(runs)
        return plots.transfer(
            rows[rows.condition.isin(transferred.DRAWN)], transferred.DECIDING, transferred.THRESHOLDS
        )

    def by_training(self) -> tables.Table:
        """Attention on each fold by itself, as each training has its own seed."""
        rows = [
            {
                "corpus": run["corpus"],
                "fold and seed": run["fold"],
                "repeats of bar 1 found": tables.interval(run["conditions"]["bar 1"]["structure_recall"], ".2f"),
                "without a swap": tables.interval(run["conditions"]["no swap"]["structure_recall"], ".2f"),
            }
            | {
                words: tables.interval(run["conditions"]["bar 1"][name], ".2f")
                for name, words in transferred.DECIDING.items()
            }
            for run in self.measured
            if run["model"] == "attention"
        ]
        return tables.plain(pd.DataFrame(rows))

    def in_numbers(self) -> page.Below:
        """Every measure when z_1 was swapped, or not; a table a run."""
        runs = [run for own in self.by_corpus.values() for run in own]
        return page.below(
            tables.plain(
                transferred.summary(run),
                f"{run['corpus']}, {plots.MODEL_NAMES[run['model']]} ({run['run']}, {run['n']:,} transfers)",
            )
            for run in runs
        )

    def variants(self) -> listen.Players:
        """The first song with two bars of the other, an octave up, with a drawn code, without attention."""
        (host, donor), other = self.hosts, self.names[1]
        codes = transfer.encode(self.vae, host[None])
        noise = torch.randn(codes.shape, generator=torch.Generator().manual_seed(0)).numpy()
        found = {
            f"bars 1-2 from {other}": transfer.context_transfer(self.vae, host, donor, (1, 2)),
            f"bar 1 from {other}, an octave higher": transfer.context_transfer(
                self.vae, host, melody.transpose(donor, 12)
            ),
            "bar 1 from the prior": transfer.decode(self.vae, transfer.swap(codes, noise, (1,)))[0],
        }
        for run in self.runs:
            if (run.corpus, run.model) == (self.chosen.corpus, "no_attention"):
                plain = records.load_model(page.located(self.weights), run)
                found[f"bar 1 from {other}, no attention"] = transfer.context_transfer(plain, host, donor)
        return listen.players(list(found.values()), list(found), ["result"] * len(found))

    def of(self, corpus: str) -> list[Entry]:
        """The runs on a corpus, that with attention first."""
        own = [run for run in self.runs if run.corpus == corpus]
        return sorted(own, key=lambda run: run.model != "attention")

    def unheard(self, corpus: str) -> page.Below:
        """Two test pieces of a corpus, drawn at random, with the model that was trained on its other songs."""
        if not (found := self.unseen(corpus)):
            return page.below([page.Text((f"No model of {corpus} is recorded.",))])
        vae, test = found
        pairs = couples(test.song)
        shown = []
        for k in np.random.default_rng(1).choice(len(pairs.host), 2, replace=False):
            index = [pairs.host[k], pairs.donors[k, 0]]
            host, donor = test.tokens[index]
            one, other = (str(title) for title in test.title[index])
            heard = [host, donor, transfer.context_transfer(vae, host, donor)]
            titles = [one, other, f"{one}, bar 1 from {other}"]
            shown.append(listen.players(heard, titles, ["host", "donor", "result"]))
        return page.below(shown)

    def live(self, corpus: str, groups: int) -> page.Below:
        """The measures again, from the weights, on so many groups of songs of a corpus; nothing for no group."""
        if not groups or not self.of(corpus):
            return page.below([])
        pieces = load(corpus)
        runs = [
            transferred.measure_run(run, records.load_model(page.located(self.weights), run), pieces, groups)
            for run in self.runs
            if run.corpus == corpus
        ]
        taken = runs[0]["groups"]
        figure = plots.show(
            self._measures(runs),
            f"The same three measures on {corpus}, measured while this page was built.",
            f"{corpus}, from the weights at hand: {runs[0]['n']:,} transfers a line, {taken} group{'s' * (taken > 1)} "
            "of three songs.",
        )
        return page.below([figure])

    def run(self) -> tables.Table:
        """Every run that was measured."""
        names = {run["run"] for run in self.measured}
        return tables.runs([entry for entry in page.entries(self.record) if entry.name in names])

    def tell(self) -> None:
        numbers = {"transfer": self.trio(), "transfer_verdicts": self.verdicts(), "transfer_lost": self.lost()}
        for corpus, runs in self.by_corpus.items():
            rows = transferred.table(runs).set_index(["model", "condition", "measure"]).value
            for short, condition in CONDITIONS.items():
                for measure in TOLD:
                    if ("attention", condition, measure) in rows.index:
                        numbers[f"{corpus}_{short}_{measure}"] = float(rows["attention", condition, measure])
                        each = [run["conditions"][condition][measure][0] for run in runs if run["model"] == "attention"]
                        numbers[f"{corpus}_{short}_{measure}_each"] = listed(f"{value:.2f}" for value in each)
            alone = rows.get(("no_attention", "bar 1", "repeats_notes"), np.nan)
            numbers[f"{corpus}_plain_repeats_notes"] = float(alone)
            floors = [floor(run["conditions"]) for run in runs if run["model"] == "attention"]
            numbers[f"{corpus}_structure_floor"] = tables.span(floors, ".2f") if floors else "–"
        page.tell("", numbers)


def floor(conditions: dict[str, dict]) -> float:
    """Where C7's scale ends: what a result is given that repeats nothing."""
    unrelated, own = conditions["bar 1"]["structure_f1_unrelated"][0], conditions["no swap"]["structure_f1"][0]
    return -float(ratio(unrelated, own - unrelated))


def study(
    song_a: str = "Ode to Joy",
    song_b: str = "Mary Had a Little Lamb",
    bars: int | str = 1,
    semitones: int = 0,
    record: str | Path = "figures",
    weights: str | Path = "weights",
    track_a: int | str | None = None,
    start_a: int | None = None,
    track_b: int | str | None = None,
    start_b: int | None = None,
    model: str | None = None,
) -> Study:
    """Two songs (built-in tunes by their titles, or MIDI files), each begun as the other by the first bars' codes.

    `model` is a recorded one's name, ``official``, or a weights file; None: `attention` on the paper's corpus, else
    what there is. Of a MIDI file, `track_a` chooses the part and `start_a` the first of the 8 bars, as
    `tvae.midi.read_midi` takes them.
    """
    runs = [run for run in page.entries(record) if transferred.measurable(run) and run.released]
    if not runs and not model:
        raise TvaeError("No model with a code for each bar is recorded with its weights; name a weights file.")
    first = min(runs, key=lambda run: (run.model != "attention", run.corpus != "hooktheory"), default=None)
    chosen = page.chosen(model or first.model, first.corpus if first else "", record, weights)
    songs = transfer.song(song_a, track_a, start_a), transfer.song(song_b, track_b, start_b)
    names = Path(song_a).stem, Path(song_b).stem
    return Study(record, weights, runs, chosen, songs, names, transfer.bar_numbers(bars), semitones)
