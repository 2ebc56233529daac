"""A recorded run: what was trained, on what, how long and where, and how good it is on its test pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tvae.corpus import FOLDS, LONGER
from tvae.errors import TvaeError
from tvae.presets import MODELS, PRESETS
from tvae.runs import Run

UNPLAYED = ("pop909",)  # corpora of which no page plays a song
TYPES = {"int_type": "a whole number", "float_type": "a number", "bool_type": "true or false", "string_type": "text"}


class Entry(BaseModel):
    """A run of ``results.json``. Scores are those of `tvae.evaluate`, on the test pieces of its fold, in eight bits.

    `kl_weight` is that of stage 1, as the release counts it; a `sweep` goes on from the finished run at another one.
    `pieces` were heard in stage 1. What an early run did not measure, or a model has not, is None.
    """

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    corpus: str
    model: str
    preset: str
    fold: int = Field(ge=0, lt=FOLDS)
    seed: int
    kl_weight: float
    sweep: bool
    pieces: int
    n_test: int
    accuracy_teacher_forced: float
    accuracy_teacher_forced_sampled: float
    accuracy_free_running: float
    accuracy_free_running_sampled: float | None = None
    onset_f1_teacher_forced: float | None = None
    onset_f1_teacher_forced_sampled: float | None = None
    onset_f1_free_running: float
    onset_f1_free_running_sampled: float | None = None
    rate_nats_per_piece: float
    rate_mean_per_dim: float
    rate_per_bar: list[float] | None = None  # of a model with a code for each bar
    rate_drop: float | None = None  # likewise: from bar 1 to bars 5-7, as a share
    distortion_nats_per_piece: float
    parameters: int
    steps: int
    samples_per_second: float
    train_seconds: float
    precision: str
    device: str
    torch: str
    corpus_sha256: str
    git_commit: str

    @property
    def run(self) -> Run:
        """Which run it is."""
        weight = self.kl_weight if self.sweep else None
        return Run(self.preset, self.corpus, self.model, self.fold, weight, self.seed)

    @property
    def name(self) -> str:
        """``cpu-hooktheory-attention-fold0``, or ``...-fold0-kl4`` for a point of a rate-distortion curve."""
        return self.run.name

    @property
    def first(self) -> bool:
        """Is it the first run of its corpus, and of one of the paper's models or of what goes beyond?"""
        return self.fold == self.seed == 0 and not self.sweep and MODELS[self.model].role in ("paper", "beyond")

    @property
    def released(self) -> bool:
        """Are its weights recorded? Those of first runs, where pages play their corpus: the repository stays small."""
        return self.first and self.corpus not in UNPLAYED

    @property
    def beyond(self) -> bool:
        """Is it a run of the page "Beyond the paper", rather than of the comparison with it?"""
        return self.corpus in LONGER or MODELS[self.model].role == "beyond"

    def about(self) -> dict[str, str | int]:
        """What tells it from other runs, as the files of what was measured later keep it."""
        return self.model_dump(include={"corpus", "model", "preset", "fold", "corpus_sha256", "git_commit"})

    def same(self, measured: dict) -> bool:
        """Was this measured of this very run, rather than of an earlier one of its name?"""
        return self.about().items() <= measured.items()

    def score(self, statistic: str) -> Any:
        """A score by its name, a number or one for each bar; None where it was not measured."""
        return getattr(self, statistic)


SCORES = tuple(name for name, field in Entry.model_fields.items() if field.annotation is float)
A_CODE_A_BAR = ("rate_per_bar", "rate_drop")  # required as well, where each bar has a code


def named(values: dict) -> str:
    """The run's name in brackets, as far as what it consists of can be read."""
    about = {key: values.get(key) for key in ("preset", "corpus", "model", "fold", "seed")}
    if None in about.values() or not isinstance(about["corpus"], str):
        return ""
    weight = values.get("kl_weight")
    goes_on = values.get("sweep") is True and isinstance(weight, (int, float))
    return f" ({Run(**about, kl_weight=weight if goes_on else None).name})"


def complaint(error: ValidationError) -> str:
    """The first thing that is wrong, as the end of a sentence."""
    found = error.errors()[0]
    key, value = found["loc"][0], found["input"]
    if found["type"] == "missing":
        return f" has no '{key}'."
    if found["type"] == "finite_number":
        return f": '{key}' is not a number ({value!r})."
    if found["type"] in TYPES:
        return f": '{key}' should be {TYPES[found['type']]}, not {value!r}."
    return f": '{key}' is {value!r}; {found['msg'].lower()}."


def entry(values: object, where: str | Path) -> Entry:
    """A run as it stands in a JSON file, checked; `TvaeError` says what is wrong, in which run of which file."""
    if not isinstance(values, dict):
        raise TvaeError(f"{where} should be an object with the values of a run, not {values!r}.")
    try:
        found = Entry.model_validate(values)
    except ValidationError as error:
        raise TvaeError(f"{where}{named(values)}{complaint(error)}") from None
    for key, known in (("model", MODELS), ("preset", PRESETS)):
        if values[key] not in known:
            raise TvaeError(f"{where} ({found.name}): there is no {key} '{values[key]}'; known are {', '.join(known)}.")
    if not MODELS[found.model].one_code:
        for key in A_CODE_A_BAR:
            if found.score(key) is None:
                raise TvaeError(f"{where} ({found.name}) has no '{key}'.")
    return found
