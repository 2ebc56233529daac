"""Looking inside: what the measures say of cases whose answer one knows, and what a user can get wrong."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from cells import run_cells
from examples import ENTRY, recorded

from tvae import TvaeError, checkpoint, corpus, melody, transfer
from tvae.melody import SILENCE, SUSTAIN, bars
from tvae.model import MASKS, ModelConfig, TransformerVAE
from tvae.report import measured, remeasure
from tvae.report.claims import CLAIMS
from tvae.studies import attention, codes, emergence, limits, relations
from tvae.studies.attention import earlier

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
TOY = {"hidden": (32,), "d_model": 32, "d_head": 8, "d_feedforward": 32, "d_latent": 8, "heads": 2, "layers": 2}
FOLK = corpus.load("folk")
C4 = next(claim for claim in CLAIMS if claim.id == "C4")
SOME = FOLK.part(np.arange(0, 1500, 5))


def toy(mask: str = "causal") -> TransformerVAE:
    torch.manual_seed(0)
    vae = TransformerVAE(ModelConfig(**TOY, encoder_mask=mask, inter_mask=mask, decoder_mask=mask)).eval()
    with torch.no_grad():
        vae.from_code.weight.mul_(20)  # else what it says hangs little on its codes
    return vae


def bar(*pitches: int, length: int = 2) -> np.ndarray:
    """A bar of notes of equal length, then silence."""
    return melody.notes_to_tokens([melody.Note(p, k * length, (k + 1) * length) for k, p in enumerate(pitches)], 16)


# --- attention


@pytest.mark.parametrize("mask", MASKS)
def test_rows_sum_to_one_and_masked_cells_are_zero(mask, monkeypatch):
    monkeypatch.setattr(attention, "BATCH", 4)
    vae, seen = toy(mask), {"none": np.ones((8, 8)), "causal": np.tri(8), "diagonal": np.eye(8)}[mask] > 0
    for kind, weights in attention.maps(vae, SOME.tokens[:9]).items():
        assert weights.shape == (9, 2, 2, 8, 8), kind
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)
        assert (weights[..., ~seen] == 0).all() and (weights[..., seen] > 0).all()


@pytest.mark.parametrize("mask", MASKS)
def test_the_maps_belong_to_what_the_model_computes_without_them(mask):
    vae, tokens = toy(mask), torch.as_tensor(SOME.tokens[:5].astype(np.int64))
    with torch.no_grad():
        h = vae.local(tokens)
        codes_of = vae.from_code(vae.to_mu(vae.encoder(h)))
        torch.testing.assert_close(vae.encoder(h, []), vae.encoder(h))
        torch.testing.assert_close(vae.decoder(codes_of, h, [], []), vae.decoder(codes_of, h))


def test_a_mass_is_that_on_the_bar_and_not_on_the_column():
    vae, tokens = toy(), SOME.tokens[:3]
    maps, masses = attention.maps(vae, tokens), attention.masses(vae, tokens)
    names = [str(head) for head in attention.heads(vae)]
    pair = list(zip(*earlier(8))).index((4, 1))  # bar 5 to bar 2
    assert masses.shape == (3, 12, 28)
    for kind, column in (("encoder", 1), ("inter", 1), ("decoder", 2)):  # the decoder is fed bar 2 with bar 3
        head = names.index(f"{kind}, layer 2, head 1")
        assert (masses[:, head, pair] == maps[kind][:, 1, 0, 4, column]).all()


def test_places_are_the_repeats_and_the_bars_with_nothing_to_find():
    aaba = np.concatenate([bar(60, 62), bar(60, 62), bar(64), bar(60, 62), *4 * [np.zeros(16, np.uint8)]])
    one = corpus.Corpus("x", aaba[None], np.array([128]), np.array(["s"]), np.array(["t"]))
    searched, idle = attention.places(one)
    pairs = np.array(list(zip(*earlier(8))))
    assert pairs[searched[0]].tolist() == [[1, 0], [3, 0], [3, 1]]
    assert pairs[idle[0]].tolist() == [[2, 0], [2, 1]]  # silent bars are neither
    padded = corpus.Corpus("x", aaba[None], np.array([40]), one.song, one.title)
    assert attention.places(padded)[0].sum() == 1 and not attention.places(padded)[1].any()


def test_a_head_that_finds_is_told_from_one_that_looks_at_a_place():
    searched, idle = attention.places(SOME)
    place = np.linspace(0.01, 0.3, 28) * np.ones((len(SOME), 1))
    mass = np.stack([place, np.where(searched, 0.8, 0.1), np.where(idle, 0.2, 0.1)], 1)
    lift = attention.lift(mass, searched, idle, SOME.song)
    np.testing.assert_allclose(lift["lift"], [[1, 1, 1], [8, 8, 8], [0.5, 0.5, 0.5]], rtol=0.06)
    np.testing.assert_allclose(lift["found"][1], 0.8)
    np.testing.assert_allclose(lift["lift"][1], 8)
    permuted, most = attention.chance(mass, searched, idle)
    assert permuted[0] == pytest.approx(1, abs=0.05) and permuted[1] < 2 and most < 4
    distances = attention.by_distance(mass[:, 1], searched, idle, SOME.song)
    assert all(row["found"][0] == pytest.approx(0.8) and row["pairs"] >= attention.FEW for row in distances)


def test_an_untrained_model_finds_nothing():
    found = attention.measure(toy(), SOME, SOME)
    assert json.loads(json.dumps(found)) == found and len(found["heads"]) == 12
    for head in found["heads"]:
        assert head["untrained"][0] == pytest.approx(1, abs=0.2) and head["expected"][0] < 1


def test_a_head_is_found_by_its_names_or_the_error_says_which_there_are():
    vae, default = toy(), attention.Head("decoder", 2, 1)
    assert attention.find_head(vae, default) == default
    assert str(attention.find_head(vae, default, "inter", 1, 2)) == "inter, layer 1, head 2"
    wrong = {"kind": "self", "layer": 3, "number": 0}
    for given, valid in zip(wrong.items(), ("encoder, decoder, inter", "layers 1 to 2", "heads 1 to 2")):
        with pytest.raises(TvaeError, match=valid):
            attention.find_head(vae, default, **dict([given]))


# --- what a bar is to another


def test_kinds_of_bars():
    piece = [
        bar(60, 62, 64),
        bar(62, 64, 66),
        bar(60, 64, 62),
        bar(60, 62, length=4),
        bar(60, 62, 64),
        bar(66, 64),
        bar(60),
        bar(61),
    ]
    kinds = [relations.KINDS[k] for k in relations.kinds(np.concatenate(piece))]
    assert kinds == ["new", "transposed", "rhythm", "new", "repeated", "new", "new", "rhythm"]


def test_padding_and_empty_bars_do_not_count():
    tokens = np.concatenate([bar(60), np.zeros(16, np.uint8), *6 * [bar(60, 62)]])[None]
    assert relations.counted(tokens, np.array([120])).tolist() == [[True, False, True, True, True, True, True, False]]


def test_transformed_bars_keep_their_notes():
    for piece in bars(SOME.tokens)[:60]:
        for x in piece[(piece[:, 0] != SUSTAIN) & (piece >= 2).any(-1)]:
            back, turned = relations.retrograde(x), relations.inversion(x)
            assert (relations.retrograde(back) == x).all() and (relations.inversion(turned) == x).all()
            own = relations.pitches(x)
            assert (relations.pitches(back) == own[::-1]).all()
            assert (turned == SILENCE).tolist() == (x == SILENCE).tolist()
            assert relations.pitches(turned).min() == own.min() and relations.pitches(turned).max() == own.max()


def test_another_order_is_none_of_the_relatives():
    rng = np.random.default_rng(0)
    for line in ([60, 62, 65], [60, 60, 64], [60, 64, 62, 67, 60]):
        line = np.array(line)
        other = line[relations.another_order(line, rng)]
        assert sorted(other) == sorted(line) and tuple(np.diff(other)) not in relations.relatives(line)
    assert relations.another_order(np.array([60, 60, 60]), rng) is None


# --- codes


def test_matching_takes_away_what_position_and_notes_explain():
    notes = relations.note_counts(SOME.tokens)
    plain = 3.0 * notes + 2 * np.arange(8)
    rows = {row["kind"]: row for row in codes.matched(plain, SOME)}
    for row in rows.values():
        assert row["saving"] == pytest.approx(0) and row["low"] == pytest.approx(0) and row["bars"]
    repeated = relations.kinds(SOME.tokens) == relations.KINDS.index("repeated")
    rows = {row["kind"]: row for row in codes.matched(np.where(repeated, plain / 2, plain), SOME)}
    assert rows["repeated"]["saving"] == pytest.approx(0.5) and rows["rhythm"]["saving"] == pytest.approx(0)
    own = relations.counted(SOME.tokens, SOME.length) & repeated
    assert 0 < rows["repeated"]["bars"] <= own.sum()


def test_repeats_that_no_new_bar_matches_save_nothing_that_is_known():
    """A repeat has as many notes as a new bar of one song alone: draws without that song say nothing."""
    rate = np.ones((len(SOME), 8))
    tokens = np.tile(bar(60, 62), (20, 8))
    tokens[0] = np.concatenate([bar(60, 62, length=k) for k in range(1, 9)])  # of eight rhythms
    song, length = np.arange(20).astype(str), np.full(20, 128)
    alike = corpus.Corpus("x", tokens, length, song, song)
    row = codes.matched(rate[:20] * 3, alike)[0]
    assert row["bars"] and row["kind"] == "repeated" and [row[key] for key in ("saving", "low", "high")] == [0, 0, 0]
    row = codes.matched(rate[1:20], alike.part(np.arange(1, 20)))[0]
    assert row == {"kind": "repeated", "bars": 0} | dict.fromkeys(("rate", "rate_new", "saving", "low", "high"))
    run = {"codes": {"matched": [row]}}
    assert remeasure.evidence(C4, "a-run", {"runs": {"a-run": run}}, []) is None


def test_only_the_fifth_code_is_replaced_and_by_one_of_another_song():
    mu = np.arange(len(SOME) * 8, dtype=float).reshape(-1, 8, 1)
    hosts = np.flatnonzero(codes.returns(SOME))
    for name, given in codes.fifth_codes(mu, SOME, hosts).items():
        assert (np.delete(given, 4, 1) == np.delete(mu[hosts], 4, 1)).all()
        donor = (given[:, 4, 0] // 8).astype(int)
        if name == "its own":
            assert (donor == hosts).all()
        elif name == "prior mean":
            assert (given[:, 4] == 0).all()
        else:
            assert (SOME.song[donor] != SOME.song[hosts]).all()
            assert (codes.returns(SOME) if "A-A" in name else codes.goes_on(SOME))[donor].all()


def test_a_code_changes_its_own_bar_and_later_ones_with_attention_more():
    mu = transfer.encode(toy(), SOME.tokens[:40])
    causal, diagonal = codes.changes(toy(), mu), codes.changes(toy("diagonal"), mu)
    for changed in (causal, diagonal):
        assert (np.tril(changed, -1) == 0).all() and (np.diag(changed) > 0).all()
    # Without attention a bar still hears of the one before, which the decoder is fed.
    assert np.triu(diagonal, 1).sum() < np.triu(causal, 1).sum() / 2


def test_the_copy_is_the_first_bar_and_the_piece_stays_one():
    edited = codes.with_fifth_bar(FOLK.tokens[:50], bars(FOLK.tokens[:50])[:, 0])
    assert (bars(edited)[:, 4] == bars(edited)[:, 0]).all() and melody.is_valid(edited)
    assert (bars(edited)[:, :4] == bars(FOLK.tokens[:50])[:, :4]).all()


def test_a_line_is_explained_and_noise_is_not():
    rng = np.random.default_rng(0)
    seen, new = rng.normal(size=(500, 4)), rng.normal(size=(200, 4))
    assert codes.explained(seen, seen @ [1, 2, 0, -1] + 3, new, new @ [1, 2, 0, -1] + 3) == pytest.approx(1)
    assert codes.explained(seen, rng.normal(size=500), new, rng.normal(size=200)) < 0.1


def test_the_way_between_two_pieces_has_them_at_its_ends():
    a, b = np.random.default_rng(0).normal(size=(2, 8, 5))
    way = codes.between(a, b, 5)
    assert (way[0] == a).all() and (way[-1] == b).all()
    np.testing.assert_allclose(way[2], (a + b) / 2)
    first = codes.between(a, b, 3, slice(0, 1))
    assert (first[-1, 0] == b[0]).all() and (first[:, 1:] == a[1:]).all()


def test_two_axes_hold_most_of_what_varies():
    flat = np.random.default_rng(0).normal(size=(100, 6)) * [9, 3, 0.01, 0.01, 0.01, 0.01]
    points, share = codes.principal(flat)
    assert points.shape == (100, 2) and share.sum() == pytest.approx(1, abs=1e-3) and share[0] > share[1]


# --- limits


@pytest.fixture(scope="module")
def made():
    return limits.variants(SOME)


def test_made_pieces_are_what_they_are_called(made):
    first = bars(made.tokens["copy"])[:, :4]
    notes = relations.note_counts(made.tokens["copy"])
    assert len(made.source) > 100 and set(made.tokens) == set(limits.VARIANTS)
    for tokens in made.tokens.values():
        assert melody.is_valid(tokens) and (bars(tokens)[:, :4] == first).all()
        assert (relations.note_counts(tokens) == notes).all()
    second = {name: bars(tokens)[:, 4:] for name, tokens in made.tokens.items()}
    assert (second["copy"] == first).all() and (first == bars(SOME.tokens[made.source])[:, :4]).all()
    pairs = np.arange(4) + 4, np.arange(4)
    assert relations.transposed(made.tokens["transposition"])[:, *pairs].all()
    assert relations.same_rhythm(made.tokens["inversion"])[:, *pairs].all()
    assert relations.same_rhythm(made.tokens["rhythm-only copy"])[:, *pairs].all()
    assert not relations.same_rhythm(made.tokens["unrelated"])[:, *pairs].all()
    assert (second["retrograde"] == [[relations.retrograde(x) for x in piece] for piece in first]).all()


def test_a_twin_has_its_relations_rhythm_and_pitches_in_an_order_of_its_own(made):
    first = bars(made.tokens["copy"])[:, :4]
    for relation in limits.RELATIONS:
        own, twin = (bars(made.tokens[name])[:, 4:] for name in (relation, limits.twin(relation)))
        assert (np.minimum(own, 2) == np.minimum(twin, 2)).all()
        assert (np.sort(own, -1) == np.sort(twin, -1)).all()
        for of, one in zip(first[:30].reshape(-1, 16), twin[:30].reshape(-1, 16)):
            assert tuple(np.diff(relations.pitches(one))) not in relations.relatives(relations.pitches(of))


def test_notes_in_place(made):
    assert limits.in_place(made.tokens["copy"]) == 1 and limits.in_place(made.tokens["transposition"]) == 0
    assert 0 < limits.in_place(made.tokens["retrograde, shuffled"]) < 1


def test_bars_that_are_equal_stay_so_in_every_variant(made):
    same = melody.equal_bars(made.tokens["copy"])[:, :4, :4]
    for tokens in made.tokens.values():
        assert (melody.equal_bars(tokens)[:, 4:, 4:] >= same).all()


def test_a_piece_that_can_move_nowhere_is_left_out_and_none_at_all_is_a_sentence():
    wide = np.concatenate([bar(40, 47, 84, 50, 61)] * 8)
    narrow = np.concatenate([bar(60, 67, 62, 65, 61)] * 8)
    pieces = replace(
        SOME.part(np.arange(2)), tokens=np.stack([wide, narrow]), length=np.array([128, 128]), song=np.array(["a", "b"])
    )
    assert limits.suitable(pieces).all() and 0 not in limits.variants(pieces).source
    with pytest.raises(TvaeError, match="has no piece whose bars 1-4 have three notes"):
        limits.measure(toy(), pieces.part(np.array([0])))


def test_codes_of_music_without_repeats_are_not_measured(monkeypatch):
    new = SOME.part(np.flatnonzero(codes.goes_on(SOME))[:9])
    with pytest.raises(TvaeError, match="it has no piece that begins A-A"):
        codes.measure(toy(), SOME, new)
    with pytest.raises(TvaeError, match="it has no piece that begins A-A"):
        emergence.measure(toy(), SOME, new)
    again = np.flatnonzero(codes.returns(SOME))
    one_song = replace(SOME.part(again[:2]), song=np.array(["a", "a"]))
    with pytest.raises(TvaeError, match="no piece of another song that begins A-A"):
        codes.measure(toy(), SOME, one_song)


def test_the_limit_is_the_better_caught_of_the_two():
    found = limits.measure(toy(), FOLK.part(np.arange(150)))
    gain = found["gain"]
    assert gain["limit"][0] == max(gain[name][0] for name in limits.LIMITS)
    assert all(low <= value <= high for value, low, high in gain.values())
    assert json.loads(json.dumps(found)) == found


# --- the record, and what a user can get wrong


def test_a_piece_is_found_by_number_or_title():
    title = str(FOLK.title[7])
    assert FOLK.find(7) == FOLK.find(np.int64(7)) == FOLK.find("7") == FOLK.find(title.upper()) == 7
    with pytest.raises(TvaeError, match="no piece '²'"):
        FOLK.find("²")
    with pytest.raises(TvaeError, match=f"0 to {len(FOLK) - 1}"):
        FOLK.find(len(FOLK))
    with pytest.raises(TvaeError, match="The Millers Daughter"):
        FOLK.find("Miller's daughter")


def test_a_run_that_is_not_there_is_said_beside_those_that_are():
    entry = recorded(preset="cpu")
    assert measured.find_run([entry], "folk") == entry
    with pytest.raises(TvaeError, match="no_attention on folk .* cpu-folk-attention-fold0"):
        measured.find_run([entry], "folk", "no_attention")
    with pytest.raises(TvaeError, match="no such measurement .*`python -m tvae measure`"):
        measured.read(ROOT / "pyproject.toml")


def test_the_record_is_of_the_recorded_runs():
    recorded = measured.read(ROOT / "figures" / "inside.json")
    entries = json.loads((ROOT / "figures" / "results.json").read_text())
    shas = {entry["corpus"]: entry["corpus_sha256"] for entry in entries}
    assert recorded["runs"] and recorded["elsewhere"]
    for name, run in recorded["runs"].items():
        assert run["corpus_sha256"] == shas[run["corpus"]], name


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("piece", "No such tune", "like"), ("layer", 99, "layers 1 to"), ("head", 99, "heads 1 to")],
)
def test_the_page_fails_with_the_sentence_before_anything_is_measured(name, value, said):
    with pytest.raises(TvaeError, match=said):
        run_cells(ROOT / "notebooks/attention.ipynb", **{name: value})


def test_weights_that_are_not_released_come_from_the_run_and_without_it_the_record_stays(tmp_path, monkeypatch, capsys):
    entry = recorded(model="bidirectional", corpus_sha256=FOLK.sha256)
    (tmp_path / "results.json").write_text(json.dumps([entry.model_dump()]))
    monkeypatch.setattr(measured, "measure", lambda vae, corpus, fold: {"masked": vae.config.encoder_mask})

    def runs():
        measured.measure_record(tmp_path, tmp_path / "weights", tmp_path / "runs", {"folk": FOLK})
        return measured.read(tmp_path / "inside.json")["runs"]

    assert runs() == {}
    earlier = {entry.name: entry.about() | {"masked": "recorded"}}
    (tmp_path / "inside.json").write_text(json.dumps({"runs": earlier, "elsewhere": []}))
    assert runs() == earlier and "stays as it was recorded" in capsys.readouterr().out
    other = {entry.name: earlier[entry.name] | {"git_commit": "another"}}
    (tmp_path / "inside.json").write_text(json.dumps({"runs": other, "elsewhere": []}))
    assert runs() == {}, "what was measured of another run of that name is not this one's"
    vae = TransformerVAE(ModelConfig(**TOY, encoder_mask="none"))
    folder = tmp_path / "runs" / entry.run.folder
    folder.mkdir(parents=True)
    config = {"model": "bidirectional", "plan": {"model": asdict(vae.config)}}
    checkpoint.save_weights(vae, folder / "weights.safetensors", config)
    assert runs()[entry.name]["masked"] == "none"
    assert measured.inspected([entry], "folk") == {}, "no page loads what is not released"
    (tmp_path / "inside.json").write_text("{")
    assert runs()[entry.name]["masked"] == "none", "a damaged file is made anew"
    (tmp_path / "results.json").write_text(json.dumps([ENTRY | {"model": "bidirectional"}]))
    assert runs() == {}
    assert "smoke-folk-bidirectional-fold0 was trained on another version of folk" in capsys.readouterr().out
