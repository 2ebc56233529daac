"""How far the runs of a preset are, and how long the rest will take. Without PyTorch, so it starts at once.

python -m tvae status paper        what is done, running, interrupted and missing of a preset (`make paper-status`)
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from tvae.errors import TvaeError
from tvae.runs import STATES, Progress, Run


def time_left(table: dict[Run, Progress]) -> tuple[float, int]:
    """Seconds of training that are left, one run after the other, and how many runs they leave out as unknown.

    A model's seconds per piece are measured on all its runs in the table, whatever corpus and fold; how many pieces a
    run will see is known from a run of its kind that was started. Stage 0 and the evaluation at the end are not
    counted.
    """
    pieces, seconds, plans = defaultdict(float), defaultdict(float), {}
    for run, it in table.items():
        pieces[run.model] += it.pieces
        seconds[run.model] += it.seconds
        if it.planned:
            plans[kind(run)] = it.planned
    total, unknown = 0.0, 0
    for run, it in table.items():
        if it.state == "done":
            continue
        left = (it.planned or plans.get(kind(run), math.inf)) - it.pieces
        needed = left * (seconds[run.model] / pieces[run.model] if pieces[run.model] else math.inf)
        if math.isfinite(needed):
            total += needed
        else:
            unknown += 1
    return total, unknown


def kind(run: Run) -> str:
    """Runs of one kind see equally many pieces: those of one model, and all that go on at another KL weight."""
    return run.model if run.kl_weight is None else "another KL weight"


def duration(seconds: float) -> str:
    """``40 min``, ``31 h`` or ``5 days``, rounded up."""
    for unit, size, most in (("min", 60, 90), ("h", 3600, 48)):
        if seconds <= most * size:
            return f"{math.ceil(seconds / size)} {unit}"
    return f"{math.ceil(seconds / 86400)} days"


def status(table: dict[Run, Progress], at_once: int | None = None) -> str:
    """The table as text: a line for the folds, and one for the KL weights, of each model on each corpus; then the sums.

    `at_once` is how many runs will train side by side; without it, as many as do now. Raises `TvaeError` for none.
    """
    if at_once is not None and at_once < 1:
        raise TvaeError(f"{at_once} runs at once cannot train; choose 1 or more.")
    lines = defaultdict(list)
    for run, it in table.items():
        percent = f" {it.part:.0%}" if it.state in ("running", "interrupted") else ""
        lines[run.corpus, run.model, run.kl_weight is None].append((it.state + percent, run.part))
    corpus_width = max((len(run.corpus) for run in table), default=0)
    model_width = max((len(run.model) for run in table), default=0)
    text = []
    for (corpus, model, _), parts in lines.items():
        alike = itertools.groupby(parts, key=lambda part: part[0])
        said = ", ".join(f"{' '.join(part for _, part in group)} {state}" for state, group in alike)
        text.append(f"{corpus:{corpus_width}}  {model:{model_width}}  {said}")
    states = Counter(it.state for it in table.values())
    text += ["", f"{len(table)} runs: " + ", ".join(f"{states[state]} {state}" for state in STATES)]
    at_once = max(1, states["running"]) if at_once is None else at_once
    seconds, unknown = time_left(table)
    if seconds:
        text.append(f"Time left: about {duration(seconds / at_once)} with {at_once} at once")
    if unknown:
        text.append(f"Time left: unknown for {unknown} runs, whose like has not been measured yet")
    return "\n".join(text)


def missing(plan: Sequence[Run], recorded: Collection[str]) -> str:
    """Which planned runs are not among the recorded names, in a sentence: models with their folds, points counted."""
    left = defaultdict(list)
    for run in plan:
        if run.name not in recorded:
            left[run.corpus, run.model].append(run)
    if not left:
        return f"All {len(plan)} planned runs are recorded."
    said = []
    for (corpus, model), runs in left.items():
        folds = [str(run.fold) for run in runs if run.kl_weight is None]
        points = len(runs) - len(folds)
        parts = [f"fold{'s' * (len(folds) > 1)} {', '.join(folds)}"] if folds else []
        parts += [f"{points} point{'s' * (points > 1)} at other KL weights"] if points else []
        said.append(f"`{model}` on {corpus} ({'; '.join(parts)})")
    number = sum(map(len, left.values()))
    return f"Of {len(plan)} planned runs {number} {'is' if number == 1 else 'are'} not recorded yet: {', '.join(said)}."
