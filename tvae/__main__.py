"""One command line: ``python -m tvae train --model attention --corpus folk --preset smoke``; ``--help`` lists the rest."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tvae import corpus as corpora
from tvae.errors import TvaeError
from tvae.official import official
from tvae.presets import MODELS, PRESETS
from tvae.train import train


def add_train(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("train", help="train and evaluate one model; a killed run goes on where it was")
    parser.add_argument("--model", default="attention", help=", ".join(MODELS))
    parser.add_argument("--corpus", default="folk", help=", ".join(corpora.NAMES))
    parser.add_argument("--preset", default="smoke", help=", ".join(PRESETS))
    parser.add_argument("--fold", type=int, default=0, help="the fifth of the songs that is held out, 0 to 4")
    parser.add_argument("--seed", type=int, default=None, help="default: the fold's number")
    parser.add_argument("--kl-weight", type=float, default=None, help="go on from the finished run at this KL weight")
    parser.add_argument("--runs", default="runs", help="folder of the run folders")
    parser.add_argument("--data-dir", default=None, help="local copy of the corpora")
    parser.set_defaults(run=lambda **settings: print(train(**settings)))


def add_official(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "official", help="turn the authors' checkpoint into a weights file like those of our runs"
    )
    parser.add_argument("file", metavar="FILE.sdict", help="as linked in the release's README")
    parser.add_argument("--out", default="weights/official.safetensors")
    parser.add_argument("--masks", default="111", help="the release's name for them: encoder, decoder to z, decoder")
    parser.set_defaults(run=lambda **settings: print(official(**settings)))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tvae", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_train(commands)
    add_official(commands)
    given = vars(parser.parse_args(arguments))
    try:
        given.pop("run")(**given)
    except TvaeError as error:
        raise SystemExit(f"tvae: {error}") from None


if __name__ == "__main__":
    main()
