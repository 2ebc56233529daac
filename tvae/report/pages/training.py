"""The page "Training": the curves of the recorded runs, their cost, and a run made while the page is built."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from tvae.files import read_json
from tvae.presets import PRESETS
from tvae.report import plots, tables
from tvae.report import record as records
from tvae.report.entry import Entry
from tvae.report.pages import page
from tvae.train import train


@dataclass(frozen=True)
class Study:
    """The recorded runs, but for those at other KL weights, and how fast a machine was."""

    record: str | Path
    entries: list[Entry]
    speed: dict

    @cached_property
    def histories(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Of fold 0: corpus -> model -> its training curve."""
        found: dict[str, dict[str, pd.DataFrame]] = {}
        for entry in self.entries:
            if entry.fold == 0:
                own = found.setdefault(entry.corpus, {})
                own[entry.model] = records.history(page.located(self.record), entry)
        return found

    def curves(self) -> page.Below:
        """Loss, rate and accuracy of the recorded runs; a figure a corpus."""
        return page.below(
            plots.show(
                plots.training_curves(curves),
                f"Loss, rate and accuracy against pieces seen for the models trained on {corpus}.",
                f"Stage 1 on {corpus}. Lines: means over training batches, transposed and with sampled codes; dots, "
                "where it was measured: free-running accuracy on validation songs.",
                file=f"training-{corpus}",
            )
            for corpus, curves in self.histories.items()
        )

    def rates_per_bar(self) -> page.Below:
        """Where the rate goes, with attention and without; a figure a run."""
        return page.below(
            plots.show(
                plots.rate_per_bar_over_time(curves[model], f"{plots.MODEL_NAMES[model]}, {corpus}"),
                f"Rate of each of the eight bars during training of {model} on {corpus}.",
                f"Rate of each bar while {model} learns {corpus}.",
            )
            for corpus, curves in self.histories.items()
            for model in ("attention", "no_attention")
            if model in curves
        )

    def stage_0(self) -> tables.Table:
        """How far the local layer gets; LSTMs have none."""
        rows = []
        for entry in self.entries:
            history = records.history(page.located(self.record), entry)
            for last in history[history.stage == 0].tail(1).itertuples():
                rows.append(
                    {
                        "run": entry.name,
                        "steps": int(last.step),
                        "minutes": last.seconds / 60,
                        "one-bar accuracy (sampled, transposed)": last.accuracy_teacher_forced,
                    }
                )
        return tables.plain(pd.DataFrame(rows))

    def costs(self) -> tables.Table:
        rows = [
            {
                "run": entry.name,
                "parameters": f"{entry.parameters:,}",
                "minutes": entry.train_seconds / 60,
                "pieces a second": entry.samples_per_second,
                "free-running accuracy": entry.accuracy_free_running,
                "device": entry.device,
                "precision": entry.precision,
                "torch": entry.torch,
                "commit": entry.git_commit,
            }
            for entry in self.entries
        ]
        return tables.with_commits(rows)

    def presets(self) -> tables.Table:
        rows = [
            {
                "preset": name,
                "model": kind,
                "bars in stage 0": f"{plan.stage_0.rows:,}" if plan.stage_0 else "–",
                "pieces in stage 1": f"{plan.stage_1.rows:,}",
                "batch": plan.stage_1.batch,
                "peak learning rate": max(rate for _, rate in plan.stage_1.learning_rate),
                "pieces at another KL weight": f"{preset.sweep:,}",
            }
            for name, preset in PRESETS.items()
            for kind, plan in (("Transformer", preset.plan("attention")), ("LSTM", preset.plan("lstm_1x8")))
        ]
        return tables.plain(pd.DataFrame(rows))

    def throughput(self) -> tables.Table:
        """The faithful model's training step beside the machine's own best."""
        rows = [
            {
                "batch": batch,
                "pieces a second": rate,
                "GFLOP/s": rate * 6 * 8 * self.speed["parameters"] / 1e9,
                "share of the peak": f"{self.speed['share_of_peak'][batch]:.0%}",
            }
            for batch, rate in self.speed["train_samples_per_second"].items()
        ]
        return tables.plain(pd.DataFrame(rows))

    def operators(self) -> tables.Table:
        """What the time of a step is spent on."""
        columns = {
            f"batch {batch}": {name.removeprefix("aten::"): f"{share:.1%}" for name, share in shares.items()}
            for batch, shares in self.speed["time_by_operator"].items()
        }
        return tables.plain(pd.DataFrame(columns).fillna("–").reset_index(names="operator"))

    def live(self) -> plots.Shown:
        """Train the toy model now."""
        with tempfile.TemporaryDirectory() as runs:
            folder = train("attention", "folk", "smoke", runs=runs)
            history, metrics = pd.read_csv(folder / "history.csv"), read_json(folder / "metrics.json")
        page.tell("live", {"seconds": metrics["train_seconds"], "accuracy": metrics["accuracy_free_running"]})
        curves = plots.training_curves({"attention": history})
        return plots.show(curves, "Loss, rate and accuracy of a toy run.", "A toy run, stage 1.")

    def tell(self) -> None:
        speed = self.speed
        numbers = {"peak": speed["matrix_peak_gflops"], "bench_device": speed["device"]}
        page.tell("", numbers | {"decode": speed["decode_pieces_per_second"]})


def study(record: str | Path = "figures") -> Study:
    """Read the recorded runs, and what `make bench` has measured."""
    speed = read_json(page.recorded(record, "bench.json"))
    return Study(record, [entry for entry in page.entries(record) if not entry.sweep], speed)
