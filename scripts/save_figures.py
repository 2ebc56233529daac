"""Save the record's figures as SVG files, and its table: python scripts/save_figures.py [figures]. The rule `record` calls it."""

import sys
from pathlib import Path

import pandas as pd

from tvae.report import measured, plots, results, transferred
from tvae.report import record as records

record = Path(sys.argv[1] if len(sys.argv) > 1 else "figures")
entries = records.read(record)
blocks = results.blocks(entries)
scores = results.scores(record, blocks)
rows = pd.concat([scores, results.trivial_rows(results.read_descriptions(record / "corpora.json"), blocks)])
rows.to_csv(record / "table.csv", index=False, float_format="%.6g")
plots.save(plots.architecture(), record / "architecture.svg", "The model, from bars to codes and back.")
for statistic, words in (
    ("accuracy_free_running", "free-running frame accuracy"),
    ("onset_f1_free_running", "free-running onset F1"),
):
    alt = f"{words} of each model on each corpus with 95 % intervals"
    plots.save(plots.comparison(rows[rows.statistic == statistic], words), record / f"{statistic}.svg", alt)
for block in blocks:
    name = block.corpus if block.folds == (0,) else f"{block.corpus}-folds"
    alt = f"Rate in nats of bars 1 to 8, {block.title}, a line for each model"
    plots.save(plots.rate_per_bar(results.rates_per_bar(record, block)), record / f"rate_per_bar-{name}.svg", alt)
for corpus in dict.fromkeys(entry["corpus"] for entry in entries):
    runs = [entry for entry in entries if (entry["corpus"], entry["fold"], entry["sweep"]) == (corpus, 0, False)]
    histories = {entry["model"]: records.history(record, entry) for entry in runs}
    plots.save(plots.training_curves(histories), record / f"training-{corpus}.svg", f"Training curves on {corpus}")
    points = results.rate_distortion(record, entries, corpus)
    if len(points):
        points.to_csv(record / f"rate_distortion-{corpus}.csv", index=False, float_format="%.6g")
        alt = f"Distortion and free-running accuracy over rate on {corpus}, a curve for each model"
        plots.save(plots.rate_distortion(points), record / f"rate_distortion-{corpus}.svg", alt)
if (record / "transfer.json").exists():
    transfers = transferred.read(record / "transfer.json")
    for corpus in dict.fromkeys(run["corpus"] for run in transfers):
        rows = transferred.table([run for run in transfers if run["corpus"] == corpus])
        figure = plots.transfer(
            rows[rows.condition.isin(transferred.DRAWN)], transferred.DECIDING, transferred.THRESHOLDS
        )
        alt = f"Structure kept, rhythm and register followed on {corpus}, for each bar whose code is swapped and each model"
        plots.save(figure, record / f"transfer-{corpus}.svg", alt)
if (record / "inside.json").exists():
    recorded = measured.read(record / "inside.json")
    for (block, model), one in measured.sides(recorded, "attention").items():
        name, alt = (
            f"attention-{block.split(',')[0]}-{model}.svg",
            f"Mass on the repeated bar in each head of {model}, {block}",
        )
        plots.save(plots.attention_masses(one["heads"], one["finder"]), record / name, alt)
    kept, made = measured.sides(recorded, "codes"), measured.sides(recorded, "limits")
    made = {key: one for key, one in made.items() if key[1] == "attention"}
    for name, rows, words in (
        ("codes-kinds", measured.rates_by_kind(kept), "rate, as a multiple of that of new bars"),
        ("codes-fifth_bar", measured.fifth_bars(kept), "share of results in which bar 5 equals bar 1"),
        ("limits-gain", measured.gains(made), "share of the rate that the relation saves beside its shuffled twin"),
    ):
        plots.save(plots.dots(rows, words), record / f"{name}.svg", f"{words}, with 95 % intervals")
