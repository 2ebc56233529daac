"""The authors' own checkpoint in our model: the same function, other names.

The release (github.com/music-x-lab/TransformerVAE) links
``transformer_sequential_vae_no_chord_v2.1_m111_3_layer_kl1.000000_s0.sdict`` in its README. `convert` renames its
tensors and turns its matrices, which it keeps as (in, out) a head or as one layer a bar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from tvae.checkpoint import save_weights
from tvae.errors import TvaeError
from tvae.model import MASKS, ModelConfig, TransformerVAE

DENSE = (("fc1", "net.0"), ("fc2", "net.2"), ("fc3", "net.4"))
FEEDFORWARD = (
    ("positionwise.feedforward.0", "feedforward.0"),
    ("positionwise.feedforward.2", "feedforward.2"),
    ("positionwise.normalization", "feedforward_norm"),
)
BARWISE = (
    ("reparameterizers.{}.linear_mu", "to_mu"),
    ("reparameterizers.{}.linear_sigma", "to_logvar"),
    ("decoder_init_linears.{}", "from_code"),
)


def with_masks(digits: str) -> ModelConfig:
    """The sizes of the release, with the masks that it names ``111`` and the like: encoder, decoder to z, decoder."""
    if len(digits) != 3 or not set(digits) <= set("012"):
        raise TvaeError(f"There are no masks '{digits}'; give three digits, each 0 (none), 1 (causal) or 2 (diagonal).")
    encoder, inter, decoder = (MASKS[int(digit)] for digit in digits)
    return ModelConfig(encoder_mask=encoder, inter_mask=inter, decoder_mask=decoder)


def affine(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    """A layer's weight and bias, by their name and ours."""
    for part in ("weight", "bias"):
        yield f"{theirs}.{part}", f"{ours}.{part}"


def same_shape(config: ModelConfig) -> Iterator[tuple[str, str]]:
    """The tensors that only have another name: (theirs, ours)."""
    yield "encoder.pe.weight", "encoder.position"
    yield "decoder.pe.weight", "decoder.position"
    for theirs, ours in DENSE:
        yield from affine(f"encoder.local_encoder.{theirs}", f"local_encoder.{ours}")
        yield from affine(f"decoder.local_decoder.{theirs}", f"local_decoder.{ours}")
    for theirs, ours, _ in attentions(config):
        yield from affine(f"{theirs}.output", f"{ours}.out")
        yield from affine(f"{theirs}.layer_normalization", f"{ours}_norm")
    for number in range(config.layers):
        for theirs, ours in FEEDFORWARD:
            yield from affine(f"encoder.transformer_encoder.{number}.{theirs}", f"encoder.layers.{number}.{ours}")
            yield from affine(f"decoder.transformer_decoders.{number}.{theirs}", f"decoder.layers.{number}.{ours}")


def attentions(config: ModelConfig) -> Iterator[tuple[str, str, int]]:
    """Each attention: (their name, our name, its layer)."""
    for number in range(config.layers):
        yield f"encoder.transformer_encoder.{number}.attention", f"encoder.layers.{number}.attention", number
        yield f"decoder.transformer_decoders.{number}.masked_attention", f"decoder.layers.{number}.attention", number
        yield f"decoder.transformer_decoders.{number}.attention", f"decoder.layers.{number}.inter", number


def shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """The name and shape of every tensor of the release's checkpoint."""
    own = {name: tuple(tensor.shape) for name, tensor in TransformerVAE(config).state_dict().items()}
    found = {theirs: own[ours] for theirs, ours in same_shape(config)}
    for theirs, _, _ in attentions(config):
        for part in ("query", "key", "value"):
            found[f"{theirs}.{part}_projection"] = (config.heads, config.d_model, config.d_head)
    for theirs, ours in BARWISE:
        _, d_in, d_out = own[f"{ours}.weight"]
        for bar in range(config.bars):
            found |= {f"{theirs.format(bar)}.weight": (d_out, d_in), f"{theirs.format(bar)}.bias": (d_out,)}
    return found


def convert(checkpoint: Mapping[str, Tensor], masks: str = "111") -> TransformerVAE:
    """The model that a checkpoint of the release is. Raises `TvaeError` unless it has exactly the release's tensors."""
    config = with_masks(masks)
    wanted = shapes(config)
    for name, shape in wanted.items():
        if name not in checkpoint:
            raise TvaeError(f"This is no checkpoint of the release: it has no {name}.")
        if (found := tuple(checkpoint[name].shape)) != shape:
            raise TvaeError(f"This is no checkpoint of the release: {name} has the shape {found}, not {shape}.")
    if extra := sorted(set(checkpoint) - set(wanted)):
        raise TvaeError(f"This is no checkpoint of the release: it also has {extra[0]}.")
    state = {ours: checkpoint[theirs] for theirs, ours in same_shape(config)}
    for theirs, ours, _ in attentions(config):
        for part in ("query", "key", "value"):  # (heads, in, out) -> (heads * out, in)
            state[f"{ours}.{part}.weight"] = checkpoint[f"{theirs}.{part}_projection"].transpose(1, 2).flatten(0, 1)
    for theirs, ours in BARWISE:  # a layer a bar -> (bars, in, out)
        bars = [theirs.format(bar) for bar in range(config.bars)]
        state[f"{ours}.weight"] = torch.stack([checkpoint[f"{bar}.weight"].T for bar in bars])
        state[f"{ours}.bias"] = torch.stack([checkpoint[f"{bar}.bias"][None] for bar in bars])
    vae = TransformerVAE(config)
    vae.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return vae.eval()


def read(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint file. Only tensors are ever unpickled; `TvaeError` on any other file."""
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise TvaeError(f"{path} cannot be read as a checkpoint of the release ({error.strerror}).") from error
    except Exception as error:  # many types; what PyTorch says would have the reader unpickle the file unsafely
        reason = "it is damaged, or of another kind"
        raise TvaeError(f"{path} cannot be read as a checkpoint of the release ({reason}).") from error
    if not isinstance(checkpoint, Mapping) or not all(isinstance(tensor, Tensor) for tensor in checkpoint.values()):
        raise TvaeError(f"{path} is no checkpoint of the release: it holds something other than tensors by name.")
    return dict(checkpoint)


def official(file: str | Path, out: str | Path = "weights/official.safetensors", masks: str = "111") -> Path:
    """Turn a checkpoint of the release into a weights file like those of our runs; returns its path.

    It is released in eight bits like ours. Raises `TvaeError` on a wrong, truncated or extended file.
    """
    vae = convert(read(file), masks)
    settings = {"model": "official", "checkpoint": Path(file).name, "plan": {"model": asdict(vae.config)}}
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    save_weights(vae, Path(out), settings, eight_bits=True)
    return Path(out)
