"""DataFrames in, HTML tables out: formatting only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd
from lxml.html import fromstring

from tvae.presets import MODELS
from tvae.report.claims import BEYOND, CLAIMS, Claim, Finding, verdict
from tvae.report.entry import Entry
from tvae.report.plots.style import MODEL_NAMES
from tvae.report.results import PAPER_CORPUS
from tvae.report.typeset import number
from tvae.studies.comparison import EqualRate
from tvae.studies.statistics import of_trainings

STATISTICS = {  # column heads and digits, in the order of the table
    "accuracy_free_running": ("accuracy, free-running", 3),
    "accuracy_free_running_sampled": ("from drawn codes", 3),
    "accuracy_teacher_forced": ("accuracy, teacher-forced", 3),
    "onset_f1_free_running": ("onset F1, free-running", 3),
    "rate_nats_per_piece": ("rate, nats a piece", 1),
    "distortion_nats_per_piece": ("distortion, nats a piece", 1),
}
BEST = {
    "accuracy_free_running": max,
    "accuracy_free_running_sampled": max,
    "accuracy_teacher_forced": max,
    "onset_f1_free_running": max,
    "distortion_nats_per_piece": min,
}  # a rate is neither good nor bad
UNKNOWN = "<td>–</td>"
CORPORA = {"hooktheory": "pop songs", "folk": "fiddle tunes", "pop909": "Chinese pop songs"}
BADGES = {"replicated": "yes", "partly replicated": "partly", "not replicated": "no", "not decided": "open"}
BADGES |= {"holds": "yes", "holds in part": "partly", "does not hold": "no"}


@dataclass(frozen=True)
class Table:
    """A table on a page, which scrolls inside itself on a phone. As text it is a line a row."""

    html: str

    def _repr_html_(self) -> str:
        return f'<div class="tvae-table">{self.html}</div>'

    def __repr__(self) -> str:
        lines = []
        for part in fromstring(f"<div>{self.html}</div>").iter("tr", "summary", "dl", "p"):
            words = [part] if part.tag == "p" else part
            lines.append("  ".join(" ".join(each.itertext()).strip() for each in words))
        return "\n".join(lines)


def interval(triple: Iterable[float | None], spec: str) -> str:
    """[value, low, high] in a format such as ".2f" -> "0.91 (0.90 … 0.92)", or "–" where they are not known."""
    numbers = list(triple)
    return "–" if None in numbers else "{} ({} … {})".format(*(number(one, spec) for one in numbers))


def span(values: Iterable[float], spec: str) -> str:
    """The least and the greatest in a format such as ".0f" -> "149 to 153", or one where they read alike."""
    known = list(values)
    return " to ".join(dict.fromkeys(number(value, spec) for value in (min(known), max(known))))


def plain(frame: pd.DataFrame, caption: str = "") -> Table:
    """Any DataFrame, its index left out; text is escaped, and the first column names the rows."""
    return framed(frame.columns, (f"<tr>{''.join(cells(row))}</tr>" for row in frame.itertuples(index=False)), caption)


def with_commits(rows: Sequence[dict]) -> Table:
    """`plain` of rows whose "commit" is cut to eight digits and the "+" of a changed working tree, explained below."""
    cut = [row | {"commit": row["commit"][:8] + "+" * row["commit"].endswith("+")} for row in rows]
    changed = any(row["commit"].endswith("+") for row in rows)
    note = "<p>A commit with a +: the code had changes that were not committed.</p>" if changed else ""
    return Table(plain(pd.DataFrame(cut)).html + note)


def framed(heads: Iterable, rows: Iterable[str], caption: str = "") -> Table:
    """Rows of HTML below column heads."""
    caption = f"<caption>{escape(caption)}</caption>" if caption else ""
    return Table(f"<table>{caption}<thead><tr>{headers(heads)}</tr></thead><tbody>{''.join(rows)}</tbody></table>")


def headers(names: Iterable) -> str:
    return "".join(f'<th scope="col">{escape(str(name))}</th>' for name in names)


def cells(row: Iterable) -> Iterator[str]:
    """A row's values as cells: the first is its header, numbers have four digits."""
    for column, value in enumerate(row):
        text = f"{value:,.4g}" if isinstance(value, float) else escape(str(value))
        yield f"<td>{text}</td>" if column else f'<th scope="row">{text}</th>'


def comparative(scores: pd.DataFrame, reported: dict[str, dict[str, float]] | None = None) -> Table:
    """The paper's table: a row a model, value and 95 % interval a statistic, by block (`tvae.report.results.scores`).

    The best model of a column that was trained here is bold; one below "always sustain" is marked. Where the paper's
    own numbers are known (`tvae.report.record.read_reported`), they follow ours on the paper's corpus, each with what
    ours is more.
    """
    rows = []
    for title, part in scores.groupby("block", sort=False):
        known = reported if reported and part.corpus.iloc[0] == PAPER_CORPUS else {}
        in_paper = {statistic for numbers in known.values() for statistic in numbers}
        heads = ["model", "trained on pieces, parameters"]
        for statistic, (name, _) in STATISTICS.items():
            heads += [name, "in the paper", "difference"] if statistic in in_paper else [name]
        rows.append(f'<tr><th colspan="{len(heads)}" scope="rowgroup">{escape(title)}</th></tr>')
        rows.append(f"<tr>{headers(heads)}</tr>")
        here = part.model.map(lambda name: name in MODELS and MODELS[name].trained)
        trained = part[here].groupby("statistic").value
        best = {statistic: choose(values) for statistic, values in trained if (choose := BEST.get(statistic))}
        for model, own in part.groupby("model", sort=False):
            own, paper = own.set_index("statistic"), known.get(model, {})
            name, size = MODEL_NAMES.get(model, model), own.parameters.iloc[0]
            name += " (collapsed)" if collapsed(part, model) else ""
            trained_on = f"{own.pieces.iloc[0]:,}<br><small>{size / 1e6:.2f} M</small>" if size else "–"
            cells = [f"<td>{trained_on}</td>"]
            for statistic, (_, digits) in STATISTICS.items():
                leads = statistic in own.index and own.value[statistic] == best.get(statistic)
                cells.append(cell(own, statistic, f".{digits}f", best=leads))
                if statistic in in_paper:
                    cells.append(paper_cells(own, statistic, digits, paper.get(statistic)))
            rows.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    return Table(f"<table><tbody>{''.join(rows)}</tbody></table>")


def models(names: Iterable[str]) -> Table:
    """What models are, a row each, in a sentence; of names that are no models nothing is said."""
    rows = [MODELS[name] for name in dict.fromkeys(names) if name in MODELS]
    return plain(pd.DataFrame({"row": [row.label for row in rows], "what it is": [row.says for row in rows]}))


def collapsed(part: pd.DataFrame, model: str) -> bool:
    """Is a model of a block less accurate, free-running, than who always says "sustain"?"""
    accuracy = part[part.statistic == "accuracy_free_running"].set_index("model").value
    return model in MODELS and "sustain" in accuracy and accuracy[model] < accuracy["sustain"]


def cell(own: pd.DataFrame, statistic: str, spec: str, best: bool = False) -> str:
    """`bounded` of a statistic, or a dash for what a row does not have."""
    return bounded(own.loc[statistic, ["value", "low", "high"]], spec, best) if statistic in own.index else UNKNOWN


def bounded(triple: Iterable[float], spec: str, best: bool = False) -> str:
    """A cell with a value above its interval; the best of a column is bold."""
    value, low, high = (number(one, spec) for one in triple)
    value = f"<strong>{value}</strong>" if best else value
    return f"<td>{value}<br><small>{low} … {high}</small></td>"


def paper_cells(own: pd.DataFrame, statistic: str, digits: int, paper: float | None) -> str:
    """The paper's number and what ours is more."""
    if paper is None or statistic not in own.index:
        return 2 * UNKNOWN
    return f"<td>{paper:.{digits}f}</td><td>{number(own.value[statistic] - paper, f'+.{digits}f')}</td>"


def differences(frame: pd.DataFrame) -> Table:
    """`tvae.report.results.differences`: a row for each model that attention is compared with, with its own pieces."""
    shown = {name: head for name, head in STATISTICS.items() if name in set(frame.statistic)}
    heads = ["", "trained on", *(name for name, _ in shown.values())]
    rows = []
    for title, part in frame.groupby("block", sort=False):
        rows.append(f'<tr><th colspan="{len(heads)}" scope="rowgroup">{escape(title)}</th></tr>')
        for other, own in part.groupby("model", sort=False):
            own = own.set_index("statistic")
            name = f"{MODEL_NAMES['attention']} less {MODEL_NAMES.get(other, other)}"
            cells = "".join(cell(own, statistic, f"+.{digits}f") for statistic, (_, digits) in shown.items())
            pieces = f"<td>{own.pieces.iloc[0]:,}</td>"
            rows.append(f'<tr><th scope="row">{escape(name)}</th>{pieces}{cells}</tr>')
    return framed(heads, rows)


def rate_distortion(points: pd.DataFrame) -> Table:
    """`tvae.report.results.rate_distortion`: a row a trained KL weight."""
    heads = ("KL weight (release)", "β (summed ELBO)", "rate, nats a piece", "distortion, nats a piece",
             "rate + distortion", "accuracy, free-running", "onset F1, free-running")  # fmt: skip
    rows = []
    for model, own in points.groupby("model", sort=False):
        name = MODEL_NAMES.get(model, model)
        rows.append(f'<tr><th colspan="{len(heads)}" scope="rowgroup">{escape(name)}</th></tr>')
        for point in own.to_dict("records"):
            cells = [f"<td>{point['kl_weight']:g}</td><td>{point['beta']:.4g}</td>"]
            for statistic, digits in (("rate", 1), ("distortion", 1), ("total", 1), ("accuracy", 3), ("onset_f1", 3)):
                cells.append(bounded([point[statistic + end] for end in ("", "_low", "_high")], f".{digits}f"))
            rows.append(f"<tr>{''.join(cells)}</tr>")
    return framed(heads, rows)


def runs(entries: list[Entry]) -> Table:
    """Where each recorded run comes from: a row an entry, long identifiers cut short."""
    rows = [
        {
            "corpus": entry.corpus, "model": entry.model, "preset": entry.preset, "fold": entry.fold,
            "KL weight": f"{entry.kl_weight:g}" + (" (goes on)" if entry.sweep else ""), "seed": entry.seed,
            "pieces": f"{entry.pieces:,}",
            "test pieces": entry.n_test, "steps": entry.steps, "minutes": entry.train_seconds / 60,
            "device": entry.device, "precision": entry.precision, "torch": entry.torch,
            "commit": entry.git_commit, "corpus sha256": entry.corpus_sha256[:12],
        }
        for entry in entries
    ]  # fmt: skip
    return with_commits(rows)


def equal_rate(found: list[EqualRate]) -> Table:
    """`tvae.report.results.at_equal_rate`: a row a pair of models."""
    heads = ("", "at a rate of, nats", "distortion saved", "accuracy, free-running, more", "the same from drawn codes")
    rows = []
    for pair in found:
        name = f"{MODEL_NAMES.get(pair.model, pair.model)} beside {MODEL_NAMES.get(pair.other, pair.other)}"
        cells = f"<td>{pair.rate:.0f}</td>{bounded(pair.saving, '.1%')}{bounded(pair.accuracy, '+.3f')}"
        cells += UNKNOWN if pair.sampled is None else bounded(pair.sampled, "+.3f")
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return framed(heads, rows)


def checked(checks: pd.DataFrame) -> Table:
    """`tvae.report.results.recompute` of several runs: one line with the outcome, then what does not agree."""
    right = checks[checks["equal"]]
    runs = checks["run"].nunique()
    agree = len(right) == len(checks)
    line = f"{len(right)} of {len(checks)} figures of {runs} runs agree to four digits"
    badge = (
        f'<span class="tvae-verdict tvae-verdict-{"yes" if agree else "no"}">{"equal" if agree else "not equal"}</span>'
    )
    rest = "" if agree else plain(checks[~checks["equal"]].drop(columns="equal")).html
    return Table(f"<p>{badge} {line}.</p>{rest}")


def verdicts(findings: Sequence[Finding]) -> Table:
    """A line a finding: claim, verdict, what the paper says, the value; it opens to test, threshold, evidence, runs."""
    if not findings:
        return Table("<p>No claim is tested by these runs.</p>")
    known = {claim.id: claim for claim in (*CLAIMS, *BEYOND)}
    return Table("".join(folded(found, known.get(found.claim)) for found in findings))


def folded(found: Finding, claim: Claim | None) -> str:
    """One finding, of a claim that may have been dropped since; its value beside what was asked."""
    reads = claim.reads if claim else exact
    value = "–" if found.value is None else reads(found.value)
    badge = f'<span class="tvae-verdict tvae-verdict-{BADGES[found.verdict]}">{escape(found.verdict)}</span>'
    about = {"test": escape(found.statistic), "threshold": escape(found.threshold)}
    if found.value is not None:
        about["evidence"] = f"{exact(found.value)}, 95 % interval {exact(found.low)} … {exact(found.high)}"
    if claim and len(found.runs) > 1:
        about["trainings"] = trainings(found, claim)
    if found.reason:
        about["why not"] = escape(found.reason)
    about["decided by"] = escape(found.source)
    asked = ""
    if claim:
        about |= {"set by": f"commit <code>{claim.commit}</code>", "known by then": code(claim.known)}
        asked = f"<small>{escape(claim.short)}; asked: {claim.bound} {reads(claim.threshold)}</small>"
    rows = "".join(f"<dt>{name}</dt><dd>{words}</dd>" for name, words in about.items())
    return (
        f'<details class="tvae-claimed"><summary><b>{escape(found.claim)}</b> {badge} '
        f"<span>{escape(found.statement)} {asked}</span> <em>{value}</em></summary><dl>{rows}</dl></details>"
    )


def trainings(found: Finding, claim: Claim) -> str:
    """The value of each training, and Student's interval, with what it would decide where that is something else."""
    values = [run.value for run in found.runs]
    low, high = of_trainings(values)
    otherwise = verdict(low, high, claim.threshold, claim.at_least)
    decides = "" if BADGES[otherwise] == BADGES[found.verdict] else f", which would decide: {otherwise}"
    each = ", ".join(map(exact, values))
    return f"{each}; by Student's t of these alone {exact(low)} … {exact(high)}{decides}"


def exact(value: float) -> str:
    """A value of a statistic to three digits."""
    return number(value, ".3f")


def tests(claims: Sequence[Claim], said_by: str = "the paper says") -> Table:
    """What decides each claim: test, threshold, the commit that set them, and what had been measured by then."""
    names = ("claim", said_by, "test", "threshold", "set by", "known by then")
    rows = [
        f'<tr><th scope="row">{escape(claim.id)}</th><td>{escape(claim.says)}</td>'
        f"<td>{code(claim.test)}; <code>{escape(claim.model)}</code> on {escape(claim.corpus)}</td>"
        f"<td>{escape(claim.asked)}</td><td><code>{claim.commit}</code></td><td>{code(claim.known)}</td></tr>"
        for claim in claims
    ]
    return framed(names, rows)


def code(text: str) -> str:
    """Text with `names` in backticks as HTML."""
    parts = escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))
