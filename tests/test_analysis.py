"""From recorded runs to tables, findings and verdicts."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_train import TINY

from tvae import TvaeError, analysis, claims, corpus, record, tables
from tvae.claims import Claim, decide, verdict
from tvae.evaluate import terms
from tvae.melody import is_valid
from tvae.train import PRESETS, train


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A record of two toy runs, and its entries."""
    folder = tmp_path_factory.mktemp("record")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "smoke", TINY)
        runs = [train(model, runs=folder / "runs") for model in ("attention", "no_attention")]
    return folder, record.collect(runs, folder, folder / "weights")


def test_scores_have_every_statistic_inside_its_interval(recorded):
    folder, entries = recorded
    scores = analysis.scores(folder, entries)
    assert set(scores.model) == {"attention", "no_attention"}
    assert ((scores.low <= scores.value) & (scores.value <= scores.high)).all()
    for entry in entries:
        own = scores[scores.model == entry["model"]].set_index("statistic").value
        for statistic in ("accuracy_free_running", "rate_nats_per_piece", "distortion_nats_per_piece", "rate_drop"):
            assert own[statistic] == pytest.approx(entry[statistic])


def test_rates_per_bar_are_those_of_the_entries(recorded):
    folder, entries = recorded
    rates = analysis.rates_per_bar(folder, entries, "folk")
    assert set(rates) == {"attention", "no_attention"} and analysis.rates_per_bar(folder, entries, "pop909") == {}
    for entry in entries:
        value, low, high = rates[entry["model"]]
        assert value == pytest.approx(entry["rate_per_bar"]) and (low <= value).all() and (value <= high).all()


def test_changing_the_record_changes_the_table(recorded):
    folder, entries = recorded
    scores = analysis.scores(folder, entries)
    before = tables.comparative(scores).html
    scores.loc[(scores.model == "attention") & (scores.statistic == "accuracy_free_running"), "value"] = 0.123
    after = tables.comparative(scores).html
    assert before != after and "0.123" in after and "0.123" not in before


def test_the_trivial_rows_come_with_the_table(recorded):
    folder, entries = recorded
    scores = analysis.scores(folder, entries)
    folk = analysis.describe(corpus.load("folk"))
    rows = analysis.trivial_rows({"folk": folk}, scores)
    assert set(rows.model) == {"sustain", "previous_bar"}
    test = corpus.load("folk").split(0)[1]
    data = corpus.load("folk")
    counted = np.arange(128) < data.length[test][:, None]
    expected = (data.tokens[test] == 1)[counted].mean()
    value = rows[(rows.model == "sustain") & (rows.statistic == "accuracy_teacher_forced")].value.item()
    assert value == pytest.approx(expected)


def test_a_description_holds_no_notes_and_its_shares_add_up():
    folk = corpus.load("folk")
    described = analysis.describe(folk)
    assert sum(described["pitch"]) == pytest.approx(1) and sum(described["test_pieces_by_fold"]) == len(folk)
    assert len(json.dumps(described)) < 20_000
    repeats = np.array(described["repeats"])
    assert repeats.shape == (8, 8) and (repeats == repeats.T).all() and (np.diag(repeats) > 0.99).all()
    assert described["repeats_earlier"][0] == 0


def test_recomputing_notices_a_record_that_is_not_its_weights(recorded):
    folder, entries = recorded
    assert analysis.recompute(entries[0], folder / "weights")["equal"].all()
    wrong = {**entries[0], "accuracy_free_running": entries[0]["accuracy_free_running"] + 0.001}
    checks = analysis.recompute(wrong, folder / "weights").set_index("statistic")["equal"]
    assert not checks["accuracy_free_running"] and checks["rate_nats_per_piece"]


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


def test_a_claim_is_decided_by_its_recorded_run(recorded):
    folder, entries = recorded
    claim = Claim("X1", "It falls.", "attention", "folk", "rate_drop", -9.0, True, presets=("smoke",))
    finding = decide(claim, folder, entries)
    pieces, _ = record.pieces(folder, entries[0])
    top, bottom = terms(pieces)["rate_drop"]
    assert finding["value"] == pytest.approx(top.sum() / bottom.sum()) and finding["verdict"] == "replicated"
    assert set(finding) == set(claims.KEYS) and finding["source"] == "smoke-folk-attention-fold0"
    assert decide(Claim("X2", "", "attention", "pop909", "rate_drop", 0, True), folder, entries) is None


def test_toy_runs_decide_no_claim_of_the_paper(recorded):
    folder, entries = recorded
    assert [decide(claim, folder, entries) for claim in claims.CLAIMS] == [None] * len(claims.CLAIMS)


def test_findings_are_added_and_replaced(tmp_path):
    finding = dict.fromkeys(claims.KEYS, "x") | {"claim": "C1", "source": "a", "value": 1}
    claims.add(tmp_path, [finding])
    claims.add(tmp_path, [{**finding, "value": 2}, {**finding, "claim": "B1"}])
    assert [(f["claim"], f["value"]) for f in claims.read(tmp_path)] == [("B1", 1), ("C1", 2)]
    (tmp_path / "findings.json").write_text('[{"claim": "C9"}]')
    with pytest.raises(TvaeError, match="C9 has no 'statement'"):
        claims.read(tmp_path)


def test_every_claim_stands_on_the_page_with_its_threshold():
    page = (Path(__file__).parent.parent / "book" / "claims.md").read_text()
    for claim in claims.CLAIMS:
        row = next(line for line in page.splitlines() if line.startswith(f"| {claim.id} "))
        assert claim.statistic.replace("accuracy_free_running", "free-running accuracy") in row
        assert f"{claim.threshold:.2f}" in row and claim.model in row and claim.corpus in row


def test_reconstructions_are_melodies(recorded):
    folder, entries = recorded
    tokens = corpus.load("folk").tokens[:5]
    again = analysis.reconstructions(record.load_model(folder / "weights", entries[0]), tokens)
    assert again.shape == tokens.shape and again.dtype == np.uint8 and is_valid(again)
