"""What the codes keep: the rate of a bar by its relation to earlier bars, and what changes with a code.

Bars are *matched*: they are compared with new bars at the same position that hold as many notes. Decoding is
free-running, so a changed code can change all later bars.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from tvae.corpus import Corpus
from tvae.errors import TvaeError
from tvae.melody import STEPS, bars, canonical, earlier_equal
from tvae.model import TransformerVAE, kl_divergence
from tvae.studies.relations import KINDS, counted, kinds, note_counts, pitches, pool, stranger
from tvae.studies.songs import repeats
from tvae.studies.statistics import SEED, interval, quantiles, ratio, resampled
from tvae.transfer import decode, generate, posterior

ACTIVE = 0.01  # a unit is active when its mean varies more than that over pieces (Burda, Grosse and Salakhutdinov 2016)
RESAMPLED = 200  # pieces for `changes`
A_A, NEW = "that begins A-A, with bar 5 as bar 1", "with a new bar 5"


def encode_with_rate(vae: TransformerVAE, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pieces (N, 128) -> mu and the rate in nats of each dimension, both (N, 8, Z)."""
    mu, logvar = posterior(vae, tokens)
    return mu, kl_divergence(torch.as_tensor(mu), torch.as_tensor(logvar)).numpy()


# The rate of a bar, by what it is to earlier bars --------------------------------------------------------------------


def matched(rate: np.ndarray, pieces: Corpus) -> list[dict]:
    """`saved` of the rate (N, 8) of each kind of bar (`tvae.studies.relations.KINDS`), which `kind` names."""
    kind = kinds(pieces.tokens)
    return [{"kind": name} | saved(rate, pieces, kind == number) for number, name in enumerate(KINDS)]


def saved(rate: np.ndarray, pieces: Corpus, chosen: np.ndarray) -> dict:
    """The rate (N, 8) of the chosen bars (N, 8) bool beside that of the new bars which match them.

    Strata are position and number of notes; the new bars get the weights over the strata that the chosen have. `saving`
    is the share by which the rate is lower, with `low` and `high` from a bootstrap over songs; `bars` how many bars
    have a match. Without one all else is None, and draws without one are left out. Padding is never chosen.
    """
    counts, stratum = counted(pieces.tokens, pieces.length), strata(pieces.tokens)
    new = kinds(pieces.tokens) == KINDS.index("new")
    parts = (part for which in (chosen, new) for part in by_stratum(rate, stratum, counts & which))
    sums = resampled(pieces.song, *parts)
    own, other, matches = standardised(*(total for total, _ in sums))
    row = {"bars": int(matches)} | dict.fromkeys(("rate", "rate_new", "saving", "low", "high"))
    if matches:
        drawn_own, drawn_other, drawn_matches = standardised(*(drawn for _, drawn in sums))
        low, high = quantiles((1 - ratio(drawn_own, drawn_other))[drawn_matches > 0])
        values = {"rate": own, "rate_new": other, "saving": 1 - ratio(own, other), "low": low, "high": high}
        row |= {key: float(value) for key, value in values.items()}
    return row


def strata(tokens: np.ndarray) -> np.ndarray:
    """Pieces (N, 128) -> (N, 8) the number of each bar's stratum: its position and how many notes it has."""
    return np.arange(tokens.shape[1] // STEPS) * (STEPS + 1) + note_counts(tokens)


def by_stratum(rate: np.ndarray, stratum: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 8) each -> (N, S): how many of a piece's chosen bars are in each stratum, and the sum of their rates."""
    strata = rate.shape[1] * (STEPS + 1)
    count, total = np.zeros((len(rate), strata)), np.zeros((len(rate), strata))
    piece, bar = np.nonzero(chosen)
    np.add.at(count, (piece, stratum[piece, bar]), 1)
    np.add.at(total, (piece, stratum[piece, bar]), rate[piece, bar])
    return count, total


def standardised(
    count: np.ndarray, total: np.ndarray, count_new: np.ndarray, total_new: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Sums (..., S) of S strata -> rate of a bar, of a new bar at the same weights, and how many bars have a match."""
    count = np.where(count_new > 0, count, 0)
    number = count.sum(-1)
    other = (ratio(total_new, count_new) * count).sum(-1)
    return ratio(np.where(count > 0, total, 0).sum(-1), number), ratio(other, number), number


# What becomes of a piece when a code or a bar is changed --------------------------------------------------------------


def returns(pieces: Corpus) -> np.ndarray:
    """(N,) bool: does the piece begin A-A, bar 5 equal to bar 1 and no bar between them?"""
    first = earlier_equal(pieces.tokens)
    between = (first[:, 1:4] == 0).any(1)
    return counted(pieces.tokens, pieces.length)[:, 4] & (first[:, 4] == 0) & ~between


def goes_on(pieces: Corpus) -> np.ndarray:
    """(N,) bool: is bar 5 new?"""
    return counted(pieces.tokens, pieces.length)[:, 4] & (kinds(pieces.tokens)[:, 4] == KINDS.index("new"))


def some(pieces: np.ndarray, which: str) -> np.ndarray:
    """These pieces, as they are; `TvaeError` where there is none, which says what the corpus lacks."""
    if not len(pieces):
        raise TvaeError(f"This cannot be measured on so little music: it has no piece {which}.")
    return pieces


def of_other_songs(hosts: np.ndarray, donors: np.ndarray, song: np.ndarray, which: str = A_A) -> np.ndarray:
    """For each host (index) a donor (index) of another song, drawn at random; `TvaeError` where there is none."""
    rng = np.random.default_rng(SEED)
    donors_of = {name: donors[song[donors] != name] for name in np.unique(song[hosts])}
    if not all(map(len, donors_of.values())):
        raise TvaeError(f"This cannot be measured on so little music: it has no piece of another song {which}.")
    return np.array([rng.choice(donors_of[song[host]]) for host in hosts], int)


def fifth_codes(mu: np.ndarray, pieces: Corpus, hosts: np.ndarray) -> dict[str, np.ndarray]:
    """What the hosts (M indices of A-A pieces) can be given as z_5: name -> codes (M, 8, Z) of the whole piece."""
    again, new = np.flatnonzero(returns(pieces)), np.flatnonzero(goes_on(pieces))
    z_5 = {
        "its own": mu[hosts, 4],
        "prior mean": np.zeros_like(mu[hosts, 4]),
        "of another A-A piece": mu[of_other_songs(hosts, again, pieces.song), 4],
        "of a piece with a new bar 5": mu[of_other_songs(hosts, new, pieces.song, NEW), 4],
    }
    return {name: np.concatenate([mu[hosts, :4], own[:, None], mu[hosts, 5:]], axis=1) for name, own in z_5.items()}


def fifth_bar(vae: TransformerVAE, mu: np.ndarray, pieces: Corpus) -> list[dict]:
    """How far bar 5 of A-A pieces comes out as bar 1, by the z_5 that it is given (`fifth_codes`).

    `equal` is the share of results whose bar 5 is their bar 1, `steps` the share of its steps that agree, each [value,
    low, high].
    """
    hosts = some(np.flatnonzero(returns(pieces)), A_A)
    one, song = np.ones(len(hosts)), pieces.song[hosts]
    rows = []
    for name, codes in fifth_codes(mu, pieces, hosts).items():
        x = bars(decode(vae, codes))
        same = x[:, 4] == x[:, 0]
        shares = {"equal": same.all(1), "steps": same.mean(1)}
        rows.append(
            {"z_5": name, "pieces": len(hosts)}
            | {key: [float(v) for v in interval(share, one, song)] for key, share in shares.items()}
        )
    return rows


def changes(vae: TransformerVAE, mu: np.ndarray) -> np.ndarray:
    """Codes mu (N, 8, Z) -> (8, 8): the share of bar j's steps that change when code i is drawn from the prior."""
    before = bars(generate(vae, mu))  # not made valid: a sustain would lose what it sustained in the bar before
    rng = np.random.default_rng(SEED)
    rows = []
    for bar in range(mu.shape[1]):
        z = mu.copy()
        z[:, bar] = rng.standard_normal(z[:, bar].shape)
        rows.append((bars(generate(vae, z)) != before).mean((0, 2)))
    return np.array(rows)


def with_fifth_bar(tokens: np.ndarray, bar: np.ndarray) -> np.ndarray:
    """Pieces (N, 128) with bars (N, 16) as their bar 5. A note held into bar 6 goes on if it can, else ends there."""
    edited = bars(tokens).copy()
    edited[:, 4] = bar
    return canonical(edited.reshape(tokens.shape))


def copy_test(vae: TransformerVAE, pieces: Corpus) -> dict:
    """Bar 5 of pieces where it is new, made equal to bar 1 by editing; or, as a control, to a bar of another song.

    The control has as many notes as bar 1 and lies as high (`tvae.studies.relations.stranger`). `own`, `control` and
    `copy` are rates of bar 5 in nats, `saving` is the share by which the copy's is below the control's, each [value,
    low, high].
    """
    rng = np.random.default_rng(SEED)
    strangers = pool(pieces.tokens, pieces.song, counted(pieces.tokens, pieces.length))
    several = note_counts(pieces.tokens)[:, 0] > 1
    drawn = {
        host: stranger(bars(pieces.tokens)[host, 0], pieces.song[host], strangers, rng)
        for host in np.flatnonzero(goes_on(pieces) & several)
    }
    drawn = {host: bar for host, bar in drawn.items() if bar is not None}
    hosts = some(np.array(list(drawn), int), f"{NEW}, and a bar of another song like its first")
    tokens, song = pieces.tokens[hosts], pieces.song[hosts]
    edited = {
        "own": tokens,
        "control": with_fifth_bar(tokens, np.array(list(drawn.values()))),
        "copy": with_fifth_bar(tokens, bars(tokens)[:, 0]),
    }
    rate = {name: encode_with_rate(vae, each)[1][:, 4].sum(-1) for name, each in edited.items()}
    shares = {name: interval(own, np.ones(len(own)), song) for name, own in rate.items()}
    shares["saving"] = interval(rate["control"] - rate["copy"], rate["control"], song)
    return {"pieces": len(hosts)} | {name: [float(value) for value in share] for name, share in shares.items()}


# The space of codes ---------------------------------------------------------------------------------------------------


def active_units(mu: np.ndarray) -> np.ndarray:
    """mu (N, 8, Z) -> (8,) int: how many dimensions of each code vary with the piece. The others have collapsed."""
    return (mu.var(0) > ACTIVE).sum(-1)


def principal(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes (N, Z) -> their first two principal components (N, 2), and the share of the variance that each has."""
    components = PCA(2, svd_solver="full")
    return components.fit_transform(codes), components.explained_variance_ratio_


def features(tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Of bar 1 of pieces (N, 128): how many notes it has, and the semitones from the first note to the last.

    Neither depends on the key.
    """
    lines = [pitches(bar) for bar in bars(tokens)[:, 0]]
    contour = [line[-1] - line[0] if len(line) else 0 for line in lines]
    return {"notes": np.array([len(line) for line in lines]), "contour": np.array(contour)}


def explained(train_codes: np.ndarray, train_values: np.ndarray, codes: np.ndarray, values: np.ndarray) -> float:
    """The share of the variance of values (N,) or (N, K) on test pieces that a line fitted on training pieces predicts.

    It is predicted from codes (N, Z). What is no better than the mean is 0 or less.
    """
    line = LinearRegression().fit(train_codes, train_values)
    return float(r2_score(values, line.predict(codes), multioutput="variance_weighted"))


def told_again(mu_train: np.ndarray, train: Corpus, mu: np.ndarray, test: Corpus) -> dict[str, float]:
    """How much of z_5 is known from z_1 (`explained`): of pieces that begin A-A, and of pieces whose bar 5 is new."""
    shares = {}
    for name, which, words in (("A-A", returns, A_A), ("new", goes_on, NEW)):
        a, b = some(mu_train[which(train)], words), some(mu[which(test)], words)
        shares[name] = explained(a[:, 0], a[:, 4], b[:, 0], b[:, 4])
    return shares


def between(a: np.ndarray, b: np.ndarray, steps: int, which: slice = slice(None)) -> np.ndarray:
    """Codes (steps, 8, Z) on the straight line from a to b (8, Z); bars outside `which` keep a's."""
    z = np.repeat(a[None], steps, 0)
    share = np.linspace(0, 1, steps)[:, None, None]
    z[:, which] = (1 - share) * a[which] + share * b[which]
    return z


def from_prior(vae: TransformerVAE, pieces: int) -> np.ndarray:
    """Pieces (N, 128) decoded from codes drawn from N(0, 1)."""
    shape = (pieces, vae.config.bars, vae.config.d_latent)
    return decode(vae, np.random.default_rng(SEED).standard_normal(shape))


def repeated_share(tokens: np.ndarray) -> float:
    """The share of bars 2-8 with a note that equal an earlier bar."""
    equal, sounding = map(np.sum, repeats(tokens))
    return float(ratio(equal, sounding))


def measure(vae: TransformerVAE, train: Corpus, test: Corpus) -> dict:
    """All of it on test pieces, JSON-able; see the functions of these names. `rate_per_dimension` is (8, Z), sorted."""
    mu, rate = encode_with_rate(vae, test.tokens)
    fitted, _ = encode_with_rate(vae, train.tokens)
    wanted, seen = features(test.tokens), features(train.tokens)
    return {
        "pieces": len(test),
        "matched": matched(rate.sum(-1), test),
        "fifth_bar": fifth_bar(vae, mu, test),
        "changes": changes(vae, mu[:RESAMPLED]).tolist(),
        "copy_test": copy_test(vae, test),
        "rate_per_dimension": (-np.sort(-rate.mean(0), axis=-1)).tolist(),
        "active_units": active_units(mu).tolist(),
        "explained": {name: explained(fitted[:, 0], seen[name], mu[:, 0], wanted[name]) for name in wanted},
        "told_again": told_again(fitted, train, mu, test),
        "repeated_share": {
            "test pieces": repeated_share(test.tokens),
            "decoded from their codes": repeated_share(decode(vae, mu)),
            "decoded from the prior": repeated_share(from_prior(vae, len(test))),
        },
    }
