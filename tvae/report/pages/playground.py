"""The page "Playground": writes what its JavaScript loads, and says what eight bits cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tvae.corpus import Corpus, load
from tvae.report import claims, measured, playground, remeasure, tables, transferred
from tvae.report.entry import Entry
from tvae.report.pages import page

STATIC = "../_static/playground/"  # where pages made from notebooks find what `Study.write` writes


@dataclass(frozen=True, repr=False)
class Html:
    """An element of the page, with the words of those who see no page."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Study:
    """The recorded models that the page offers, the first of them loaded with it, and the tunes."""

    record: str | Path
    entries: list[Entry]
    models: list[playground.Offered]
    folk: Corpus

    def write(self, out: str | Path) -> Html:
        """Write models, tunes and what the claims are measured again with into a folder; shows the playground."""
        written = playground.export(self.models, self.folk, out)
        own = [entry for entry in self.entries if entry.corpus == self.folk.name]
        fold = own[0].fold if own else 0
        inside = measured.read(page.recorded(self.record, "inside.json"))
        transfers = transferred.read(page.recorded(self.record, "transfer.json"))
        findings = claims.read(page.located(self.record))
        remeasure.export(self.models, self.folk, fold, findings, inside, transfers, out)
        first = (f"models/{self.models[0].id}/", *playground.AT_FIRST)  # its prior is loaded when it is asked for
        page.tell("", {"megabytes": sum(size for name, size in written.items() if name.startswith(first)) / 1e6})
        return Html(playground.element(STATIC), "The playground is a page for browsers.")

    @cached_property
    def cost(self) -> dict:
        """What eight bits cost, as it was recorded."""
        return playground.read(page.recorded(self.record, "playground.json"))

    def model(self) -> page.Text:
        name, parameters = self.entries[0].name, self.entries[0].parameters
        return page.Text(
            (
                f"The first model of the list is {name}, with {parameters:,} parameters. "
                f"Recorded: {self.cost['run']}, on its {self.cost['pieces']:,} test pieces.",
            )
        )

    def tell(self) -> None:
        value, low, high = self.cost["change"]
        shares = {"accuracy": self.cost["accuracy"], "accuracy_8_bits": self.cost["accuracy_8_bits"]}
        shares |= {"change": value, "low": low, "high": high}
        numbers = {f"recorded_{key}": float(100 * share) for key, share in shares.items()}
        size = sum(map(len, self.models[0].parts))
        page.tell("", numbers | {"halves": 2 * self.entries[0].parameters / 1e6, "eighths": size / 1e6})

    def run(self) -> tables.Table:
        return tables.runs(self.entries)


def study(record: str | Path = "figures", weights: str | Path = "weights") -> Study:
    entries = playground.chosen(page.entries(record))
    inside = measured.read(page.recorded(record, "inside.json"))
    models = [playground.offered(entry, page.located(weights), inside) for entry in entries]
    return Study(record, entries, models, load("folk"))


def measure_here(claim: str) -> Html:
    """A button that measures a claim, or several ("C7 C8 C9"), again in the reader's browser."""
    return Html(remeasure.element(claim, STATIC), f"{claim} can be measured again on the page.")
