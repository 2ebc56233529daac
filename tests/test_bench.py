"""The speed figures are all there and hang together."""

import json

import pytest

from tvae.__main__ import main
from tvae.studies import bench

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "figures" / "bench.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "SECONDS", 0.02)
        patch.setattr(bench, "REPEATS", 1)
        patch.setattr(bench, "BATCHES", (2, 4))
        main(["bench", "--out", str(out)])
    return json.loads(out.read_text())


def test_every_figure_is_there_and_positive(figures):
    assert figures["matrix_peak_gflops"] == max(figures["matrix_peak_by_precision"].values()) > 0
    assert figures["decode_pieces_per_second"] > 0 and figures["device"] and figures["torch"]
    assert set(figures["train_samples_per_second"]) == set(figures["share_of_peak"]) == {"2", "4"}


def test_the_share_follows_from_rate_and_parameters(figures):
    for batch, rate in figures["train_samples_per_second"].items():
        share = rate * 6 * 11_999_728 * 8 / (figures["matrix_peak_gflops"] * 1e9)
        assert figures["share_of_peak"][batch] == pytest.approx(share)


def test_time_is_divided_among_operators(figures):
    for shares in figures["time_by_operator"].values():
        assert 0.3 < sum(shares.values()) <= 1.0001 and any("mm" in name for name in shares)
