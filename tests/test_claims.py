"""Claims: each has one verdict, from the runs that the record has, and a changed record changes it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examples import ENTRY, curves_on_file, recorded

from tvae import TvaeError
from tvae.report import beyond, claims, evidence, measured, record, tables, transferred
from tvae.report.claims import BEYOND, CLAIMS, Evidence, decide, verdict

ROOT = Path(__file__).parent.parent
R3 = next(claim for claim in CLAIMS if claim.id == "R3")
C1 = next(claim for claim in CLAIMS if claim.id == "C1")
C2 = next(claim for claim in CLAIMS if claim.id == "C2")


@pytest.mark.parametrize(
    ("low", "high", "at_least", "expected"),
    [
        (0.3, 0.4, True, "replicated"),
        (0.2, 0.3, True, "partly replicated"),
        (0.1, 0.2, True, "not replicated"),
        (0.1, 0.2, False, "replicated"),
        (0.2, 0.3, False, "partly replicated"),
        (0.3, 0.4, False, "not replicated"),
    ],
)
def test_a_verdict_is_where_the_interval_lies(low, high, at_least, expected):
    assert verdict(low, high, 0.25, at_least) == expected


def write(folder: Path, accuracies: dict[tuple[str, int], float]) -> evidence.Record:
    """A record of runs on hooktheory with these free-running accuracies: (model, fold) -> accuracy."""
    (folder / "pieces").mkdir(exist_ok=True)
    entries = []
    for (model, fold), accuracy in accuracies.items():
        changes = {"model": model, "fold": fold, "seed": fold, "accuracy_free_running": accuracy}
        entry = recorded(corpus="hooktheory", preset="cpu", **changes)
        spread = np.random.default_rng(fold).normal(0, 0.01, 300)
        arrays = {f"onsets_{kind}_free_running": np.ones(300) for kind in ("found", "claimed", "true")}
        arrays |= {"correct_free_running": 128 * (accuracy + spread - spread.mean()), "steps": np.full(300, 128)}
        np.savez(folder / "pieces" / f"{entry.name}.npz", song=np.arange(300), **arrays)
        entries.append(entry.model_dump())
    (folder / "results.json").write_text(json.dumps(entries))
    shutil.copy(ROOT / "figures" / "corpora.json", folder)
    return evidence.Record(folder)


def test_one_run_decides_and_says_that_it_is_one(tmp_path):
    found = decide(R3, evidence.evidence(R3, write(tmp_path, {("attention", 0): 0.9})))
    assert found.verdict == "replicated" and found.value == pytest.approx(0.9)
    assert found.source == "one run: fold 0, seed 0, 1,000 pieces"
    assert found.source in tables.verdicts([found]).html


def test_a_changed_record_changes_its_verdict(tmp_path):
    verdicts = [
        decide(R3, evidence.evidence(R3, write(tmp_path, {("attention", 0): accuracy}))).verdict
        for accuracy in (0.9, 0.87, 0.8)
    ]
    assert verdicts == ["replicated", "partly replicated", "not replicated"]


def write_curves(folder: Path, savings: dict[int, float], known: tuple[str, ...]) -> evidence.Record:
    """A record of curves: fold -> share of `no_attention`'s distortion that `attention` saves, at 100 nats and more.

    Of the runs that the curves go on from, those of the `known` models are recorded.
    """
    entries = []
    for fold, saving in savings.items():
        about = {"corpus": "hooktheory", "preset": "cpu", "fold": fold, "seed": fold}
        rate = 100 + 2 * fold
        theirs = [(1, 120, 45.0), (2, rate, 50 / (1 - saving)), (4, 50, 120.0)]
        entries += curves_on_file(folder, about, attention=[(1, rate, 50.0)], no_attention=theirs)
        entries += [recorded(model=model, accuracy_free_running=0.9, **about) for model in known]
    (folder / "results.json").write_text(json.dumps([entry.model_dump() for entry in entries]))
    shutil.copy(ROOT / "figures" / "corpora.json", folder)
    return evidence.Record(folder)


def test_curves_decide_on_every_fold_that_has_them(tmp_path):
    both = write_curves(tmp_path, {0: 0.2, 2: 0.3}, (C2.model, C2.other))
    found = decide(C2, evidence.evidence(C2, both))
    assert found.verdict == "replicated" and found.statistic.endswith("at 100 to 104 nats on hooktheory")
    assert [run.value for run in found.runs] == pytest.approx([0.2, 0.3]) and found.value == pytest.approx(0.25)
    assert found.low <= found.runs[0].low + 1e-9 and found.high >= found.runs[1].high - 1e-9
    assert found.source == "2 runs of each model: folds 0, 2, a seed each, 2,000 pieces"
    names = [f"cpu-hooktheory-{run}" for run in ("attention-fold2-kl1", "no_attention-fold2-kl1")]
    assert [name for name in found.runs[1].names if name.endswith("kl1")] == names


def test_curves_whose_first_run_is_not_recorded_decide_nothing(tmp_path):
    found = decide(C2, evidence.evidence(C2, write_curves(tmp_path, {0: 0.2}, (C2.model,))))
    assert found.verdict == "not decided" and "go on from" in found.reason


def test_folds_that_disagree_leave_a_claim_open_that_one_of_them_would_decide(tmp_path):
    apart = write(
        tmp_path, {("attention", fold): accuracy for fold, accuracy in enumerate((0.95, 0.8, 0.9, 0.82, 0.93))}
    )
    found = decide(R3, evidence.evidence(R3, apart))
    assert found.verdict == "partly replicated" and [run.fold for run in found.runs] == [0, 1, 2, 3, 4]
    assert [run.value for run in found.runs] == pytest.approx([0.95, 0.8, 0.9, 0.82, 0.93])
    assert found.source == "5 runs: folds 0, 1, 2, 3, 4, a seed each, 1,000 pieces"


def test_two_trainings_that_decide_say_how_little_two_are(tmp_path):
    two = decide(R3, evidence.evidence(R3, write(tmp_path, {("attention", 0): 0.95, ("attention", 1): 0.9})))
    assert two.verdict == "replicated" and "which would decide: partly replicated" in tables.verdicts([two]).html
    alike = decide(R3, evidence.evidence(R3, write(tmp_path, {("attention", 0): 0.951, ("attention", 1): 0.95})))
    assert "Student" in tables.verdicts([alike]).html and "would decide" not in tables.verdicts([alike]).html


def test_a_copy_is_measured_beside_a_strangers_bars_as_its_claim_says():
    copy = next(claim for claim in CLAIMS if claim.id == "C6, a copy")
    found = evidence.evidence(copy, evidence.Record(ROOT / "figures"))
    runs = json.loads((ROOT / "figures" / "inside.json").read_text())["runs"]
    for run in found.runs:
        rates = {row["variant"]: row["rate"][0] for row in runs[run.names[0]]["limits"]["variants"]}
        assert run.value == pytest.approx(1 - rates["copy"] / rates["unrelated"], abs=1e-3)


def test_what_was_measured_of_an_earlier_run_of_the_name_decides_nothing(tmp_path):
    shutil.copy(ROOT / "figures" / "results.json", tmp_path)
    files = {name: json.loads((ROOT / "figures" / name).read_text()) for name in ("inside.json", "transfer.json")}
    files["inside.json"]["runs"]["cpu-hooktheory-attention-fold0"]["git_commit"] = "an earlier one"
    for run in files["transfer.json"]:
        run["corpus_sha256"] = "an earlier one"
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    c4, c7 = (evidence.evidence(claim, evidence.Record(tmp_path)) for claim in CLAIMS if claim.id in ("C4", "C7"))
    others = [fold for fold in range(1, 5) if f"cpu-hooktheory-attention-fold{fold}" in files["inside.json"]["runs"]]
    assert [run.fold for run in c4.runs] == others and not c7.runs and "recorded with it yet" in c7.reason


def test_a_prior_over_the_codes_of_an_earlier_training_decides_nothing(tmp_path):
    for name in ("results.json", beyond.FILE):
        shutil.copy(ROOT / "figures" / name, tmp_path)
    drawn = [claim for claim in BEYOND if claim.statistic.startswith("drawn")]
    assert drawn and all(evidence.evidence(claim, evidence.Record(tmp_path)).runs for claim in drawn)
    runs = json.loads((tmp_path / "results.json").read_text())
    for run in runs:
        run["git_commit"] = "a later one"
    (tmp_path / "results.json").write_text(json.dumps(runs))
    for claim in drawn:
        found = evidence.evidence(claim, evidence.Record(tmp_path))
        assert not found.runs and "recorded with it yet" in found.reason


def test_repeats_that_nothing_matches_decide_nothing(tmp_path):
    c4 = next(claim for claim in CLAIMS if claim.id == "C4")
    known = write(tmp_path, {(c4.model, 0): 0.9})
    (run,) = known.entries
    row = {"kind": "repeated", "bars": 0, "saving": None, "low": None, "high": None}
    found = {"runs": {run.name: run.about() | {"codes": {"matched": [row]}}}, "elsewhere": []}
    (tmp_path / "inside.json").write_text(json.dumps(found))
    assert "there is nothing to measure it by" in evidence.evidence(c4, known).reason


def test_a_claim_with_a_misspelt_statistic_is_no_claim_that_waits_for_runs(tmp_path):
    with pytest.raises(TvaeError, match="R3 asks for 'rate_dorp', which is no statistic"):
        evidence.evidence(replace(R3, statistic="rate_dorp"), write(tmp_path, {}))


def test_what_was_measured_in_part_is_waited_for(tmp_path):
    """A run that stands beside one of sixteen bars has its repeats measured, and neither its limits nor its heads."""
    known = write(tmp_path, {("attention", 0): 0.9})
    (run,) = known.entries
    row = {"kind": "repeated", "saving": 0.8, "low": 0.7, "high": 0.9}
    found = {"runs": {run.name: run.about() | {"codes": {"matched": [row]}, "distance": []}}, "prior": {}}
    (tmp_path / beyond.FILE).write_text(json.dumps(found))
    reasons = {claim.id: evidence.evidence(claim, known).reason for claim in CLAIMS if claim.id in ("C4", "C5", "C6")}
    assert not reasons["C4"] and all("recorded with it yet" in reasons[claim] for claim in ("C5", "C6"))


def test_two_models_are_compared_on_the_folds_that_both_have(tmp_path):
    both = write(tmp_path, {("attention", 0): 0.9, ("attention", 1): 0.9, ("lstm_1x8", 0): 0.7})
    found = decide(C1, evidence.evidence(C1, both))
    assert [run.names for run in found.runs] == [("cpu-hooktheory-attention-fold0", "cpu-hooktheory-lstm_1x8-fold0")]
    assert found.value == pytest.approx(0.2) and found.verdict == "replicated"


def test_a_run_at_another_weight_says_what_it_saw_before_as_well(tmp_path):
    known = write(tmp_path, {("attention", 0): 0.9})
    sweep = known.entries[0].model_copy(update={"sweep": True, "kl_weight": 4.0, "pieces": 80})
    known.entries.append(sweep)
    assert known.pieces_seen(known.entries[0]) == 1000 and known.pieces_seen(sweep) == 1080


def test_who_is_below_always_sustain_never_loses_a_verdict(tmp_path):
    found = decide(C1, evidence.evidence(C1, write(tmp_path, {("attention", 0): 0.9, ("lstm_1x8", 0): 0.4})))
    assert found.verdict == "not decided" and "sustain" in found.reason and found.value is None
    assert "not decided" in tables.verdicts([found]).html
    curves = write_curves(tmp_path, {0: 0.2}, (C2.model, C2.other))
    curves.entries[-1] = curves.entries[-1].model_copy(update={"accuracy_free_running": 0.4})
    found = decide(C2, evidence.evidence(C2, curves))
    assert found.verdict == "not decided" and "sustain" in found.reason


def test_what_is_not_recorded_is_not_decided_and_toy_runs_decide_nothing(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps([ENTRY]))
    for claim in CLAIMS:
        found = decide(claim, evidence.evidence(claim, evidence.Record(tmp_path)))
        assert found.verdict == "not decided" and found.reason


def test_findings_are_kept_as_they_are(tmp_path):
    found = decide(R3, evidence.evidence(R3, write(tmp_path, {("attention", 0): 0.9})))
    claims.write(tmp_path, [found, decide(C1, Evidence("x", reason="no run"))])
    assert claims.read(tmp_path)[0] == found and claims.read(tmp_path)[1].reason == "no run"
    (tmp_path / "findings.json").write_text('[{"claim": "C9"}]')
    with pytest.raises(TvaeError, match="no list of findings"):
        claims.read(tmp_path)


def test_the_recorded_findings_are_those_of_the_record():
    found = {finding.claim: finding for finding in claims.read(ROOT / "figures")}
    assert list(found) == [claim.id for claim in CLAIMS]
    for claim in CLAIMS:
        again = decide(claim, evidence.evidence(claim, evidence.Record(ROOT / "figures")))
        assert again == found[claim.id]


def test_what_the_record_holds_of_its_runs_was_measured_of_these_very_runs():
    """Pages show it as it stands there; a run that was trained again is measured again (`python -m tvae measure`)."""
    folder = ROOT / "figures"
    runs = {run.name: run for run in record.read(folder)}
    inside, swapped, further = (
        json.loads((folder / file).read_text()) for file in ("inside.json", "transfer.json", beyond.FILE)
    )
    assert measured.read(folder / "inside.json") == inside and transferred.read(folder / "transfer.json") == swapped
    assert beyond.read(folder)["prior"].keys() == further["prior"].keys()
    for found in (inside["runs"], {run["run"]: run for run in swapped}, further["runs"]):
        assert found
        for name, about in found.items():
            assert runs[name].same(about), name


def test_every_claim_names_its_test_its_threshold_and_the_commit_that_set_them():
    html = tables.tests(CLAIMS).html
    for claim in CLAIMS:
        assert claim.asked in html and claim.commit in html and len(claim.commit) == 7
