"""What songs are like: repeats, notes, pitches and intervals; and how near each is to a song that was trained on."""

from __future__ import annotations

import numpy as np

from tvae.corpus import Corpus
from tvae.melody import FIRST_PITCH, STATES, bars, earlier_equal, transpose
from tvae.model import TransformerVAE
from tvae.presets import SHIFTS
from tvae.studies.prior import Prior, filled, new_songs
from tvae.studies.relations import nearest_equal
from tvae.studies.statistics import SEED, interval, quantiles, ratio, resampled
from tvae.studies.transfers import self_similarity
from tvae.transfer import decode, encode

DRAWN = 1000  # songs
FIRST = 3  # of them whose nearest training song is named
WIDEST = 12  # semitones; wider intervals count as this
CLOSE = 300  # training songs that are looked at closely
LIKE = 0.9  # share of equal steps from which on a song counts as a copy
LOCKED = (1, 2, 5, 6)  # bars of test songs that are kept when the gaps between them are filled
TEMPERATURE = 0.3  # of four, the one whose songs repeat most nearly as often as validation songs do
Triple = list[float]


def repeats(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Songs (N, 128) -> of bars 2-8 with a note, how many equal an earlier bar, and how many there are; (N,) each."""
    sounding = (bars(tokens)[:, 1:] >= FIRST_PITCH).any(-1)
    return ((earlier_equal(tokens)[:, 1:] >= 0) & sounding).sum(1), sounding.sum(1)


def distances(tokens: np.ndarray) -> np.ndarray:
    """Songs (N, 128) -> (7,) of all bars that have an equal one before them, the share whose nearest is so far back."""
    back = nearest_equal(tokens)
    found = np.bincount(back[back > 0], minlength=back.shape[-1])[1:]
    return found / max(found.sum(), 1)


def pitch_histogram(tokens: np.ndarray) -> np.ndarray:
    """Songs (N, 128) -> (45,) shares of the pitches that notes begin with."""
    found = np.bincount(tokens[tokens >= FIRST_PITCH], minlength=STATES)[FIRST_PITCH:]
    return found / max(found.sum(), 1)


def interval_histogram(tokens: np.ndarray) -> np.ndarray:
    """Songs (N, 128) -> (25,) shares of the intervals from note to note, from an octave down to an octave up."""
    steps = [np.diff(song[song >= FIRST_PITCH].astype(int)) for song in tokens]
    clipped = np.clip(np.concatenate(steps), -WIDEST, WIDEST) + WIDEST
    found = np.bincount(clipped, minlength=2 * WIDEST + 1)
    return found / max(found.sum(), 1)


def apart(p: np.ndarray, q: np.ndarray) -> float:
    """Total variation: the share of one histogram that would have to be moved to make the other."""
    return float(0.5 * np.abs(p - q).sum())


def nearest(tokens: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each song (N, 128) the training song (M, 128) with most equal steps in one of the transpositions heard.

    Returns its index and that share, (N,) each. It is looked for among the `CLOSE` that are closest in rhythm: no song
    has more equal steps than its rhythm has.
    """
    rhythms = [np.eye(3, dtype=np.float32)[np.minimum(x, FIRST_PITCH)].reshape(len(x), -1) for x in (tokens, train)]
    close = np.argsort(-(rhythms[0] @ rhythms[1].T), axis=1)[:, :CLOSE]
    moved = np.stack([transpose(train, shift) for shift in SHIFTS])  # (9, M, 128)
    found = [(moved[:, index] == song).mean(-1).max(0) for song, index in zip(tokens, close)]
    return np.array([index[share.argmax()] for share, index in zip(found, close)]), np.max(found, 1)


def describe(tokens: np.ndarray, song: np.ndarray, like: np.ndarray, train: np.ndarray) -> dict:
    """Songs (N, 128) beside real ones, `like`, JSON-able. Shares are [value, low, high], from a bootstrap over songs.

    ``copies`` is the share of songs of which `LIKE` of the steps or more are those of one training song.
    """
    notes = (tokens >= FIRST_PITCH).sum(1)
    one = np.ones(len(tokens))
    share = nearest(tokens, train)[1]
    terms = {
        "repeated": repeats(tokens), "notes": (notes, one), "nearest": (share, one), "copies": (share >= LIKE, one),
    }  # fmt: skip
    usual, own = (self_similarity(x).mean(0) for x in (like, tokens))
    places = np.triu_indices(len(own), 1)
    return {name: [float(x) for x in interval(*map(np.asarray, term), song)] for name, term in terms.items()} | {
        "songs": len(tokens),
        "distances": distances(tokens).tolist(),
        "distances_apart": apart(distances(tokens), distances(like)),
        "pitches_apart": apart(pitch_histogram(tokens), pitch_histogram(like)),
        "intervals_apart": apart(interval_histogram(tokens), interval_histogram(like)),
        "self_similarity": float(np.corrcoef(usual[places], own[places])[0, 1]),
        "self_similarity_error": float(np.abs(usual[places] - own[places]).mean()),
    }


def as_often(drawn: np.ndarray, real: np.ndarray, song: np.ndarray) -> Triple:
    """How often bars are repeated in drawn songs, as a share of that in real ones: [value, low, high]."""
    own, other = resampled(np.arange(len(drawn)), *repeats(drawn)), resampled(song, *repeats(real))
    value = ratio(ratio(own[0][0], own[1][0]), ratio(other[0][0], other[1][0]))
    draws = ratio(ratio(own[0][1], own[1][1]), ratio(other[0][1], other[1][1])[::-1])  # drawn from each by itself
    return [float(value), *map(float, quantiles(draws))]


def kept(tokens: np.ndarray, again: np.ndarray, which: tuple[int, ...], song: np.ndarray) -> Triple:
    """Of the bars that were given, the share of steps that come out as in the songs' reconstructions."""
    given = [bar - 1 for bar in which]
    same = (bars(tokens) == bars(again))[:, given].mean((1, 2))
    return [float(x) for x in interval(same, np.ones(len(same)), song)]


def known_bars(which: tuple[int, ...], number: int) -> np.ndarray:
    """(T,) bool: these bars, counted from 1."""
    return np.isin(np.arange(1, number + 1), which)


def measure(vae: TransformerVAE, prior: Prior, train: Corpus, test: Corpus) -> dict:
    """Songs drawn from a prior beside the test songs and what else there is, JSON-able.

    ``sets`` holds `describe` of each kind of songs, ``as_often`` of drawn songs and of codes from N(0, 1), ``kept``
    what became of the bars that were given, ``first`` what the first drawn songs are nearest to.
    """
    codes = encode(vae, test.tokens)
    again = decode(vae, codes)
    shape = (DRAWN, vae.config.bars, vae.config.d_latent)
    number = vae.config.bars
    alone = np.arange(DRAWN)
    songs = {
        "test songs": (test.tokens, test.song),
        "test songs from their codes": (again, test.song),
        "codes from N(0, 1)": (decode(vae, np.random.default_rng(SEED).standard_normal(shape)), alone),
        "the prior": (decode(vae, new_songs(prior, DRAWN, SEED, TEMPERATURE)), alone),
    }
    for name, which in (("the prior, bar 1 given", (1,)), ("the prior, gaps filled", LOCKED)):
        given = filled(prior, codes[:DRAWN], known_bars(which, number), SEED, TEMPERATURE)
        songs[name] = decode(vae, given), test.song[:DRAWN]
    drawn = {name: songs[name][0] for name in ("codes from N(0, 1)", "the prior")}
    closest = nearest(drawn["the prior"][:FIRST], train.tokens)
    return {
        "first": [{"title": str(train.title[k]), "share": float(share)} for k, share in zip(*closest)],
        "sets": {name: describe(*each, test.tokens, train.tokens) for name, each in songs.items()},
        "as_often": {name: as_often(each, test.tokens, test.song) for name, each in drawn.items()},
        "kept": {
            name: kept(songs[name][0], again[:DRAWN], which, test.song[:DRAWN])
            for name, which in (("the prior, bar 1 given", (1,)), ("the prior, gaps filled", LOCKED))
        },
        "temperature": TEMPERATURE,
    }
