"""Train Transformer VAE and its comparison, measure what was trained, and keep the record that the report shows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from tvae.corpus import LONGER, NAMES, load
from tvae.errors import TvaeError


def train(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """train and evaluate one model; a killed run goes on where it was"""
    from tvae.presets import MODELS, PRESETS

    trained = [name for name, row in MODELS.items() if row.trained]
    parser.add_argument("--model", default="attention", help=", ".join(trained))
    parser.add_argument("--corpus", default="folk", help=", ".join((*NAMES, *LONGER, "folder:PATH of MIDI files")))
    parser.add_argument("--preset", default="smoke", help=", ".join(PRESETS))
    parser.add_argument("--fold", type=int, default=0, help="the fifth of the songs that is held out, 0 to 4")
    parser.add_argument("--seed", type=int, default=None, help="default: the fold's number")
    parser.add_argument("--kl-weight", type=float, default=None, help="go on from the finished run at this KL weight")
    parser.add_argument("--runs", default="runs", help="folder of the run folders")
    add_data_dir(parser)

    def run(**settings) -> None:
        from tvae.train import train

        print(train(**settings))

    return run


def status(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """how far the runs of a preset are, and how long the rest will take"""
    parser.add_argument("preset", help="one of config.yaml's presets")
    parser.add_argument("--at-once", type=int, help="runs side by side, for the time left (default: as many as now)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the run folders")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))

    def run(preset: str, at_once: int | None, runs: Path, config: Path) -> None:
        from tvae.report.status import status
        from tvae.runs import planned, progress

        try:
            plan = planned(yaml.safe_load(config.read_bytes()), preset)
        except (OSError, yaml.YAMLError) as error:
            raise TvaeError(f"{config} cannot be read ({error}).") from None
        print(status({run: progress(runs / run.folder) for run in plan}, at_once))

    return run


def official(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """turn the authors' checkpoint into a weights file like those of our runs"""
    parser.add_argument("file", metavar="FILE.sdict", help="as linked in the release's README")
    parser.add_argument("--out", default="weights/official.safetensors")
    parser.add_argument("--masks", default="111", help="the release's name for them: encoder, decoder to z, decoder")

    def run(**settings) -> None:
        from tvae.official import official

        print(official(**settings))

    return run


def record(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """take finished runs into the record, in place of earlier ones of the same name"""
    parser.add_argument("folders", nargs="+", type=Path, help="run folders, as `train` prints them")
    add_record(parser)

    def run(folders: list[Path], record: Path, weights: Path) -> None:
        from tvae.report import record as records

        for entry in records.collect(folders, record, weights):
            print(f"{entry.name:44} free-running accuracy {entry.accuracy_free_running:.4f}")

    return run


def measure(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """look inside the recorded models, transfer contexts with them, describe the corpora; the record keeps it"""
    parser.add_argument(
        "parts", nargs="*", help="corpora, inside, transfer, emergence, playground, beyond; default: all"
    )
    add_record(parser)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where weights that are not released lie")
    add_data_dir(parser)

    def run(**where) -> None:
        from tvae.report.measuring import measure_record

        measure_record(**where)

    return run


def prior(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """train a prior over the codes of a recorded model, from which new songs are drawn"""
    parser.add_argument("--corpus", default="hooktheory", help="of the recorded attention model")
    add_record(parser)
    add_data_dir(parser)

    def run(corpus: str, record: Path, weights: Path, data_dir: str | None) -> None:
        from tvae.report.beyond import train_prior

        train_prior(record, weights, load(corpus, data_dir))

    return run


def claims(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """decide the claims from the record"""
    parser.add_argument("--record", type=Path, default=Path("figures"))

    def run(record: Path) -> None:
        from tvae.report.evidence import decide_all

        for found in decide_all(record):
            numbers = found.reason or f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}], {found.threshold}"
            print(f"{found.claim:20} {found.verdict:18} {numbers}")

    return run


def playground(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """write the playground as a page of its own, with a model of one's own"""
    parser.add_argument("--own", type=Path, default=None, help="a file of weights, the first model of the page")
    parser.add_argument("--page", type=Path, required=True, help="folder to write it into")
    add_record(parser)

    def run(own: Path | None, page: Path, record: Path, weights: Path) -> None:
        from tvae.report.playground import write_own

        print(f"The playground is {write_own(own, record, weights, page)}")

    return run


def bench(parser: argparse.ArgumentParser) -> Callable[..., object]:
    """measure how fast this machine trains and decodes, beside its own peak"""
    parser.add_argument("--out", type=Path, default=Path("figures/bench.json"))

    def run(out: Path) -> None:
        from tvae.files import write_json
        from tvae.studies.bench import bench

        figures = bench()
        out.parent.mkdir(parents=True, exist_ok=True)
        write_json(out, figures)
        print(out)

    return run


def add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--record", type=Path, default=Path("figures"), help="folder of the record")
    parser.add_argument("--weights", type=Path, default=Path("weights"), help="folder of the released weights")


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", default=None, help="folder of source files; without it hooktheory is downloaded")


COMMANDS = (train, status, record, prior, measure, claims, official, playground, bench)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tvae", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    arguments = sys.argv[1:] if arguments is None else arguments
    for command in COMMANDS:
        own = commands.add_parser(command.__name__, help=command.__doc__, description=command.__doc__)
        if command.__name__ in arguments:  # the others are listed alone: what some of them import takes seconds
            own.set_defaults(run=command(own))
    given = vars(parser.parse_args(arguments))
    try:
        given.pop("run")(**given)
    except TvaeError as error:
        raise SystemExit(f"tvae: {error}") from None
    except OSError as error:  # a folder that is a file, a full disk, what is somebody else's
        raise SystemExit(f"tvae: A file cannot be read or written ({error}).") from None


if __name__ == "__main__":
    main()
