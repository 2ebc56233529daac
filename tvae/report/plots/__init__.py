"""Arrays in, figures out; nothing is computed here but where to put the ink. A notebook ends a cell with `show`."""

from tvae.report.plots.architecture import architecture
from tvae.report.plots.attention import (
    ATTENTIONS,
    attention_by_distance,
    attention_map,
    attention_maps,
    attention_masses,
)
from tvae.report.plots.beyond import repeats_by_distance_of, saved_by_distance
from tvae.report.plots.claims import strip
from tvae.report.plots.codes import changed_bars, code_map, dots, rate_per_dimension
from tvae.report.plots.corpora import pitch_histogram, repeats_by_distance
from tvae.report.plots.emergence import emergence, falls
from tvae.report.plots.page import Shown, as_image, save, show, svg
from tvae.report.plots.results import comparison, rate_distortion, rate_per_bar
from tvae.report.plots.rolls import piano_rolls
from tvae.report.plots.style import MODEL_NAMES
from tvae.report.plots.training import rate_per_bar_over_time, training_curves
from tvae.report.plots.transfer import transfer

__all__ = [
    "ATTENTIONS",
    "MODEL_NAMES",
    "Shown",
    "architecture",
    "as_image",
    "attention_by_distance",
    "attention_map",
    "attention_maps",
    "attention_masses",
    "changed_bars",
    "code_map",
    "comparison",
    "dots",
    "emergence",
    "falls",
    "piano_rolls",
    "pitch_histogram",
    "rate_distortion",
    "strip",
    "rate_per_bar",
    "rate_per_bar_over_time",
    "rate_per_dimension",
    "repeats_by_distance",
    "repeats_by_distance_of",
    "saved_by_distance",
    "save",
    "show",
    "svg",
    "training_curves",
    "transfer",
]
