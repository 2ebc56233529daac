# The graph: corpora -> runs -> record -> executed notebooks -> book.
#
#   snakemake book                          the report of the recorded runs (figures/ and weights/ are sources: nothing trains)
#   snakemake book --config preset=smoke    train at toy size, then the same report of those runs
#   snakemake record --config preset=paper  train what config.yaml lists, then put it in figures/ and weights/
#
# The Makefile calls these inside .venv; in any other environment with the extras installed they work as they stand.
import re
import sys
from pathlib import Path

from tvae import TvaeError
from tvae.runs import planned

configfile: "config.yaml"

PRESET = config["preset"]
PRESETS = config["presets"]
if PRESET not in ["recorded", *PRESETS]:
    sys.exit(f"preset={PRESET} is not known: it is one of recorded, {', '.join(PRESETS)}.")

PYTHON = f"'{sys.executable}'"
JUPYTER_BOOK = f"'{Path(sys.executable).parent / 'jupyter-book'}'"
RECORD, WEIGHTS = ("figures", "weights") if PRESET == "recorded" else (f"runs/{PRESET}/record", f"runs/{PRESET}/record/weights")
PAGES = re.findall(r"file: (\S+)", Path("book/_toc.yml").read_text())
NOTEBOOKS = [page.removeprefix("executed/") for page in PAGES if page.startswith("executed/")]
RUN = "runs/{preset}/{corpus}/{model}/fold{fold}{weight}"  # {weight}: nothing, or -kl4 (`tvae.runs.Run`)

# Each job writes to a log; when it fails, its last lines and the log's path are what is shown.
LOGGED = "> {log} 2>&1 || {{ echo; echo 'The end of {log}:'; tail -n 12 {log}; exit 1; }} >&2"


def files(*patterns):
    return sorted(str(path) for pattern in patterns for path in Path().glob(pattern) if path.is_file())


CORE = files("tvae/*.py", "tvae/corpora/*.py", "tvae/midi/*.py", "tvae/data/*")
SOURCES = [*CORE, *files("tvae/studies/**/*.py", "tvae/report/**/*.py")]


def run_folders(preset):
    """Of the runs that a preset consists of, the most important first."""
    if preset == "recorded":
        sys.exit("Which runs? Say --config preset=cpu or preset=paper: `record` puts new runs into figures/ and weights/.")
    try:
        return [f"runs/{run.folder}" for run in planned(config, preset)]
    except TvaeError as error:
        sys.exit(str(error))


def metrics(preset):
    return [f"{folder}/metrics.json" for folder in run_folders(preset)]


def start(w):
    """What a run with a KL weight goes on from: the run without. Where that took hours, its being there is enough."""
    finished = RUN.replace("{weight}", "") + "/metrics.json"
    return [] if not w.weight else finished if w.preset == "smoke" else ancient(finished)


# Where there is a choice, the run that config.yaml names first is trained first.
ORDER = [] if PRESET == "recorded" else run_folders(PRESET)
PRIORITY = {folder: rank for rank, folder in enumerate(reversed(ORDER), start=1)}


wildcard_constraints:
    preset="|".join(PRESETS),
    corpus="[a-z0-9]+",
    model="[a-z0-9_]+",
    fold=r"\d+",
    weight=r"(-kl[0-9.]+)?",


# On a cluster only training is submitted; the rest takes a minute where snakemake was started.
localrules: book, notebook, anew, collect, record


rule book:
    input:
        "_config.yml",
        files("book/*.*", "book/ext/*.py", "book/assets/**/*", "tvae/**/*.py"),
        [f"book/executed/{name}.ipynb" for name in NOTEBOOKS],
    output: "_build/html/index.html"
    params: preset=PRESET
    log: "_build/logs/book.log"
    shell:
        # From nothing: a number glued from a notebook would otherwise stay as it was on unchanged pages.
        "echo 'Compiling the book' >&2; rm -rf _build/html _build/.doctrees; TVAE_PRESET={params.preset} {JUPYTER_BOOK} build book"
        " --config _config.yml --path-output . -W -n --keep-going -q " + LOGGED


rule notebook:
    input:
        notebook="notebooks/{name}.ipynb",
        record=f"{RECORD}/results.json",
        recorded=files("config.yaml", "figures/*.json", "figures/pieces/*", "figures/history/*", "weights/*", "book/paper_reported.yml"),
        sources=SOURCES,
    output: "book/executed/{name}.ipynb"
    wildcard_constraints: name="|".join(NOTEBOOKS)
    params: record=RECORD, weights=WEIGHTS
    log: "_build/logs/{name}.log"
    shell:
        "echo 'Executing {input.notebook}' >&2; {PYTHON} scripts/execute.py {input.notebook} {output}"
        " record={params.record} weights={params.weights} " + LOGGED


# Models share stage 0, so no run of them can start it anew: that is done once, before the first of them.
rule anew:
    input: "notebooks/train.ipynb", CORE
    output: touch("runs/smoke/.anew")
    shell: "rm -rf runs/smoke/*/local_*"


rule train:
    # Only toy runs are trained again when the sources change; a run of hours is made again by removing its folder and
    # the folders of those that go on from it.
    input:
        lambda w: "runs/smoke/.anew" if w.preset == "smoke" else [],
        start,
    # Only the file that a run writes last: Snakemake deletes the output of a failed job and of one that it starts again,
    # and a killed run goes on from what else lies in its folder.
    output: f"{RUN}/metrics.json"
    params:
        kl_weight=lambda w: w.weight.removeprefix("-kl") or "null",
        notebook=f"{RUN}/train.ipynb",
        # A toy run starts anew, also with other sizes: its former settings, and a checkpoint, are removed.
        stale=lambda w, output: [output[0].replace("metrics.json", name) for name in ("config.json", "checkpoint.pt")
                                 if w.preset == "smoke"],
    log: f"{RUN}/train.log"
    # Two runs side by side with a thread each are done sooner than one after the other with two.
    threads: 1
    resources: gpu=lambda w: int(w.preset == "paper")
    priority: lambda w: PRIORITY.get(RUN.format(**dict(w.items())), 0)
    shell:
        "echo 'Training {wildcards.model} on {wildcards.corpus}, preset {wildcards.preset},"
        " fold {wildcards.fold}{wildcards.weight} (progress: {log})' >&2; rm -f {params.stale};"
        " {PYTHON} scripts/execute.py notebooks/train.ipynb {params.notebook} model={wildcards.model} corpus={wildcards.corpus}"
        " preset={wildcards.preset} fold={wildcards.fold} kl_weight={params.kl_weight} runs=runs " + LOGGED


rule collect:
    input: lambda w: metrics(w.preset)
    output: "runs/{preset}/record/results.json"
    params: folders=lambda w: run_folders(w.preset)
    log: "_build/logs/collect-{preset}.log"
    shell:
        "{PYTHON} -m tvae record {params.folders} --record runs/{wildcards.preset}/record"
        " --weights runs/{wildcards.preset}/record/weights " + LOGGED


# No output, so that what is committed stays a source: the file times of a fresh clone never retrain anything.
rule record:
    input: lambda w: metrics(PRESET)
    params: folders=lambda w: run_folders(PRESET)
    log: "_build/logs/record.log"
    shell:
        "( {PYTHON} -m tvae record {params.folders} --record figures --weights weights"
        " && {PYTHON} -m tvae measure --record figures --weights weights && {PYTHON} -m tvae claims --record figures && {PYTHON} scripts/save_tables.py figures ) " + LOGGED
