"""Context transfer: what the swap does to codes, what the measures say of known results, and the files."""

import json
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
import torch
from cells import html, run_cells
from examples import ODE, TWINKLE

import tvae
from tvae import TvaeError, corpus, melody, midi, transfer
from tvae.baselines import LSTMVAE, LSTMConfig
from tvae.melody import bars
from tvae.model import ModelConfig, TransformerVAE
from tvae.report import transferred
from tvae.studies import transfers

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
TOY = {"hidden": (32,), "d_model": 32, "d_head": 8, "d_feedforward": 32, "d_latent": 8, "heads": 2, "layers": 1}
FOLK = corpus.load("folk")


def toy() -> TransformerVAE:
    torch.manual_seed(0)
    return TransformerVAE(ModelConfig(**TOY)).eval()


VAE = toy()
HOSTS, DONORS = FOLK.tokens[:40], FOLK.tokens[40:80]


# --- the swap


def test_many_pieces_at_once_are_as_one_by_one():
    together = transfer.context_transfer(VAE, HOSTS, DONORS)
    assert together.shape == HOSTS.shape and together.dtype == np.uint8 and melody.is_valid(together)
    for k in (0, 7):
        assert (transfer.context_transfer(VAE, HOSTS[k], DONORS[k]) == together[k]).all()
    pairs = transfer.context_transfer(VAE, HOSTS.reshape(20, 2, 128), DONORS.reshape(20, 2, 128))
    assert (pairs.reshape(40, 128) == together).all()


def test_a_transfer_from_itself_is_the_reconstruction_and_one_of_all_bars_is_the_donors():
    again = transfer.decode(VAE, transfer.encode(VAE, HOSTS))
    assert (transfer.context_transfer(VAE, HOSTS, HOSTS) == again).all()
    assert (transfer.context_transfer(VAE, DONORS, HOSTS, range(1, 9)) == again).all()


def test_swapping_a_bar_changes_no_earlier_one_and_without_attention_hardly_another():
    later = {}
    for model in ("attention", "no_attention"):
        vae = tvae.load(ROOT / f"weights/cpu-hooktheory-{model}-fold0.safetensors")
        once = bars(transfer.context_transfer(vae, HOSTS, HOSTS))
        result = bars(transfer.context_transfer(vae, HOSTS, DONORS, 2))
        notes = np.where(once >= 2, once, 0), np.where(result >= 2, result, 0)  # a sustain may lose what it sustained
        changed = (notes[0] != notes[1]).any(-1).mean(0)  # (8,) share of the pieces
        assert changed[0] == 0 and changed[1] > 0.9
        later[model] = changed[2:].mean()
    assert later["no_attention"] < 0.1 < 0.3 < later["attention"]  # its decoder still hears the bar before


@pytest.mark.parametrize(
    "given, found",
    [(1, (1,)), ("1", (1,)), ("2, 1", (1, 2)), ("1 2 8", (1, 2, 8)), ([3, 1, 3], (1, 3)), (np.int64(8), (8,))],
)
def test_bars_as_people_give_them(given, found):
    assert transfer.bar_numbers(given) == found


@pytest.mark.parametrize("given", [0, 9, "", "one", [], [1, 9], None, "1-2", 1.9, [1.0, 2.5], True, [True]])
def test_bars_that_there_are_not(given):
    with pytest.raises(TvaeError, match="There are no bars .* give some of 1 to 8"):
        transfer.bar_numbers(given)


@pytest.mark.parametrize(
    "host, donor, says",
    [
        (HOSTS, DONORS[:3], "as many pieces"),
        (HOSTS[0][:64], DONORS[0][:64], "128 tokens"),
        (HOSTS + 40, DONORS, "0 to 46"),
    ],
)
def test_what_is_no_piece_is_said(host, donor, says):
    with pytest.raises(TvaeError, match=says):
        transfer.context_transfer(VAE, host, donor)


def test_a_model_with_one_code_cannot_transfer():
    flat = LSTMVAE(LSTMConfig(d_embedding=8, d_encoder=8, d_decoder=8, d_condition=8, bars_per_code=8))
    with pytest.raises(TvaeError, match="one code for the whole piece"):
        transfer.context_transfer(flat, HOSTS, DONORS)
    each = LSTMVAE(LSTMConfig(d_embedding=8, d_encoder=8, d_decoder=8, d_condition=8, bars_per_code=1))
    assert transfer.context_transfer(each, HOSTS, DONORS).shape == HOSTS.shape


# --- songs


def test_the_tunes_are_eight_bars_that_a_listener_knows():
    tunes = transfer.tunes()
    assert len(tunes) == 5 and all(tune.shape == (128,) and melody.is_valid(tune) for tune in tunes.values())
    assert (tunes["Twinkle, Twinkle"] == TWINKLE).all()
    assert melody.earlier_equal(tunes["Frère Jacques"]).tolist() == [-1, 0, -1, 2, -1, 4, -1, 6]
    assert melody.earlier_equal(tunes["Ode to Joy"]).tolist() == [-1, -1, -1, -1, 0, 1, 2, -1]
    assert melody.earlier_equal(tunes["Jingle Bells"])[1] == 0
    assert melody.earlier_equal(tunes["Mary Had a Little Lamb"])[4] == 0


def test_a_song_is_a_tune_by_its_title_or_a_file(tmp_path):
    assert (transfer.song("Ode to Joy").tokens == transfer.tunes()["Ode to Joy"]).all()
    midi.write_midi(TWINKLE, tmp_path / "a.mid", tempo=90)
    read = transfer.song(tmp_path / "a.mid")
    assert (read.tokens == TWINKLE).all() and read.tempo == 90
    with pytest.raises(TvaeError, match="There is no file 'Ode to Joi'; .* Jingle Bells"):
        transfer.song("Ode to Joi")


@pytest.mark.parametrize("tempo", [61, 120, 133.7])
def test_what_is_written_is_what_the_model_said(tmp_path, tempo):
    result = transfer.context_transfer(VAE, HOSTS[0], DONORS[0])
    path = tmp_path / "result.mid"
    midi.write_midi(result, path, tempo=tempo, name="A begun as B")
    assert (midi.read_midi(path).tokens == result).all()
    messages = [message for track in mido.MidiFile(path).tracks for message in track]
    assert [(m.numerator, m.denominator) for m in messages if m.type == "time_signature"] == [(4, 4)]
    assert [mido.tempo2bpm(m.tempo) for m in messages if m.type == "set_tempo"] == [pytest.approx(tempo, abs=0.01)]
    other = pretty_midi.PrettyMIDI(str(path))
    assert [track.name for track in other.instruments] == ["A begun as B"]
    downbeats = np.arange(len(other.get_downbeats())) * 240 / tempo
    assert np.allclose(other.get_downbeats(), downbeats, atol=1e-3)


# --- measures, of results one knows


def trios(rng: np.random.Generator, number: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Hosts (N, 128) whose bar 5 repeats bar 1, and two donors each (N, 2, 128) without a repeat; four notes a bar."""
    tokens = np.ones((3 * number, 8, 16), np.uint8)
    centre = rng.integers(12, 36, (3 * number, 1))  # a register of its own
    for bar in range(8):
        begins = np.sort(rng.permuted(np.tile(np.arange(1, 16), (3 * number, 1)), axis=1)[:, :3])
        begins = np.concatenate([np.zeros_like(begins[:, :1]), begins], 1)
        np.put_along_axis(tokens[:, bar], begins, centre + rng.integers(-4, 5, begins.shape), 1)
    host, donors = tokens[:number], tokens[number:].reshape(number, 2, 8, 16)
    host[:, 4] = host[:, 0]
    return host.reshape(-1, 128), donors.reshape(-1, 2, 128)


def measured(host, donors, results, swapped=(1,), donors_again=None) -> dict:
    again = donors if donors_again is None else donors_again
    measured = transfers.measures(host, host, donors, again, results, swapped)
    return {name: measure.value() for name, measure in measured.items()}


def replaced(host, donors, *places) -> np.ndarray:
    results = np.repeat(bars(host)[:, None], 2, 1).copy()
    for bar in places:
        results[:, :, bar - 1] = bars(donors)[:, :, 0]
    return results.reshape(-1, 2, 128)


def test_a_perfect_transfer_keeps_the_structure_and_one_that_copies_nothing_loses_it():
    host, donors = trios(np.random.default_rng(0))
    perfect = measured(host, donors, replaced(host, donors, 1, 5))
    assert perfect["structure_kept"] == perfect["structure_f1"] == perfect["structure_recall"] == 1
    assert perfect["repeats_notes"] == perfect["repeats_onsets"] == 1
    assert perfect["bars_equal"] == pytest.approx(6 / 7)
    bar_alone = measured(host, donors, replaced(host, donors, 1))
    assert bar_alone["structure_kept"] == bar_alone["structure_recall"] == 0
    assert bar_alone["bars_equal"] == 1
    assert bar_alone["repeats_notes"] < 0.2
    assert measured(host, donors, donors)["structure_kept"] == 0


def test_self_similarity_tells_forms_apart():
    host, donors = trios(np.random.default_rng(5))
    free, others = donors[:, 0], np.roll(donors, 1, axis=0)
    hosts = np.concatenate([host, free])  # with and without bar 5 = bar 1
    results = np.concatenate([replaced(host, donors, 1, 5), replaced(free, others, 1)])
    both = np.concatenate([donors, others])
    assert measured(hosts, both, results)["self_similarity"] > 0.8
    assert abs(measured(hosts, both, results[np.random.default_rng(0).permutation(600)])["self_similarity"]) < 0.15


def test_an_unrelated_song_of_the_same_form_counts_as_chance():
    host, donors = trios(np.random.default_rng(1))
    donors = replaced(donors[:, 0], donors, 1, 5)  # now all have bar 5 = bar 1
    form = measured(host, donors, donors)
    assert form["structure_f1"] == form["structure_f1_unrelated"] == 1 and np.isnan(form["structure_kept"])


def test_rhythm_and_register_are_0_without_a_trace_of_the_donor_and_1_where_the_donor_is_all_there_is():
    host, donors = trios(np.random.default_rng(2), 2000)
    unswapped = measured(host, donors, np.repeat(host[:, None], 2, 1))
    assert unswapped["rhythm_follows"] == unswapped["register_follows"] == unswapped["register_from_host"] == 0
    others = np.roll(donors, 1, axis=0)  # as with a random z_1: the result has another song's rhythm and register
    random = measured(host, donors, replaced(host, others, 1, 2, 3, 5, 7))
    assert abs(random["register_follows"]) < 0.05 and random["register_from_host"] > 0.15, (
        "why from_host does not decide"
    )
    assert abs(random["rhythm_donor"] - random["rhythm_other_donor"]) < 0.01
    whole = measured(host, donors, donors)
    assert whole["register_follows"] == pytest.approx(1, abs=0.02)
    copies = measured(host, donors, replaced(host, donors, *range(1, 9)), donors_again=donors)
    assert copies["rhythm_donor"] == 1 and copies["rhythm_other_donor"] < 0.6


def test_copies_of_the_new_first_bar_do_not_count_as_following_it():
    host, donors = trios(np.random.default_rng(3))
    perfect = measured(host, donors, replaced(host, donors, 1, 5))
    assert perfect["register_slope"] == 0
    assert perfect["rhythm_donor"] == pytest.approx(perfect["rhythm_other_donor"], abs=0.02)
    followed = measured(host, donors, replaced(host, donors, 1, 5, 6))  # bar 6 of the host is no copy of its bar 1
    assert followed["register_slope"] > 0.1
    assert followed["rhythm_donor"] > followed["rhythm_other_donor"] + 0.05


def test_half_of_the_way_is_half():
    rng = np.random.default_rng(4)
    begins = np.eye(8, 16, dtype=bool)  # one note a bar, each elsewhere: a copy of bar 1 would not count
    shift = 2 * rng.integers(-9, 10, (500, 2, 1, 1))
    first = (np.arange(8) == 0)[:, None]

    def pieces(moved):
        return np.where(begins, 22 + moved, 1).astype(np.uint8).reshape(500, -1, 128)

    host = pieces(np.zeros((500, 1, 8, 16), int))[:, 0]
    half = measured(host, pieces(shift), pieces(np.where(first, shift, shift // 2)))
    assert half["register_follows"] == pytest.approx(0.5)
    assert half["register_from_host"] == pytest.approx(0.5)


def test_self_similarity_is_what_two_bars_share():
    alike = transfers.self_similarity(ODE)
    assert alike[0, 4] == 1 and alike[0, 0] == 1 and (alike == alike.T).all()
    assert alike[0, 1] == 0  # E E F G against G F E D
    assert transfers.self_similarity(ODE, pitches=False)[0, 1] == 1
    assert (transfers.self_similarity(np.zeros(128, int)) == 0).all()


def test_later_bars_are_those_after_the_swap_that_copy_no_swapped_one():
    assert transfers.later_bars(ODE, (1,)).tolist() == [False, True, True, True, False, True, True, True]
    assert transfers.later_bars(ODE, (1, 2)).tolist() == [False, False, True, True, False, False, True, True]
    assert transfers.later_bars(ODE, (4,)).tolist() == 4 * [False] + 4 * [True]  # none repeats bar 4
    assert transfers.later_bars(ODE, (8,)).sum() == 0


# --- the measurement


def test_couples_share_no_song_between_groups(monkeypatch):
    chosen = transfers.couples(FOLK.song)
    host, donors = FOLK.song[chosen.host], FOLK.song[chosen.donors]
    assert (host != donors[:, 0]).all() and (host != donors[:, 1]).all() and (donors[:, 0] != donors[:, 1]).all()
    of = {}
    for song, group in zip(np.concatenate([host, *donors.T]), np.tile(chosen.group, 3)):
        assert of.setdefault(song, group) == group
    songs = len(set(FOLK.song))
    assert len(of) == songs // 3 * 3 and len(set(chosen.host)) == len(chosen.host) > len(FOLK) - 30
    again = transfers.couples(FOLK.song)
    assert (again.host == chosen.host).all() and (again.donors == chosen.donors).all()
    assert set(transfers.couples(FOLK.song, groups=2).group) == {0, 1}
    monkeypatch.setattr(transfers, "SEED", 1)
    assert (transfers.couples(FOLK.song).host[:50] != chosen.host[:50]).any()


def test_two_songs_are_too_few():
    with pytest.raises(TvaeError, match="three songs"):
        transfers.couples(np.array(["a", "a", "b"]))


@pytest.fixture(scope="module")
def measurement():
    return transfers.measure(VAE, FOLK.tokens, FOLK.song, groups=8)


def test_a_measurement_has_every_condition_and_the_null_is_null(measurement):
    assert set(measurement["conditions"]) == set(transfers.CONDITIONS) and measurement["groups"] == 8
    json.dumps(measurement, allow_nan=False)
    null = measurement["conditions"]["no swap"]
    for name in ("rhythm_follows", "register_slope", "register_from_host"):
        assert null[name][0] == 0
    for measures in measurement["conditions"].values():
        for value, low, high in measures.values():
            assert None in (value, low, high) or low <= high
    assert measurement["conditions"]["bar 8"]["rhythm_donor"] == [None, None, None]
    assert "register_octave" in measurement["conditions"]["bar 1, an octave away"]


def test_a_condition_by_itself_is_measured_as_among_the_others(measurement):
    name = "bar 1, an octave away"
    alone = transfers.measure(VAE, FOLK.tokens, FOLK.song, 8, conditions={name: transfers.CONDITIONS[name]})
    assert alone["conditions"] == {name: measurement["conditions"][name]}


def test_a_measurement_is_the_same_again(measurement):
    assert transfers.measure(VAE, FOLK.tokens, FOLK.song, groups=8) == measurement


def test_pieces_that_begin_with_a_rest_take_no_part():
    tokens = FOLK.tokens[:60].copy()
    tokens[::2, :16] = 0
    whole = transfers.measure(VAE, tokens, FOLK.song[:60])
    assert whole["n"] <= 60


def test_octaves_stay_on_the_grid():
    moved, semitones = transfers.octave_away(np.stack([ODE, melody.transpose(ODE, 14), np.zeros(128, np.uint8)]))
    assert semitones.tolist() == [12, -12, 12] and (melody.transpose(moved[0], -12) == ODE).all()
    wide = ODE.copy()
    wide[[0, 16]] = [2, 46]
    moved, semitones = transfers.octave_away(wide)
    assert semitones == 0 and (moved == wide).all()


def entries() -> list[dict]:
    return json.loads((ROOT / "figures/results.json").read_text())


def test_the_record_of_transfers(tmp_path, monkeypatch, capsys):
    folk = [e for e in entries() if (e["corpus"], e["fold"], e["sweep"]) == ("folk", 0, False)]
    folk = [e for e in folk if e["model"] == "no_attention"]
    (tmp_path / "results.json").write_text(json.dumps(folk))
    run = transferred.measure_run
    monkeypatch.setattr(transferred, "measure_run", lambda *given: run(*given, groups=3))
    transferred.measure_record(tmp_path, ROOT / "weights", tmp_path / "runs", {"folk": FOLK})
    (recorded,) = transferred.read(tmp_path / "transfer.json")
    assert recorded["run"] == "cpu-folk-no_attention-fold0" and recorded["groups"] == 3
    table = transferred.table([recorded])
    assert set(table.condition) == set(transfers.CONDITIONS) and (table.n == recorded["n"]).all()
    without = table[(table.condition == "bar 1") & (table.measure == "structure_recall")]
    assert (without.value == 0).all(), "no attention, no copy"
    assert "cpu-folk-no_attention-fold0" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "", "{}", "[{}]", "[1]"])
def test_a_record_that_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / "transfer.json").write_text(content)
    with pytest.raises(TvaeError, match="python -m tvae measure"):
        transferred.read(tmp_path / "transfer.json")


# --- the reader's own songs


def test_the_notebook_takes_anybodys_midi(tmp_path):
    midi.write_midi(ODE, tmp_path / "a.mid", tempo=100, name="Mine")
    midi.write_midi(melody.transpose(TWINKLE, 5), tmp_path / "b.mid", tempo=80)
    given = {"song_a": str(tmp_path / "a.mid"), "song_b": str(tmp_path / "b.mid"), "bars": 1, "groups": 2}
    given["out"] = str(tmp_path / "new" / "folder")
    shown = run_cells(ROOT / "notebooks/transfer.ipynb", **given)
    made = {path.name: path for path in (tmp_path / "new" / "folder").iterdir()}
    assert set(made) == {f"{name}{end}" for name in ("a-begun-as-b", "b-begun-as-a") for end in (".mid", ".wav")} | {
        "rolls.svg"
    }
    first = midi.read_midi(made["a-begun-as-b.mid"])
    assert first.tempo == 100 and midi.read_midi(made["b-begun-as-a.mid"]).tempo == 80
    assert made["rolls.svg"].read_text().startswith("<svg")
    assert "a, bar 1 from b" in html(shown) and "The file ends" not in html(shown)
