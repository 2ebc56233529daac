"""Save what the page of results shows as tables for other programs.

python scripts/save_tables.py FOLDER-OF-THE-RECORD.
"""

import sys
from pathlib import Path

import pandas as pd

from tvae.corpora import slug
from tvae.report import record as records
from tvae.report import results

record = Path(sys.argv[1])
entries = records.compared(record)
blocks = results.blocks(entries)
descriptions = results.read_descriptions(record / "corpora.json")
rows = pd.concat([results.scores(record, blocks), results.trivial_rows(descriptions, blocks)])
rows.to_csv(record / "table.csv", index=False, float_format="%.6g")
for corpus in dict.fromkeys(entry.corpus for entry in entries):
    points = results.rate_distortion(record, entries, corpus)
    if len(points):
        points.to_csv(record / f"rate_distortion-{slug(corpus)}.csv", index=False, float_format="%.6g")
