"""DataFrames in, HTML tables out: formatting only."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from tvae.plots import MODEL_NAMES

STATISTICS = {  # column heads and digits, in the order of the table
    "accuracy_free_running": ("accuracy, free-running", 3),
    "accuracy_teacher_forced": ("accuracy, teacher-forced", 3),
    "onset_f1_free_running": ("onset F1, free-running", 3),
    "rate_nats_per_piece": ("rate, nats a piece", 1),
    "distortion_nats_per_piece": ("distortion, nats a piece", 1),
}
BADGES = {"replicated": "yes", "partly replicated": "partly", "not replicated": "no"}


@dataclass(frozen=True)
class Table:
    """A table on a page, which scrolls inside itself on a phone."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return f'<div class="tvae-table">{self.html}</div>'

    def __repr__(self) -> str:
        return self.text


def plain(frame: pd.DataFrame) -> Table:
    """Any DataFrame, its index left out; text is escaped."""
    return Table(frame.to_html(index=False, border=0, float_format="{:,.4g}".format), frame.to_string(index=False))


def comparative(scores: pd.DataFrame) -> Table:
    """The paper's table: a row a model, value and 95 % interval a statistic, by corpus (`tvae.analysis.scores`)."""
    head = "".join(f"<th>{name}</th>" for name, _ in STATISTICS.values())
    rows, lines = [], []
    for (corpus, preset, fold), part in scores.groupby(["corpus", "preset", "fold"], sort=False):
        title = f"{corpus}, preset {preset}, fold {fold}"
        rows.append(f'<tr><th colspan="{len(STATISTICS) + 2}" scope="rowgroup">{escape(title)}</th></tr>')
        lines.append(title)
        for model, own in part.groupby("model", sort=False):
            own = own.set_index("statistic")
            name, size = MODEL_NAMES.get(model, model), own.parameters.iloc[0]
            cells = [cell(own, statistic, digits) for statistic, (_, digits) in STATISTICS.items()]
            millions = f"{size / 1e6:.2f} M" if size else "–"
            rows.append(f'<tr><th scope="row">{escape(name)}</th><td>{millions}</td>{"".join(cells)}</tr>')
            lines.append(f"  {name}: " + ", ".join(f"{s} {own.value[s]:.3f}" for s in STATISTICS if s in own.index))
    head = f"<thead><tr><th>model</th><th>parameters</th>{head}</tr></thead>"
    return Table(f"<table>{head}<tbody>{''.join(rows)}</tbody></table>", "\n".join(lines))


def cell(own: pd.DataFrame, statistic: str, digits: int) -> str:
    """Value and interval, or a dash for what a row does not have."""
    if statistic not in own.index:
        return "<td>–</td>"
    value, low, high = own.loc[statistic, ["value", "low", "high"]]
    return f"<td>{value:.{digits}f}<br><small>{low:.{digits}f} … {high:.{digits}f}</small></td>"


def verdicts(findings: list[dict]) -> Table:
    """Claim, evidence with its interval, threshold, verdict and source, a row a finding."""
    if not findings:
        return Table("<p>No claim is tested by these runs.</p>", "No claim is tested by these runs.")
    rows, lines = [], []
    for f in findings:
        evidence = f"{f['value']:.3f}<br><small>{f['low']:.3f} … {f['high']:.3f}</small>"
        badge = f'<span class="tvae-verdict tvae-verdict-{BADGES[f["verdict"]]}">{escape(f["verdict"])}</span>'
        rows.append(
            f"<tr><td>{escape(f['claim'])}</td><td>{escape(f['statement'])}<br><small>{escape(f['statistic'])}</small></td>"
            f"<td>{evidence}</td><td>{escape(f['threshold'])}</td><td>{badge}</td><td><small>{escape(f['source'])}</small></td></tr>"
        )
        lines.append(f"{f['claim']} {f['statement']} {f['value']:.3f} ({f['threshold']}): {f['verdict']}")
    head = "".join(
        f"<th>{name}</th>" for name in ("", "claim", "evidence, 95 % interval", "threshold", "verdict", "run")
    )
    return Table(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>", "\n".join(lines))
