"""Did the context transfer? Structure, rhythm and register of a host's later bars when a donor gives the first ones.

Measures are pure functions of tokens. Where shapes say ``...``, many pieces are taken at once; bars are counted from 1, as
musicians do. What is claimed of the measures is in ``book/claims.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch

from tvae import melody
from tvae.baselines import LSTMVAE
from tvae.errors import TvaeError
from tvae.melody import BARS, FIRST_PITCH, LOWEST, PIECE
from tvae.model import TransformerVAE
from tvae.studies.statistics import quantiles, resampled
from tvae.transfer import decode, encode, swap

SEED = 0


# --- measures, of tokens alone


def onsets(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8, 16) bool: where does a note begin?"""
    return melody.bars(tokens) >= FIRST_PITCH


def mean_pitch(tokens: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(..., 128) and (..., 8) bool -> (...) mean MIDI pitch of the notes that begin in the chosen bars; NaN without any."""
    counted = onsets(tokens) & chosen[..., None]
    pitch = melody.bars(tokens).astype(float) - FIRST_PITCH + LOWEST
    return share((pitch * counted).sum((-2, -1)), counted.sum((-2, -1)).astype(float))


def self_similarity(tokens: np.ndarray, pitches: bool = True) -> np.ndarray:
    """(..., 128) -> (..., 8, 8) in 0 ... 1: F1 of the notes of bar i and of bar j, or of their onsets; 0 for two empty ones."""
    begins = onsets(tokens)
    x = melody.bars(tokens) if pitches else begins
    same = (x[..., :, None, :] == x[..., None, :, :]) & begins[..., None, :]
    count = begins.sum(-1)
    return 2 * same.sum(-1) / np.maximum(count[..., :, None] + count[..., None, :], 1)


def pairs_with(bars: tuple[int, ...]) -> np.ndarray:
    """(8, 8) bool: each pair of bars i < j of which at least one is among these."""
    chosen = np.isin(np.arange(1, BARS + 1), bars)
    return np.triu(chosen[:, None] | chosen, k=1)


def structure(host: np.ndarray, result: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, ...]:
    """Equal bars among these pairs (8, 8): how many are found in both, in the result and in the host; each (...)."""
    true, claimed = melody.equal_bars(host) & pairs, melody.equal_bars(result) & pairs
    return tuple(x.sum((-2, -1)) for x in np.broadcast_arrays(true & claimed, claimed, true))


def rhythm(tokens: np.ndarray, pattern: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Do the chosen bars (..., 8) have the onsets of the pattern (..., 16)? F1 is the ratio of the two sums, each (...)."""
    begins = onsets(tokens)
    both = 2 * (begins & pattern[..., None, :]).sum(-1)
    total = begins.sum(-1) + pattern.sum(-1)[..., None]
    return (both * chosen).sum(-1), (total * chosen).sum(-1)


def later_bars(tokens: np.ndarray, bars: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(..., 128) -> two (..., 8) bool: the bars after the first of `bars` that are not among them, those of them that are new.

    New is what does not repeat one of `bars`.
    """
    number = np.arange(1, BARS + 1)
    later = np.broadcast_to((number > bars[0]) & ~np.isin(number, bars), (*tokens.shape[:-1], BARS))
    copies = melody.equal_bars(tokens)[..., [bar - 1 for bar in bars]].any(-1)
    return later, later & ~copies


def share(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top / bottom, NaN where there is nothing to divide by."""
    return np.divide(top, bottom, out=np.full(np.broadcast(top, bottom).shape, np.nan), where=np.asarray(bottom) != 0)


# --- couples of transfers, and what is summed over them


@dataclass(frozen=True)
class Couples:
    """M hosts, each with two donors: host (M,) and donors (M, 2) are rows of a corpus, group (M,) shares no song with others."""

    host: np.ndarray
    donors: np.ndarray
    group: np.ndarray


def couples(song: np.ndarray, groups: int | None = None, seed: int = SEED) -> Couples:
    """Songs in groups of three at random, `groups` of them or all; each piece is host, with a donor from either other song.

    song (N,) is what each piece belongs to. Raises TvaeError for fewer than three songs.
    """
    rng = np.random.default_rng(seed)
    songs = rng.permutation(np.unique(song))
    if len(songs) < 3:
        raise TvaeError(f"Context transfer is measured on three songs or more; there are {len(songs)}.")
    rows = []
    for number, trio in enumerate(songs[: len(songs) // 3 * 3].reshape(-1, 3)[:groups]):
        pieces = [np.flatnonzero(song == name) for name in trio]
        for k in range(3):
            rows += [(host, rng.choice(pieces[k - 1]), rng.choice(pieces[k - 2]), number) for host in pieces[k]]
    host, first, second, group = np.array(rows).T
    return Couples(host, np.stack([first, second], 1), group)


def summands(
    host: np.ndarray, again: np.ndarray, donors: np.ndarray, donors_again: np.ndarray, results: np.ndarray, bars: tuple
) -> dict[str, np.ndarray]:
    """What `statistics` needs, for each of M hosts; each (M,).

    host and its reconstruction `again` (M, 128); two donors, their reconstructions and what came out, each (M, 2, 128).
    """
    both, two = host[:, None], np.broadcast_to(again[:, None], results.shape)  # beside the two results
    swapped = np.isin(np.arange(1, BARS + 1), bars)
    sums = {}

    def add(**parts):  # of both transfers of a couple
        for name, values in parts.items():
            values = np.asarray(values, float)
            sums[name] = values.reshape(len(values), -1).sum(1)

    same = (melody.bars(results) == melody.bars(both)).all(-1)
    taken = (melody.bars(results) == melody.bars(donors_again)).all(-1)
    add(equal=same[..., ~swapped], others=np.ones_like(same[..., ~swapped]))
    add(taken=taken[..., swapped], swapped=np.ones_like(taken[..., swapped]))

    alike = [self_similarity(x) for x in (both, results)]
    unusual = [s - s.mean((0, 1)) for s in alike]  # what is usual between bars i and j is no likeness
    for pairs, name in ((pairs_with(bars), ""), (pairs_with(tuple(range(1, BARS + 1))), "_all")):
        for other, whose in ((results, ""), (two, "_unswapped"), (donors_again, "_unrelated")):
            found, claimed, true = structure(both, other, pairs)
            add(**{f"found{name}{whose}": found, f"claimed{name}{whose}": claimed, f"true{name}{whose}": true})
        x, y = (s[..., pairs] for s in np.broadcast_arrays(*unusual))
        add(**{f"xy{name}": x * y, f"xx{name}": x * x, f"yy{name}": y * y})

    repeats = melody.equal_bars(both) & pairs_with(bars)
    add(repeats=np.broadcast_to(repeats, (*results.shape[:2], BARS, BARS)))
    for name, one, other in (
        ("notes", alike[1], self_similarity(donors_again)),
        ("onsets", self_similarity(results, False), self_similarity(donors_again, False)),
    ):
        add(**{f"repeats_{name}": one * repeats, f"repeats_{name}_unrelated": other * repeats})

    k = bars[0] - 1
    heard, own = onsets(donors)[..., k, :], onsets(both)[..., k, :]  # the rhythm of the first swapped bar
    high, level = (mean_pitch(x, np.arange(BARS) == k) for x in (donors, both))
    chosen, donors_chosen = later_bars(both, bars), later_bars(donors, bars)
    for later, natural, name in zip(chosen, donors_chosen, ("_with_copies", "")):
        for tokens, pattern, whose in (
            (results, heard, "donor"), (results, heard[:, ::-1], "other_donor"), (results, own, "host"),
            (two, heard, "donor_unswapped"), (two, own, "host_unswapped"),
        ):  # fmt: skip
            agreed, total = rhythm(tokens, pattern, later)
            add(**{f"agreed_{whose}{name}": agreed, f"total_{whose}{name}": total})
        pitch, before, songs = (mean_pitch(x, m) for x, m in ((results, later), (two, later), (donors_again, natural)))
        slope = {
            "register": (high[:, 0] - high[:, 1], pitch[:, 0] - pitch[:, 1]),
            "songs": (high[:, 0] - high[:, 1], songs[:, 0] - songs[:, 1]),
            "host": (high - level, pitch - before),
        }
        for kind, (x, y) in slope.items():
            known = np.isfinite(x * y)
            add(**{f"{kind}_xy{name}": np.where(known, x * y, 0), f"{kind}_xx{name}": np.where(known, x * x, 0)})
    return sums


def statistics(s: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The measures, from `summands` summed over hosts; numbers, or one for each draw of a bootstrap.

    structure_kept, rhythm_follows and register_follows decide C7 to C9: 0 is chance and 1 what songs do by themselves.

    ==========================  ==========================================================================================
    structure_...               equal bars, of pairs with a swapped bar: precision, recall and F1 of the result's against
                                the host's; ``_unrelated`` is an unrelated song's F1
    self_similarity             correlation of host and result over these pairs, less what is usual at each place
    repeats_...                 how alike (F1 of notes, of onsets) the two bars of such a pair of the host are in the result
    rhythm_...                  later bars that are new, with the first swapped bar: of the donor, the other donor, the host
    register_slope              what the later bars take over of a semitone between two donors; ``_songs``: in songs
    register_from_host          the same of a semitone between donor and host, which is above 0 for any middling z as well
    register_octave             the same of a donor's move by an octave
    bars_equal, bar_taken       share of the other bars that equal the host's, of the swapped that equal the donor's
    ``..._all``                 all pairs of bars
    ``..._with_copies``         all later bars, also those that repeat a swapped one
    ==========================  ==========================================================================================
    """
    found = {"bars_equal": share(s["equal"], s["others"]), "bar_taken": share(s["taken"], s["swapped"])}
    for name in ("", "_all"):
        precision = share(s[f"found{name}"], s[f"claimed{name}"])
        recall = share(s[f"found{name}"], s[f"true{name}"])
        f1, unswapped, unrelated = (
            share(2 * s[f"found{name}{whose}"], s[f"claimed{name}{whose}"] + s[f"true{name}{whose}"])
            for whose in ("", "_unswapped", "_unrelated")
        )
        found |= {
            f"structure_precision{name}": precision,
            f"structure_recall{name}": recall,
            f"structure_f1{name}": f1,
            f"structure_f1_unrelated{name}": unrelated,
            f"structure_kept{name}": share(f1 - unrelated, unswapped - unrelated),
            f"self_similarity{name}": share(s[f"xy{name}"], np.sqrt(s[f"xx{name}"] * s[f"yy{name}"])),
        }
    for name in ("repeats_notes", "repeats_onsets", "repeats_notes_unrelated", "repeats_onsets_unrelated"):
        found[name] = share(s[name], s["repeats"])
    for name in ("", "_with_copies"):
        agreement = {
            whose: share(s[f"agreed_{whose}{name}"], s[f"total_{whose}{name}"])
            for whose in ("donor", "other_donor", "host", "donor_unswapped", "host_unswapped")
        }
        slope, songs, host = (share(s[f"{k}_xy{name}"], s[f"{k}_xx{name}"]) for k in ("register", "songs", "host"))
        found |= {f"rhythm_{whose}{name}": agreement[whose] for whose in ("donor", "other_donor", "host")}
        found |= {
            f"rhythm_follows{name}": share(
                agreement["donor"] - agreement["other_donor"],
                agreement["host_unswapped"] - agreement["donor_unswapped"],
            ),
            f"register_from_host{name}": host,
            f"register_slope{name}": slope,
            f"register_slope_songs{name}": songs,
            f"register_follows{name}": share(slope, songs),
        }
    return found


# --- the measurement


@dataclass(frozen=True)
class Condition:
    """What is done to the codes of which bars.

    They become the donor's, the prior's (a draw from it), the donor's an octave away, those of the host itself a fourth higher
    and a fourth lower (its two donors, so to say), or stay the host's.
    """

    bars: tuple[int, ...]
    codes: str = "donor"  # or prior, octave, own, host


CONDITIONS = {
    "no swap": Condition((1,), "host"),
    "bar 1": Condition((1,)),
    "bar 1 from the prior": Condition((1,), "prior"),
    "bar 1, an octave away": Condition((1,), "octave"),
    "bar 1, the host's a fourth away": Condition((1,), "own"),
    "bars 1-2": Condition((1, 2)),
    **{f"bar {bar}": Condition((bar,)) for bar in range(2, BARS + 1)},
}
NEEDS_ANOTHER_SONG = re.compile("unrelated|kept|rhythm|follows|songs")  # measures


def measure(
    vae: TransformerVAE | LSTMVAE, tokens: np.ndarray, song: np.ndarray, groups: int | None = None, seed: int = SEED
) -> dict:
    """Every condition on test pieces (N, 128) of songs (N,): {"n": transfers a condition, "groups": how many, "conditions":
    {name: {measure: [value, low, high]}}}, None where there is nothing to measure.

    Pieces without a note in bar 1 take no part. Intervals are 95 %, from a bootstrap over groups.
    """
    begins = onsets(tokens)[:, 0].any(-1)
    tokens, song = tokens[begins], song[begins]
    chosen = couples(song, groups, seed)
    host, donors = tokens[chosen.host], tokens[chosen.donors]  # (M, 128), (M, 2, 128)
    away, semitones = octave_away(donors)
    own = np.stack([melody.transpose(host, semitones) for semitones in (5, -5)], 1)
    given = {"donor": donors, "octave": away, "own": own}
    codes = {name: encode(vae, pieces.reshape(-1, PIECE)) for name, pieces in given.items()}
    given_again = {name: decode(vae, z).reshape(donors.shape) for name, z in codes.items()}
    noise = torch.Generator().manual_seed(seed)
    codes["prior"] = torch.randn(codes["donor"].shape, generator=noise).numpy()
    given["prior"], given_again["prior"] = given["donor"], given_again["donor"]
    host_codes = np.repeat(encode(vae, host), 2, axis=0)
    again = decode(vae, host_codes[::2])
    unswapped = np.repeat(again[:, None], 2, 1)

    found, results = {}, {}
    for name, condition in CONDITIONS.items():
        whose = "donor" if condition.codes == "host" else condition.codes
        if condition.codes == "host":
            results[name] = unswapped
        else:
            results[name] = decode(vae, swap(host_codes, codes[whose], condition.bars)).reshape(donors.shape)
        sums = summands(host, again, given[whose], given_again[whose], results[name], condition.bars)
        if whose == "octave":
            sums |= octave_summands(host, results["bar 1"], results[name], semitones)
        found[name] = with_intervals(sums, chosen.group)
        if whose == "own":  # no other song to compare with
            found[name] = {key: found[name][key] for key in found[name] if not NEEDS_ANOTHER_SONG.search(key)}
    return {"n": donors[..., 0].size, "groups": int(chosen.group.max()) + 1, "seed": seed, "conditions": found}


def octave_away(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., 128) -> the pieces an octave higher, or lower where notes would leave the grid; and the semitones (...), or 0."""
    moved, semitones = tokens.copy(), np.zeros(tokens.shape[:-1], int)
    for shift in (-12, 12):
        there = melody.transpose(tokens, shift)
        fits = ((tokens >= FIRST_PITCH) == (there >= FIRST_PITCH)).all(-1)
        moved[fits], semitones[fits] = there[fits], shift
    return moved, semitones


def octave_summands(host: np.ndarray, near: np.ndarray, far: np.ndarray, semitones: np.ndarray) -> dict:
    """Results (M, 2, 128) with two donors and with the same moved by semitones (M, 2) -> sums for a slope, each (M,)."""
    _, later = later_bars(host[:, None], (1,))
    change = np.nan_to_num(mean_pitch(far, later) - mean_pitch(near, later))
    return {"octave_xy": (change * semitones).sum(1), "octave_xx": (semitones**2.0).sum(1)}


def with_intervals(sums: dict[str, np.ndarray], group: np.ndarray) -> dict[str, list[float | None]]:
    """`statistics` of the sums over all hosts with their intervals, measure -> [value, low, high]."""
    totals = resampled(group, *sums.values())
    value, drawn = ({name: total[k] for name, total in zip(sums, totals)} for k in (0, 1))
    values, draws = statistics(value), statistics(drawn)
    if "octave_xx" in sums:
        values["register_octave"] = share(value["octave_xy"], value["octave_xx"])
        draws["register_octave"] = share(drawn["octave_xy"], drawn["octave_xx"])
    found = {name: [float(values[name]), *map(float, quantiles(draws[name]))] for name in values}
    return {name: [round(x, 6) if np.isfinite(x) else None for x in triple] for name, triple in found.items()}
