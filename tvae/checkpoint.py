"""What a run leaves and how it goes on: weights, and the state of a training.

Weights are safetensors files whose metadata rebuilds the model. A run's own are float32. Released ones have eight bits
a value: a matrix is int8, with a float32 ``.scale`` for each output, and everything else is float32. The report and
the playground read the same file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tvae.baselines import LSTMVAE, LSTMConfig
from tvae.errors import TvaeError
from tvae.files import write_atomically
from tvae.model import ModelConfig, TransformerVAE
from tvae.presets import build, model_row

Module = TypeVar("Module", bound=nn.Module)


def quantised(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A model's tensors by name in eight bits: matrices as int8 with a float32 ``.scale`` beside each.

    A scale is a 127th of the largest weight that leads to one output: of a row of a linear layer (out, in), of a column
    of a `tvae.model.BarwiseLinear` (bar, in, out). What is no matrix stays as it is.
    """
    tensors = {}
    for name, tensor in state.items():
        if tensor.ndim > 1 and name.rpartition(".")[2].startswith("weight"):
            scale = tensor.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
            tensors[name] = (tensor / scale).round().to(torch.int8)
            tensors[f"{name}.scale"] = scale
        else:
            tensors[name] = tensor
    return tensors


def restored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of a model, float32, from the tensors of a weights file."""
    return {
        name: tensor.float() * tensors[f"{name}.scale"] if f"{name}.scale" in tensors else tensor.float()
        for name, tensor in tensors.items()
        if not name.endswith(".scale")
    }


def in_eight_bits(vae: Module) -> Module:
    """A copy of a model, with its weights as they come back from a released file."""
    released = deepcopy(vae)
    released.load_state_dict(restored(quantised(vae.state_dict())))
    return released


def save_weights(vae: nn.Module, path: Path, config: dict, eight_bits: bool = False) -> None:
    """Write a model to a weights file, with the run's settings in its metadata, so that the file alone rebuilds it."""
    state = vae.state_dict()
    tensors = {name: tensor.cpu().contiguous() for name, tensor in (quantised(state) if eight_bits else state).items()}
    write_atomically(path, lambda part: save_file(tensors, part, metadata={"tvae": json.dumps(config)}))


def read_settings(path: str | os.PathLike) -> dict:
    """The settings that a weights file was saved with. Raises `TvaeError` on any other file."""
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads(file.metadata()["tvae"])
    except Exception as error:  # safetensors raises types of its own on a damaged file
        raise TvaeError(f"{path} holds no weights of a tvae model ({error}).") from error


def load(path: str | os.PathLike) -> TransformerVAE | LSTMVAE:
    """As `tvae.load`."""
    about = read_settings(path)
    try:
        sizes = LSTMConfig if model_row(about["model"]).lstm else ModelConfig
        vae = build(about["model"], sizes(**about["plan"]["model"]))
        vae.load_state_dict(restored(load_file(path)))
    except Exception as error:
        raise TvaeError(f"{path} holds no weights of a tvae model ({error}).") from error
    return vae.eval()


def save_state(path: Path, state: dict) -> None:
    """A checkpoint: everything that the next step of a training depends on."""
    write_atomically(path, lambda part: torch.save(state, part))


def load_state(path: Path, config: dict) -> dict:
    """A checkpoint of a training with these settings; `TvaeError` on a damaged one and on one of other settings."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if json.loads(state["config"]) != config:
            raise ValueError("its settings are others")
    except Exception as error:  # torch.load raises many types on a damaged file
        raise TvaeError(f"{path} cannot be continued ({error}); delete it to train this run from the start.") from error
    return state
