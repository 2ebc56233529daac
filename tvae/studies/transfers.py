"""Did the context transfer? Structure, rhythm and register of a host's later bars when a donor gives the first ones.

Measures are pure functions of tokens. Where shapes say ``...``, a function takes many pieces at once. Bars are
counted from 1, as musicians do. ``book/claims.md`` says what is claimed of the measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from tvae import melody
from tvae.baselines import LSTMVAE
from tvae.errors import TvaeError
from tvae.melody import BARS, FIRST_PITCH, LOWEST, STEPS
from tvae.model import TransformerVAE
from tvae.studies.statistics import SEED, quantiles, resampled
from tvae.transfer import decode, encode, swap

# --- measures, of tokens alone


def onsets(tokens: np.ndarray) -> np.ndarray:
    """(..., 128) -> (..., 8, 16) bool: where does a note begin?"""
    return melody.bars(tokens) >= FIRST_PITCH


def mean_pitch(tokens: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(..., 128), (..., 8) bool -> (...) mean MIDI pitch of the notes that begin in the chosen bars.

    NaN if none does.
    """
    counted = onsets(tokens) & chosen[..., None]
    pitch = melody.bars(tokens).astype(float) - FIRST_PITCH + LOWEST
    return share((pitch * counted).sum((-2, -1)), counted.sum((-2, -1)).astype(float))


def self_similarity(tokens: np.ndarray, pitches: bool = True) -> np.ndarray:
    """(..., 128) -> (..., 8, 8): F1 of the notes of bars i and j, or of their onsets alone; 0 for two empty bars."""
    begins = onsets(tokens)
    x = melody.bars(tokens) if pitches else begins
    same = (x[..., :, None, :] == x[..., None, :, :]) & begins[..., None, :]
    count = begins.sum(-1)
    return 2 * same.sum(-1) / np.maximum(count[..., :, None] + count[..., None, :], 1)


def pairs_with(bars: tuple[int, ...], number: int = BARS) -> np.ndarray:
    """(8, 8) bool, of a piece of so many bars: each pair of bars i < j of which at least one is among these."""
    chosen = np.isin(np.arange(1, number + 1), bars)
    return np.triu(chosen[:, None] | chosen, k=1)


def structure(host: np.ndarray, result: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, ...]:
    """Equal bars among these pairs (8, 8): how many are found in both, in the result and in the host; each (...)."""
    true, claimed = melody.equal_bars(host) & pairs, melody.equal_bars(result) & pairs
    return tuple(x.sum((-2, -1)) for x in np.broadcast_arrays(true & claimed, claimed, true))


def rhythm(tokens: np.ndarray, pattern: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Do the chosen bars (..., 8) have the onsets of the pattern (..., 16)? F1 is the ratio of the two sums (...)."""
    begins = onsets(tokens)
    both = 2 * (begins & pattern[..., None, :]).sum(-1)
    total = begins.sum(-1) + pattern.sum(-1)[..., None]
    return (both * chosen).sum(-1), (total * chosen).sum(-1)


def later_bars(tokens: np.ndarray, bars: tuple[int, ...]) -> np.ndarray:
    """(..., 128) -> (..., 8) bool: the bars after the first of `bars` that are none of these and repeat none."""
    number = np.arange(1, tokens.shape[-1] // STEPS + 1)
    copies = melody.equal_bars(tokens)[..., [bar - 1 for bar in bars]].any(-1)
    return (number > bars[0]) & ~np.isin(number, bars) & ~copies


def share(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top / bottom, NaN where there is nothing to divide by."""
    return np.divide(top, bottom, out=np.full(np.broadcast(top, bottom).shape, np.nan), where=np.asarray(bottom) != 0)


# --- couples of transfers


@dataclass(frozen=True)
class Couples:
    """M hosts with two donors each.

    Host (M,) and donors (M, 2) index pieces; groups (M,) share no song with each other.
    """

    host: np.ndarray
    donors: np.ndarray
    group: np.ndarray


def couples(song: np.ndarray, groups: int | None = None) -> Couples:
    """Draw songs in groups of three, `groups` of them or all. Each piece is host, with a donor from either other song.

    song (N,) names the song of each piece. Raises TvaeError for fewer than three songs.
    """
    rng = np.random.default_rng(SEED)
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


# --- what is measured of them


@dataclass(frozen=True)
class Measure:
    """A number that `of` makes of sums over M hosts; `sums` holds what each host adds, (M,) each."""

    sums: tuple[np.ndarray, ...]
    of: Callable[..., np.ndarray]

    def value(self) -> float:
        return float(self.of(*(part.sum() for part in self.sums)))


def by_host(values: np.ndarray) -> np.ndarray:
    """(M, ...) -> (M,) sums."""
    values = np.asarray(values, float)
    return values.reshape(len(values), -1).sum(1)


def quotient(top: np.ndarray, bottom: np.ndarray) -> Measure:
    """A sum over another, of arrays (M, ...)."""
    return Measure((by_host(top), by_host(bottom)), share)


def share_of(those: np.ndarray) -> Measure:
    """How many of (M, ...) bool are true."""
    return quotient(those, np.ones_like(those))


def slope(x: np.ndarray, y: np.ndarray) -> Measure:
    """Of a line through the origin, y over x (M, ...); what is NaN is left out."""
    x, y = np.where(np.isfinite(x * y), (x, y), 0)
    return quotient(x * y, x * x)


def correlation(x: np.ndarray, y: np.ndarray) -> Measure:
    """Of x and y (M, ...), whose means are 0."""
    return Measure(tuple(map(by_host, (x * y, x * x, y * y))), lambda xy, xx, yy: share(xy, np.sqrt(xx * yy)))


def combined(of: Callable[..., np.ndarray], *quotients: Measure) -> Measure:
    """A number made of the values of quotients."""
    return Measure(
        tuple(part for one in quotients for part in one.sums), lambda *sums: of(*map(share, sums[::2], sums[1::2]))
    )


# What holds the host beside another song, which not every condition has.
BESIDE = {
    "structure_f1_unrelated", "structure_kept", "repeats_notes_unrelated", "repeats_onsets_unrelated",
    "rhythm_donor", "rhythm_other_donor", "rhythm_host", "rhythm_follows", "register_slope_songs", "register_follows",
}  # fmt: skip


def measures(
    host: np.ndarray,
    again: np.ndarray,
    donors: np.ndarray,
    donors_again: np.ndarray,
    results: np.ndarray,
    bars: tuple[int, ...],
) -> dict[str, Measure]:
    """What is measured of M hosts, by name.

    host and its reconstruction `again` (M, 128); two donors, their reconstructions and what came out, each (M, 2, 128).
    structure_kept, rhythm_follows and register_follows decide C7 to C9: 0 is chance and 1 what songs do by themselves.

    ==========================  ======================================================================================
    structure_...               equal bars, of pairs with a swapped bar: recall and F1 of the result's against the
                                host's; ``_unrelated`` is an unrelated song's F1
    self_similarity             correlation of host and result over these pairs, less what is usual at each place
    repeats_...                 how alike (F1 of notes, of onsets) the two bars of such a pair of the host are in the
                                result
    rhythm_...                  later bars that are new, with the first swapped bar: of the donor, the other donor, the
                                host
    register_slope              what the later bars take over of a semitone between two donors; ``_songs``: in songs
    register_from_host          the same of a semitone between donor and host, which is above 0 for any middling z as
                                well
    register_octave             the same of a donor's move by an octave
    bars_equal                  share of the bars that are not swapped which equal the host's
    ==========================  ======================================================================================
    """
    both, unswapped = host[:, None], np.broadcast_to(again[:, None], results.shape)  # beside the two results
    numbers, first = np.arange(1, host.shape[-1] // STEPS + 1), bars[0]
    same = (melody.bars(results) == melody.bars(both)).all(-1)

    # structure: which pairs of bars are equal, and how alike two bars are
    pairs = pairs_with(bars, len(numbers))
    equal, _, true = structure(both, results, pairs)
    f1, unrelated, most_f1 = (structure_f1(both, other, pairs) for other in (results, donors_again, unswapped))
    alike = [self_similarity(x) for x in (both, results)]
    unusual = np.broadcast_arrays(*(s - s.mean((0, 1)) for s in alike))  # what is usual between two bars is no likeness
    repeats = np.broadcast_to(melody.equal_bars(both) & pairs, alike[1].shape)
    notes, notes_unrelated = (quotient(self_similarity(x) * repeats, repeats) for x in (results, donors_again))
    begins, begins_unrelated = (quotient(self_similarity(x, False) * repeats, repeats) for x in (results, donors_again))

    # rhythm: do later bars have the onsets of the first swapped bar, and whose?
    later = later_bars(both, bars)
    heard, own = (onsets(x)[..., first - 1, :] for x in (donors, both))
    donor, other_donor, of_host = (quotient(*rhythm(results, bar, later)) for bar in (heard, heard[:, ::-1], own))
    before, most = (quotient(*rhythm(unswapped, bar, later)) for bar in (heard, own))

    # register: do later bars go up and down with the first swapped bar?
    high, level = (mean_pitch(x, numbers == first) for x in (donors, both))
    pitch, pitch_before = (mean_pitch(x, later) for x in (results, unswapped))
    songs = mean_pitch(donors_again, later_bars(donors, bars))
    apart = high[:, 0] - high[:, 1]  # of the two donors
    register, in_songs = (slope(apart, x[:, 0] - x[:, 1]) for x in (pitch, songs))

    return {
        "bars_equal": share_of(same[..., ~np.isin(numbers, bars)]),
        "structure_recall": quotient(equal, true),
        "structure_f1": f1,
        "structure_f1_unrelated": unrelated,
        "structure_kept": combined(lambda f1, chance, most: share(f1 - chance, most - chance), f1, unrelated, most_f1),
        "self_similarity": correlation(*(s[..., pairs] for s in unusual)),
        "repeats_notes": notes,
        "repeats_notes_unrelated": notes_unrelated,
        "repeats_onsets": begins,
        "repeats_onsets_unrelated": begins_unrelated,
        "rhythm_donor": donor,
        "rhythm_other_donor": other_donor,
        "rhythm_host": of_host,
        "rhythm_follows": combined(lambda a, b, c, d: share(a - b, c - d), donor, other_donor, most, before),
        "register_from_host": slope(high - level, pitch - pitch_before),
        "register_slope": register,
        "register_slope_songs": in_songs,
        "register_follows": combined(share, register, in_songs),
    }


def structure_f1(host: np.ndarray, result: np.ndarray, pairs: np.ndarray) -> Measure:
    equal, claimed, true = structure(host, result, pairs)
    return quotient(2 * equal, claimed + true)


# --- the measurement


@dataclass(frozen=True)
class Condition:
    """What is done to the codes of which bars.

    They become the donor's, a draw from the prior, the donor's an octave away, or those of the host itself a fourth
    higher and a fourth lower; or they stay the host's.
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


def measure(
    vae: TransformerVAE | LSTMVAE,
    tokens: np.ndarray,
    song: np.ndarray,
    groups: int | None = None,
    conditions: Mapping[str, Condition] = CONDITIONS,
) -> dict:
    """Every condition on test pieces (N, 128) of songs (N,), JSON-able.

    Returns {"n": transfers in a condition, "groups": how many, "seed": of pairs and drawn codes, "conditions":
    {name: {measure: [value, low, high]}}}, with None where there is nothing to measure. Pieces without a note in bar 1
    take no part. Intervals are 95 %, from a bootstrap over groups.
    """
    begins = onsets(tokens)[:, 0].any(-1)
    tokens, song = tokens[begins], song[begins]
    chosen = couples(song, groups)
    host, donors = tokens[chosen.host], tokens[chosen.donors]  # (M, 128), (M, 2, 128)
    away, semitones = octave_away(donors)
    own = np.stack([melody.transpose(host, semitones) for semitones in (5, -5)], 1)
    given = {"donor": donors, "octave": away, "own": own}
    codes = {name: encode(vae, pieces.reshape(-1, tokens.shape[-1])) for name, pieces in given.items()}
    given_again = {name: decode(vae, z).reshape(donors.shape) for name, z in codes.items()}
    noise = torch.Generator().manual_seed(SEED)
    codes["prior"] = torch.randn(codes["donor"].shape, generator=noise).numpy()
    given["prior"], given_again["prior"] = given["donor"], given_again["donor"]
    host_codes = np.repeat(encode(vae, host), 2, axis=0)
    again = decode(vae, host_codes[::2])
    unswapped = np.repeat(again[:, None], 2, 1)

    def result(codes_given: np.ndarray, bars: tuple[int, ...]) -> np.ndarray:
        return decode(vae, swap(host_codes, codes_given, bars)).reshape(donors.shape)

    found = {}
    for name, condition in conditions.items():
        whose = "donor" if condition.codes == "host" else condition.codes
        results = unswapped if condition.codes == "host" else result(codes[whose], condition.bars)
        measured = measures(host, again, given[whose], given_again[whose], results, condition.bars)
        if whose == "octave":
            measured["register_octave"] = octave(host, result(codes["donor"], condition.bars), results, semitones)
        if whose == "own":  # no other song to compare with
            measured = {key: measure for key, measure in measured.items() if key not in BESIDE}
        found[name] = with_intervals(measured, chosen.group)
    return {"n": donors[..., 0].size, "groups": int(chosen.group.max()) + 1, "seed": SEED, "conditions": found}


def octave_away(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., 128) -> the pieces an octave higher, or lower where notes would leave the grid; and the semitones (...)."""
    moved, semitones = tokens.copy(), np.zeros(tokens.shape[:-1], int)
    for shift in (-12, 12):
        there = melody.transpose(tokens, shift)
        fits = ((tokens >= FIRST_PITCH) == (there >= FIRST_PITCH)).all(-1)
        moved[fits], semitones[fits] = there[fits], shift
    return moved, semitones


def octave(host: np.ndarray, near: np.ndarray, far: np.ndarray, semitones: np.ndarray) -> Measure:
    """What later bars take over of a donor's move by semitones (M, 2): results (M, 2, 128) without it and with it."""
    later = later_bars(host[:, None], (1,))
    change = np.nan_to_num(mean_pitch(far, later) - mean_pitch(near, later))
    return quotient(change * semitones, semitones**2.0)


def with_intervals(measured: dict[str, Measure], group: np.ndarray) -> dict[str, list[float | None]]:
    """Measures with their 95 % intervals from a bootstrap over groups (M,): name -> [value, low, high]."""
    sums = iter(resampled(group, *(part for measure in measured.values() for part in measure.sums)))
    found = {}
    for name, measure in measured.items():
        values, draws = zip(*(next(sums) for _ in measure.sums))
        triple = measure.of(*values), *quantiles(measure.of(*draws))
        found[name] = [round(float(x), 6) if np.isfinite(x) else None for x in triple]
    return found
