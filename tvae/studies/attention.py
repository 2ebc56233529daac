"""Where the model looks: attention weights of pieces, and the mass that a repeated bar puts on the bar it repeats.

A repeated bar is compared with bars that have nothing to find: those which equal no earlier bar, at the same place of
their own piece, looking at the same earlier place. So neither the distance nor the position can make the difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from tvae.baselines import LSTMVAE
from tvae.corpus import Corpus
from tvae.errors import TvaeError
from tvae.evaluate import BATCH
from tvae.melody import equal_bars
from tvae.model import TransformerVAE
from tvae.studies.relations import counted
from tvae.studies.statistics import SEED, quantiles, ratio, resampled

ATTENTIONS = ("encoder", "decoder", "inter")
PERMUTATIONS = 200
FEW = 20  # pairs of equal bars, below which a distance is left out


def earlier(bars: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of a bar and one before it, numbered from 0: 28 in eight bars, 120 in sixteen."""
    return np.tril_indices(bars, -1)


@dataclass(frozen=True)
class Head:
    """One head of one of the three attentions; layer and number count from 1."""

    kind: str
    layer: int
    number: int

    def __str__(self) -> str:
        return f"{self.kind}, layer {self.layer}, head {self.number}"


def heads(vae: TransformerVAE) -> list[Head]:
    """All of them, in the order of `masses`."""
    layers, numbers = range(1, vae.config.layers + 1), range(1, vae.config.heads + 1)
    return [Head(kind, layer, number) for kind in ATTENTIONS for layer in layers for number in numbers]


def find_head(
    vae: TransformerVAE, default: Head, kind: str | None = None, layer: int | None = None, number: int | None = None
) -> Head:
    """The head of these names, of which None means the default's; `TvaeError` says which there are."""
    given = {"kind": kind, "layer": layer, "number": number}
    head = replace(default, **{name: value for name, value in given.items() if value is not None})
    if head.kind not in ATTENTIONS:
        raise TvaeError(f"There is no attention {head.kind!r}; choose one of {', '.join(ATTENTIONS)}.")
    for name, chosen, most in (("layer", head.layer, vae.config.layers), ("head", head.number, vae.config.heads)):
        if chosen not in range(1, most + 1):
            raise TvaeError(f"There is no {name} {chosen!r}; this model has {name}s 1 to {most}.")
    return head


@torch.no_grad()
def maps(vae: TransformerVAE, tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Pieces (N, 128) -> `TransformerVAE.attention` of each: {kind: (N, layers, heads, T, T)}, row i looks at column j.

    Columns are bars in the encoder and codes in "inter". In the decoder column j holds bar j - 1, which is fed back to
    make bar j, and column 1 nothing.
    """
    device = next(vae.parameters()).device
    parts = [
        vae.attention(torch.as_tensor(part.astype(np.int64), device=device))
        for part in np.split(tokens, range(BATCH, len(tokens), BATCH))
    ]
    return {kind: torch.cat([part[kind] for part in parts]).cpu().numpy() for kind in ATTENTIONS}


def masses(vae: TransformerVAE, tokens: np.ndarray) -> np.ndarray:
    """Pieces (N, 128) -> (N, heads, 28): the mass from each bar to each `earlier` one, in each of `heads`."""
    bars = vae.config.bars
    found = maps(vae, tokens)
    found["decoder"] = np.roll(found["decoder"], -1, -1)  # so that a column's number is that of the bar it holds
    together = np.concatenate([found[kind].reshape(len(tokens), -1, bars, bars) for kind in ATTENTIONS], axis=1)
    return together[..., *earlier(bars)]


def places(pieces: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """-> (N, 28) bool each.

    Pairs of equal bars, and pairs whose later bar equals no earlier bar. Padding is neither.
    """
    equal = np.tril(equal_bars(pieces.tokens), -1)
    counts = counted(pieces.tokens, pieces.length)[:, :, None]
    idle = np.broadcast_to(counts & ~equal.any(-1, keepdims=True), equal.shape)
    pairs = earlier(pieces.bars)
    return (equal & counts)[:, *pairs], idle[:, *pairs]


def expectation(found: np.ndarray, control: np.ndarray, pairs: np.ndarray, idles: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sums of mass (..., H, 28) and of pairs (..., 28) -> found and expected mass a pair, each (..., H).

    Expected is the controls' mean mass at each place, weighted as the pairs are spread over the places.
    """
    pairs = np.where(idles > 0, pairs, 0)[..., None, :]  # a place without a control says nothing
    number = pairs.sum(-1)
    expected = ratio(control, idles[..., None, :]) * pairs
    return ratio(np.where(pairs > 0, found, 0).sum(-1), number), ratio(expected.sum(-1), number)


def lift(mass: np.ndarray, searched: np.ndarray, idle: np.ndarray, song: np.ndarray) -> dict[str, np.ndarray]:
    """The mass that repeated bars put on the bars they equal, over the mass that other bars put on the same places.

    mass (N, H, P), searched and idle (N, P) of `places`, song (N,). Returns `found` and `expected`, the mean mass of
    a pair of equal bars, and their ratio `lift`: (H, 3) each, [value, low, high]. The bootstrap draws songs.
    """
    sums = resampled(song, mass * searched[:, None], mass * idle[:, None], searched, idle)
    (found, expected), (drawn_found, drawn_expected) = (expectation(*(one[k] for one in sums)) for k in (0, 1))
    drawn = {"found": drawn_found, "expected": drawn_expected, "lift": ratio(drawn_found, drawn_expected)}
    values = {"found": found, "expected": expected, "lift": ratio(found, expected)}
    return {name: np.stack([value, *quantiles(drawn[name])], -1) for name, value in values.items()}


def by_distance(mass: np.ndarray, searched: np.ndarray, idle: np.ndarray, song: np.ndarray) -> list[dict]:
    """`lift` of one head's mass (N, 28) for bars 1, 2 ... apart, where there are at least `FEW` pairs of equal bars."""
    rows = []
    bars = round((2 * mass.shape[1]) ** 0.5) + 1
    apart = np.subtract(*earlier(bars))
    for distance in range(1, bars):
        at = apart == distance
        if (pairs := int(searched[:, at].sum())) >= FEW:
            own = lift(mass[:, None, at], searched[:, at], idle[:, at], song)
            rows.append(
                {"distance": distance, "pairs": pairs} | {name: own[name][0].tolist() for name in ("found", "expected")}
            )
    return rows


def chance(mass: np.ndarray, searched: np.ndarray, idle: np.ndarray) -> tuple[np.ndarray, float]:
    """The lift when every piece's attention is read with another piece's repeats, `PERMUTATIONS` times.

    Returns the mean of each head (H,), and what the highest head stays below in 95 % of the permutations.
    """
    rng = np.random.default_rng(SEED)
    lifts = []
    for _ in range(PERMUTATIONS):
        order = rng.permutation(len(mass))
        pairs, idles = searched[order].astype(float), idle[order].astype(float)
        sums = [np.einsum("nhp,np->hp", mass, places, optimize=True) for places in (pairs, idles)]
        lifts.append(ratio(*expectation(*sums, pairs.sum(0), idles.sum(0))))
    return np.mean(lifts, 0), float(np.quantile(np.max(lifts, 1), 0.95))


def finder(vae: TransformerVAE, pieces: Corpus) -> int:
    """The number in `heads` of the one that puts most mass on repeats beyond what is expected, on these pieces."""
    mass, (searched, idle) = masses(vae, pieces.tokens), places(pieces)
    sums = [(mass * which[:, None]).sum(0) for which in (searched, idle)]
    found, expected = expectation(*sums, searched.sum(0), idle.sum(0))
    return int(np.argmax(found - expected))


def untrained(vae: TransformerVAE) -> TransformerVAE:
    """A model of the same sizes that has learned nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return type(vae)(vae.config).eval()


def looks_back(vae: TransformerVAE | LSTMVAE) -> bool:
    """Does any attention of this model see an earlier bar?"""
    return isinstance(vae, TransformerVAE) and any(
        mask != "diagonal" for mask in (vae.config.encoder_mask, vae.config.inter_mask, vae.config.decoder_mask)
    )


def measure(vae: TransformerVAE, train: Corpus, test: Corpus) -> dict:
    """All of it on test pieces, JSON-able.

    `heads` is a list of {kind, layer, number, found, expected, lift, untrained, permuted}: what `lift` gives, then
    the lift without training and with permuted repeats. `finder` is the index of the head that is chosen on the
    training pieces, `distance` its `by_distance`. `chance` is the 95 % point of the highest permuted lift, `pairs`
    the number of equal bars.
    """
    searched, idle = places(test)
    mass, raw = masses(vae, test.tokens), masses(untrained(vae), test.tokens)
    permuted, most = chance(mass, searched, idle)
    columns = lift(mass, searched, idle, test.song)
    columns |= {"untrained": lift(raw, searched, idle, test.song)["lift"], "permuted": permuted}
    chosen = finder(vae, train)
    return {
        "heads": [
            vars(head) | {name: column[k].tolist() for name, column in columns.items()}
            for k, head in enumerate(heads(vae))
        ],
        "finder": chosen,
        "distance": by_distance(mass[:, chosen], searched, idle, test.song),
        "chance": most,
        "pairs": int(searched.sum()),
        "pieces": len(test),
    }
