"""The page "Beyond the paper": longer music, new songs, the authors' limit, and what to take from it all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tvae.corpus import LONGER, Corpus, load
from tvae.model import TransformerVAE
from tvae.report import beyond, claims, lessons, listen, measured, plots, tables
from tvae.report import record as records
from tvae.report.answers import counted
from tvae.report.entry import Entry
from tvae.report.pages import page
from tvae.studies import limits, longer, prior, songs
from tvae.studies.prior import Prior
from tvae.transfer import decode, encode

HEARD = 3  # new songs
LIVE = 100  # songs that are drawn while the page is made
TRANSPOSED = "transposed_repeats"
COMMAND = "python -m tvae train --preset cpu --fold 0"
SETS = {  # of `tvae.studies.songs.measure`, in the order of the table
    "test songs": "real test songs",
    "test songs from their codes": "the same, decoded from their codes",
    "codes from N(0, 1)": "new: codes from N(0, 1)",
    "the prior": "new: codes from the prior",
    "the prior, bar 1 given": "bar 1 of a test song, going on",
    "the prior, gaps filled": "bars 1, 2, 5, 6 of a test song, filled",
}


@dataclass(frozen=True)
class Study:
    """What is recorded for the page, and the models of it that are at hand."""

    record: Path
    weights: Path
    seed: int
    found: dict  # `tvae.report.beyond.read`
    entries: list[Entry]  # all recorded runs
    entry: Entry  # of the model whose codes the prior is about
    vae: TransformerVAE
    tunes: Corpus  # embedded, none of which the model was trained on: to start from
    prior: Prior | None

    def missing(self, what: str, command: str) -> page.Text:
        return page.Text(
            (f"Not recorded yet: {what}.", f"To record it: `{command}`, then `python -m tvae record` and `measure`.")
        )

    def answer(self) -> page.Text:
        """What the record says of each question, in a sentence."""
        found = claims.read(self.record, claims.BEYOND_FILE)
        said = []
        for group in (claims.LONGER_MUSIC, claims.NEW_SONGS, claims.LIMIT):
            own = [one for one in found if one.group == group]
            decided = [f"{one.statement.rstrip('.')}: {one.verdict}." for one in own if one.value is not None]
            most = max((len(one.runs) for one in own), default=0)
            decided += [f"Each by {counted(most)}."] if most else []
            said.append(f"{group.capitalize()}: {' '.join(decided) or 'not recorded yet.'}")
        return page.Text(tuple(said))

    def verdicts(self, group: str) -> tables.Table:
        """What the record has decided of the claims of one question."""
        found = [one for one in claims.read(self.record, claims.BEYOND_FILE) if one.group == group]
        return tables.verdicts(found)

    def tests(self) -> tables.Table:
        """Every test of this page with its threshold and the commit that set it."""
        return tables.tests(claims.BEYOND, "we ask")

    def _run(self, corpus: str, model: str = "attention") -> Entry | None:
        """The recorded entry of a model on fold 0 of a corpus."""
        wanted = (corpus, model, 0, False)
        fits = (entry for entry in self.entries if (entry.corpus, entry.model, entry.fold, entry.sweep) == wanted)
        return next(fits, None)

    # --- longer music

    @property
    def _longer(self) -> dict[str, dict]:
        """What was measured of attention by corpus: of sixteen bars, and beside it of eight."""
        order = [name for pair in beyond.EIGHT.items() for name in pair]
        runs = [run for run in self.found["runs"].values() if run["model"] == "attention" and run["fold"] == 0]
        return dict(sorted(((run["corpus"], run) for run in runs), key=lambda pair: order.index(pair[0])))

    def _sixteen(self) -> list[str]:
        return [name for name in self._longer if name in LONGER]

    def repeats(self) -> plots.Shown | page.Text:
        """What a repeated bar saves by how far back its nearest equal bar lies, of eight bars and of sixteen."""
        if not self._sixteen():
            return self.missing("a model of sixteen bars", f"{COMMAND} --model attention --corpus folk16")
        sides = {f"{name}, {16 if name in LONGER else 8} bars": run["distance"] for name, run in self._longer.items()}
        return plots.show(
            plots.saved_by_distance(sides),
            "Share of the rate that a repeated bar saves, by how many bars back its nearest equal bar lies.",
            "What a repeated bar's code costs less than that of a new bar at the same position with as many notes, by "
            "how far back its nearest equal bar lies. 95 % intervals over songs; distances with fewer than "
            f"{longer.FEW} bars are left out. The models saw {self._seen()}.",
            file="beyond-distance",
        )

    def _seen(self) -> str:
        """How many pieces the models of `repeats` were trained on, in its order."""
        return " and ".join(f"{entry.pieces:,} pieces ({name})" for name in self._longer if (entry := self._run(name)))

    def kinds(self) -> tables.Table | page.Text:
        """The rate by kind of bar, of eight bars and of sixteen."""
        rows = [
            {"": f"{name}, {16 if name in LONGER else 8} bars"} | row
            for name, run in self._longer.items()
            for row in measured.kinds(run["codes"]["matched"])
        ]
        return tables.plain(pd.DataFrame(rows)) if self._sixteen() else page.Text(("Not recorded yet.",))

    def looks_back(self) -> page.Below | page.Text:
        """The head that finds repeats best, for each distance by itself, up to eight bars and more."""
        if not self._sixteen():
            return page.Text(("Not recorded yet.",))
        return page.below(
            plots.show(
                plots.attention_by_distance(self._longer[name]["attention"]["distance"]),
                "Mass of the head that finds repeats best on the repeated bar, by distance, in sixteen bars of "
                f"{name}.",
                f"{name}: the head that was chosen on training pieces, by distance; the grey line is what bars with "
                "nothing to find look at in the same place.",
            )
            for name in self._sixteen()
        )

    def transfer(self) -> listen.Players | page.Text:
        """A transfer in sixteen bars, chosen by the seed among pieces whose bar 9 is bar 1."""
        entry = self._run("folk16")
        if entry is None:
            return page.Text(("No transfer of sixteen bars can be heard yet.",))
        pieces = load(entry.corpus)
        vae = records.load_model(self.weights, entry)
        heard, (host, donor) = longer.example(vae, pieces.part(pieces.split(entry.fold)[1]), self.seed)
        titles = {"host": host, "host, from its codes": f"{host}, from its codes", "donor": donor,
                  "result": "bar 1 of the donor, bars 2 to 16 of the host"}  # fmt: skip
        roles = ["host", "host", "donor", "result"]
        return listen.players(list(heard.values()), [titles[name] for name in heard], roles)

    # --- new songs

    @cached_property
    def _drawn(self) -> np.ndarray:
        """New songs (LIVE, 128), drawn while the page is made; the first of the seed are heard."""
        assert self.prior
        return decode(self.vae, prior.new_songs(self.prior, LIVE, self.seed, songs.TEMPERATURE))

    @cached_property
    def _codes(self) -> np.ndarray:
        return encode(self.vae, self.tunes.tokens[[self.seed % len(self.tunes)]])

    def _no_prior(self) -> page.Text:
        return self.missing("a prior over the codes", "python -m tvae prior")

    def new(self) -> listen.Players | page.Text:
        """New songs, the first ones of the seed."""
        if self.prior is None:
            return self._no_prior()
        return listen.players(
            list(self._drawn[:HEARD]), [f"new song {k + 1}" for k in range(HEARD)], ["result"] * HEARD
        )

    def without(self) -> listen.Players:
        """What codes from N(0, 1) give, from the same seed."""
        shape = (HEARD, self.vae.config.bars, self.vae.config.d_latent)
        found = decode(self.vae, np.random.default_rng(self.seed).standard_normal(shape))
        return listen.players(list(found), [f"codes from N(0, 1), {k + 1}" for k in range(HEARD)], ["result"] * HEARD)

    def _given(self, bars: tuple[int, ...]) -> list[np.ndarray]:
        """Two songs that go on from these bars of the tune."""
        known = songs.known_bars(bars, self.vae.config.bars)
        codes = np.repeat(self._codes, 2, 0)
        return list(decode(self.vae, prior.filled(self.prior, codes, known, self.seed, songs.TEMPERATURE)))

    def goes_on(self) -> listen.Players | page.Text:
        """Bar 1 of a tune going on, and its bars 1, 2, 5 and 6 with the gaps filled."""
        if self.prior is None:
            return self._no_prior()
        title = str(self.tunes.title[self.seed % len(self.tunes)])
        pieces = [decode(self.vae, self._codes)[0], *self._given((1,)), *self._given(songs.LOCKED)]
        names = [f"{title}, from its codes", "its bar 1, going on", "again", "its bars 1, 2, 5, 6, filled", "again"]
        return listen.players(pieces, names, ["host", *["result"] * 4])

    def live(self) -> page.Text:
        """How often bars repeat in the songs that were drawn while this page was made."""
        if self.prior is None:
            return page.Text(("No song can be drawn yet.",))
        own, real = map(np.sum, songs.repeats(self._drawn))
        said = f"In {LIVE} songs drawn while this page was made {own / real:.0%} of bars 2 to 8 repeat an earlier bar"
        if self._prior:
            said += "; in the test songs it is {:.0%}".format(self._prior["sets"]["test songs"]["repeated"][0])
        return page.Text((f"{said}.",))

    @property
    def _prior(self) -> dict | None:
        return self.found["prior"].get(self.entry.name)

    def compared(self) -> tables.Table | page.Text:
        """Drawn songs beside real ones, measure by measure."""
        if self._prior is None:
            return self._no_prior()
        sets, rows = self._prior["sets"], []
        for name, title in SETS.items():
            one = sets[name]
            rows.append({
                "songs": title,
                "bars repeated": tables.interval(one["repeated"], ".1%"),
                "notes": tables.interval(one["notes"], ".1f"),
                "distances apart": one["distances_apart"],
                "pitches apart": one["pitches_apart"],
                "intervals apart": one["intervals_apart"],
                "self-similarity, error": one["self_similarity_error"],
                "nearest training song": tables.interval(one["nearest"], ".1%"),
                "copies": tables.interval(one["copies"], ".1%"),
            })  # fmt: skip
        return tables.plain(pd.DataFrame(rows))

    def distances(self) -> plots.Shown | page.Text:
        """How far back repeats lie, in real songs and in new ones."""
        if self._prior is None:
            return self._no_prior()
        shown = ("test songs", "codes from N(0, 1)", "the prior")
        return plots.show(
            plots.repeats_by_distance_of({SETS[name]: self._prior["sets"][name]["distances"] for name in shown}),
            "Of the bars that repeat an earlier one, how many bars back the nearest equal bar lies: in test songs, in "
            "songs from N(0, 1) and in songs from the prior.",
            "Of the bars that repeat an earlier one: how far back the nearest equal bar lies, in real songs and in "
            "new ones.",
            file="beyond-repeats",
        )

    def nearest(self) -> page.Text:
        """Which training song each of the first new songs is nearest to; of the seed that is recorded."""
        if self._prior is None or self.seed != songs.SEED:
            return page.Text((f"The nearest training songs are recorded of the songs of seed {songs.SEED}.",))
        return page.Text(tuple(
            f"New song {k} is nearest to {one['title']}: {one['share']:.0%} of the steps are the same."
            for k, one in enumerate(self._prior["first"], 1)
        ))  # fmt: skip

    # --- the authors' limit

    def gains(self) -> plots.Shown | page.Text:
        """What relations save beyond their notes, with training on transposed repeats and without."""
        runs = self.found["runs"] | measured.read(page.recorded(self.record, "inside.json"))["runs"]
        compared = self._run(self.entry.corpus, TRANSPOSED), self.entry
        own, other = (runs.get(run.name, {}).get("limits") if run else None for run in compared)
        if own is None or other is None:
            return self.missing("what relations save with training on transposed repeats and without",
                                f"{COMMAND} --model {TRANSPOSED} --corpus hooktheory")  # fmt: skip
        sides = {(self.entry.corpus, "attention"): other, (self.entry.corpus, TRANSPOSED): own}
        return plots.show(
            plots.dots(measured.gains(sides), "share of the rate that the relation saves beside its shuffled twin"),
            "Share of the rate of bars 5 to 8 that a copy, a transposition, a retrograde and an inversion save, with "
            "and without training on transposed repeats.",
            "What a relation is worth beyond its notes, with training on transposed repeats and without. 95 % "
            "intervals over songs.",
            file="beyond-gain",
        )

    def transposition(self) -> listen.Players:
        """A tune whose bars 5 to 8 are bars 1 to 4 transposed, and what each model makes of it."""
        made = limits.variants(self.tunes.part(np.arange(60 * (self.seed % 5 + 1))))
        tokens = made.tokens["transposition"][[self.seed % len(made.source)]]
        models = {"attention": self.vae}
        entry = self._run(self.entry.corpus, TRANSPOSED)
        if entry is not None:
            models[TRANSPOSED] = records.load_model(self.weights, entry)
        heard = [decode(vae, encode(vae, tokens))[0] for vae in models.values()]
        titles = ["bars 1 to 4, and transposed", *(f"by {plots.MODEL_NAMES[name]}" for name in models)]
        return listen.players([tokens[0], *heard], titles, ["host", *["result"] * len(heard)])

    # --- what to take

    def lessons(self) -> tables.Table:
        """One row a choice for a model of today, from the record alone."""
        return tables.plain(lessons.table(self.record, self.entries))

    def runs(self) -> tables.Table:
        """What the page rests on."""
        return tables.runs([entry for entry in self.entries if entry == self.entry or entry.name in self.found["runs"]])


def study(seed: int = 0, record: str | Path = "figures", weights: str | Path = "weights") -> Study:
    """Read what is recorded for this page, and take the models at hand; `seed` chooses what is heard."""
    record, weights = page.located(record), page.located(weights)
    entries = records.listed(record)
    compared = records.compared(record)
    known = (run.corpus for run in compared if run.model == "attention")
    entry = measured.find_run(compared, min(known, key=lambda name: name != "hooktheory", default="hooktheory"))
    tunes = load("folk")  # the page is made without any other corpus
    at_hand = records.prior_file(weights, entry.name).exists()
    return Study(
        record, weights, seed, beyond.read(record), entries, entry, records.load_model(weights, entry),
        tunes.part(tunes.split(entry.fold)[1]), beyond.load_prior(weights, entry) if at_hand else None,
    )  # fmt: skip
