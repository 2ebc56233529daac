"""The claims of the paper: what each says, how it is tested, what decides it, and what the record decides.

`CLAIMS` is the one place where they stand, and `BEYOND` has what is asked after them, of what is meant to be better.
``book/claims.md`` shows its tables, the verdicts are made from it, and the figures draw its thresholds.
`tvae.report.evidence` finds what a claim's test gives in a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tvae.errors import TvaeError
from tvae.files import read_json, write_json
from tvae.report.typeset import number

FIRST, COMPARISON, INSIDE, TRANSFER = "the first runs", "the comparison", "looking inside", "context transfer"
LONGER_MUSIC, NEW_SONGS, LIMIT = "longer music", "new songs", "the authors' limit"
DECIDING = ("paper", "cpu")  # that decide: toy runs do not
PAPER_FILE, BEYOND_FILE = "findings.json", "findings_beyond.json"  # of `CLAIMS`, of `BEYOND`


@dataclass(frozen=True)
class Claim:
    """A claim that one statistic on one corpus decides: it should be `at_least` the threshold, or below it.

    With an `other` model the statistic compares `model` with it, on the same pieces. With a `kl_weight` it is
    measured on the run that goes on at that weight. `commit` is the one that set test and threshold, `known` what had
    been measured by then.
    """

    id: str
    group: str
    says: str  # what the paper says
    short: str  # what the value is, in a few words
    test: str  # what is measured
    statistic: str  # where `tvae.report.evidence` finds it
    model: str
    threshold: float
    commit: str
    known: str
    at_least: bool = True
    other: str | None = None
    corpus: str = "hooktheory"
    kl_weight: float | None = None
    reading: str = ".0%"  # the format of its value

    @property
    def bound(self) -> str:
        return "at least" if self.at_least else "below"

    @property
    def asked(self) -> str:
        """The threshold in words."""
        return f"{self.bound} {self.threshold:g}"

    def reads(self, value: float) -> str:
        """A value of the statistic, or the threshold, as a reader wants to see it."""
        return number(value, self.reading)


FIRST_KNOWN = ("d3f325e", "trials with other code on the same MIDI archives")
COMPARISON_KNOWN = ("c3d4cef", "`attention` and `no_attention` at weight 1; no baseline")
INSIDE_KNOWN = (
    "c32c7ba",
    "the models, but no rate by kind of bar, no attention weight and none of the pieces made for C6",
)
TRANSFER_KNOWN = ("36e63ba", "the models, but no transfer")
MENDED = "089faaa"  # the second set: what the first report had decided, and why it is asked again, is told there

CLAIMS = (
    Claim("R1", FIRST, "A model with causal masks keeps what bars share in the first of them: later bars store less.",
          "rate saved in bars 5-7",
          "share by which the rate falls from bar 1 to the mean of bars 5-7",
          "rate_drop", "attention", 0.25, *FIRST_KNOWN),
    Claim("R1 at β = 1", FIRST, "Later bars store less at the paper's literal weight, too.",
          "rate saved in bars 5-7",
          "the same of the run that goes on at weight 4, β = 1 in a summed ELBO", "rate_drop", "attention", 0.25,
          MENDED, "the earlier runs: 0.53", kl_weight=4),
    Claim("R2", FIRST, "It is the attention: without it later bars store as much as the first.",
          "rate saved in bars 5-7",
          "the same share of `no_attention`", "rate_drop", "no_attention", 0.10, *FIRST_KNOWN, at_least=False),
    Claim("R2 at β = 1", FIRST, "Without attention later bars store as much at the paper's literal weight, too.",
          "rate saved in bars 5-7",
          "the same of the run of `no_attention` that goes on at weight 4", "rate_drop", "no_attention", 0.10,
          MENDED, "the earlier runs: 0.19, above the threshold", at_least=False, kl_weight=4),
    Claim("R3", FIRST, "The model memorises eight bars well.",
          "accuracy, free-running",
          "free-running accuracy, untransposed test pieces", "accuracy_free_running", "attention", 0.87, *FIRST_KNOWN,
          reading=".3f"),
    Claim("C1", COMPARISON, "Transformer VAE reconstructs better than a flat 8-bar LSTM VAE.",
          "accuracy gained",
          "free-running accuracy less that of `lstm_1x8`, made and trained so that it uses its code",
          "accuracy_free_running", "attention", 0.02, MENDED,
          "pilots of 64,000 pieces of `lstm_1x8`; the first report decided it against one that had collapsed (c3d4cef)",
          other="lstm_1x8", reading="+.3f"),
    Claim("C2", COMPARISON, "Attention helps: a code tells more of a bar when the bars before it are known.",
          "distortion saved",
          "share of the distortion of `no_attention` that `attention` saves at equal rate",
          "distortion_saving", "attention", 0.05, *COMPARISON_KNOWN, other="no_attention"),
    Claim("C2, free-running", COMPARISON, "Attention helps the eight bars that the model writes alone.",
          "accuracy gained",
          "free-running accuracy from codes drawn from the posterior, less that of `no_attention`, at equal rate",
          "sampled_accuracy_gain", "attention", 0.0, MENDED,
          "teacher-forced, drawn codes: 0.863 against 0.829; free-running from z = μ: 0.014 lower",
          other="no_attention", reading="+.3f"),
    Claim("C3", COMPARISON, "Context helps: bars coded together are told better than bars coded one by one.",
          "distortion saved",
          "share of the distortion of `lstm_8x1` that `attention_lstm` saves at equal rate: both write a bar with the "
          "same LSTM",
          "distortion_saving", "attention_lstm", 0.05, MENDED,
          "`attention` beside `lstm_8x1`, undecided (c3d4cef); no run of `attention_lstm`", other="lstm_8x1"),
    Claim("C4", INSIDE, "z of a repeated bar need only say \"as bar 1\".",
          "rate saved by repeats",
          "share by which the rate of repeated bars is lower than that of new bars at the same position with as many "
          "notes",
          "saved_by_repeats", "attention", 0.50, *INSIDE_KNOWN),
    Claim("C4, no attention", INSIDE, "It is the attention: without it a repeated bar costs as much as a new one.",
          "rate saved by repeats",
          "the same share of `no_attention`", "saved_by_repeats", "no_attention", 0.10, *INSIDE_KNOWN, at_least=False),
    Claim("C5", INSIDE, "Attention finds the repeated bar.",
          "attention, times chance",
          "attention of repeated bars on the bars they equal, as a multiple of chance; of the head chosen on training "
          "pieces",
          "attention_lift", "attention", 2, *INSIDE_KNOWN, reading=".0f"),
    Claim("C6", INSIDE, "Retrograde and inversion are not caught (the paper's limit).",
          "rate saved by either",
          "share by which the rate of bars 5-8 is lower when they are the retrograde (the inversion) of bars 1-4 than "
          "when they have the same pitches in a shuffled order; the greater of the two",
          "gain_of_limit", "attention", 0.10, *INSIDE_KNOWN, at_least=False),
    Claim("C6, a copy", INSIDE, "Simple repetition is caught.",
          "rate saved by a copy",
          "share by which the rate of bars 5-8 is lower when they copy bars 1-4 than when they copy a stranger's",
          "saved_by_copy", "attention", 0.25, MENDED,
          "the earlier run: 0.41; without it C6 passes for whoever notices nothing"),
    Claim("C7", TRANSFER, "Context transfer: the structure stays.",
          "structure kept",
          "the host's repeats of bar 1 found again in the result, as F1, on a scale from an unrelated song's (0) to "
          "the host's own reconstruction's (1)", "structure_kept", "attention", 0.5, *TRANSFER_KNOWN),
    Claim("C8", TRANSFER, "Context transfer: the rhythm begins to follow the new first bar.",
          "rhythm follows",
          "onset agreement of later bars with their own donor's bar 1 less that with the other donor's, on a scale "
          "from none (0) to what songs do (1)", "rhythm_follows", "attention", 0.1, *TRANSFER_KNOWN),
    Claim("C9", TRANSFER, "Context transfer: the register moves to that of the new first bar.",
          "register follows",
          "slope of the later bars' mean pitch over that of the donors' first bars, on a scale from none (0) to what "
          "songs do (1)",
          "register_follows", "attention", 0.5, *TRANSFER_KNOWN),
)  # fmt: skip


SET_BEYOND = "36a6c55"
BEYOND = (
    Claim("B1", LONGER_MUSIC, "\"As bar 1\" survives in sixteen bars.",
          "rate saved by repeats",
          "share by which the rate of repeated bars is lower than that of new bars at the same position with as many "
          "notes (as C4)",
          "saved_by_repeats", "attention", 0.50, SET_BEYOND,
          "eight bars of folk: 0.86; no run of sixteen", corpus="folk16"),
    Claim("B1, eight bars back", LONGER_MUSIC, "Position costs no more than it saves: bars eight back are found, too.",
          "rate saved by repeats",
          "the same share of the bars whose nearest equal bar lies eight bars back",
          "saved_from_eight_back", "attention", 0.50, SET_BEYOND, "no run of sixteen bars", corpus="folk16"),
    Claim("B1, transfer", LONGER_MUSIC, "The structure of sixteen bars stays when bar 1 is swapped.",
          "structure kept",
          "the host's repeats of bar 1 found again in the result, as F1, on a scale from an unrelated song's (0) to "
          "the host's own reconstruction's (1) (as C7)",
          "structure_kept", "attention", 0.5, SET_BEYOND, "eight bars of folk: 0.92",
          corpus="folk16"),
    Claim("B2", NEW_SONGS, "Songs drawn from a small prior over the codes repeat their bars as real ones do.",
          "repeats, of real songs'",
          "share of bars 2-8 that equal an earlier bar in 1,000 drawn songs, as a share of that in the test songs",
          "drawn_repeats", "attention", 0.75, SET_BEYOND,
          "codes drawn from N(0, 1): 0.43 (9.4 % against 22.0 %); no prior"),
    Claim("B2, not more", NEW_SONGS, "They repeat their bars no more often than real ones do.",
          "repeats, of real songs'",
          "the same share", "drawn_repeats", "attention", 1.25, SET_BEYOND, "no prior", at_least=False),
    Claim("B2, no copies", NEW_SONGS, "What is drawn is new, not a song that it was trained on.",
          "copies",
          "share of drawn songs of which 90 % of the steps or more are those of one training song, in one of its "
          "transpositions",
          "drawn_copies", "attention", 0.05, SET_BEYOND, "no prior", at_least=False, reading=".1%"),
    Claim("B3", LIMIT, "A model that is trained on transposed repeats catches transposition.",
          "rate saved by transposition",
          "share by which the rate of bars 5-8 is lower when they are bars 1-4 transposed than when they have the same "
          "pitches in a shuffled order (as C6)", "gain_of_transposition", "transposed_repeats", 0.10, SET_BEYOND,
          "`attention`: 0.01; no run of `transposed_repeats`"),
    Claim("B3, what it costs", LIMIT, "It writes real songs as well as a model trained without them.",
          "accuracy gained",
          "free-running accuracy less that of `attention`", "accuracy_free_running", "transposed_repeats", -0.01,
          SET_BEYOND, "no run of `transposed_repeats`", other="attention", reading="+.3f"),
)  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """What one run, or two that are compared, say about a claim, with fold, seed and length of training."""

    fold: int
    seed: int
    pieces: int
    names: tuple[str, ...]
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evidence:
    """What a record says about a claim: an `Estimate` a fold and all together, or why nothing is decided."""

    statistic: str  # in words
    runs: tuple[Estimate, ...] = ()
    interval: tuple[float, float, float] | None = None
    reason: str = ""


@dataclass(frozen=True)
class Finding:
    """A claim and what decided it, as ``findings.json`` keeps it."""

    claim: str
    group: str
    statement: str
    statistic: str
    threshold: str
    verdict: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    runs: tuple[Estimate, ...] = field(default_factory=tuple)

    @property
    def source(self) -> str:
        """Folds, seeds and pieces in words, as a reader wants to know them."""
        if not self.runs:
            return "no run yet"
        pieces = " and ".join(f"{n:,}" for n in sorted({run.pieces for run in self.runs}))
        each = " of each model" if len(self.runs[0].names) > 1 else ""
        if len(self.runs) == 1:
            return f"one run{each}: fold {self.runs[0].fold}, seed {self.runs[0].seed}, {pieces} pieces"
        folds = ", ".join(str(run.fold) for run in self.runs)
        return f"{len(self.runs)} runs{each}: folds {folds}, a seed each, {pieces} pieces"


def verdict(low: float, high: float, threshold: float, at_least: bool) -> str:
    """replicated: the whole interval is on the claimed side; not replicated: on the other; partly: on both."""
    if not at_least:
        low, high, threshold = -high, -low, -threshold
    return "replicated" if low >= threshold else "not replicated" if high < threshold else "partly replicated"


HOLDS = {"replicated": "holds", "partly replicated": "holds in part", "not replicated": "does not hold"}


def decide(claim: Claim, evidence: Evidence) -> Finding:
    """The finding of a claim: "not decided", with the reason, where there is no interval.

    One of `BEYOND` has no paper to replicate: it `HOLDS` or not.
    """
    words = f"{evidence.statistic} on {claim.corpus}"
    about = (claim.id, claim.group, claim.says, words, claim.asked)
    if evidence.interval is None:
        return Finding(*about, "not decided", reason=evidence.reason)
    value, low, high = map(float, evidence.interval)
    found = verdict(low, high, claim.threshold, claim.at_least)
    found = HOLDS[found] if claim in BEYOND else found
    return Finding(*about, found, value, low, high, runs=evidence.runs)


def read(record: str | Path, file: str = PAPER_FILE) -> list[Finding]:
    """The findings of a record, in the order of `CLAIMS` (or of `BEYOND`); an empty list where there are none yet."""
    path = Path(record) / file
    if not path.exists():
        return []
    try:
        found = []
        for entry in read_json(path):
            runs = tuple(Estimate(**run | {"names": tuple(run["names"])}) for run in entry["runs"])
            found.append(Finding(**entry | {"runs": runs}))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise TvaeError(f"{path} is no list of findings ({error}); make it with `python -m tvae claims`.") from None
    return found


def write(record: str | Path, findings: Sequence[Finding], file: str = PAPER_FILE) -> None:
    """Put the findings into the record, in place of what was there."""
    write_json(Path(record) / file, [asdict(finding) for finding in findings], ensure_ascii=False)
