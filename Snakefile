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

configfile: "config.yaml"

PRESET = config["preset"]
PRESETS = config["presets"]
if PRESET != "recorded" and PRESET not in PRESETS:
    sys.exit(f"preset={PRESET} is not known: it is one of recorded, {', '.join(PRESETS)}.")

PYTHON = f"'{sys.executable}'"
JUPYTER_BOOK = f"'{Path(sys.executable).parent / 'jupyter-book'}'"
RECORD, WEIGHTS = ("figures", "weights") if PRESET == "recorded" else (f"runs/{PRESET}/record", f"runs/{PRESET}/record/weights")
PAGES = re.findall(r"file: (\S+)", Path("book/_toc.yml").read_text())
NOTEBOOKS = [page.removeprefix("executed/") for page in PAGES if page.startswith("executed/")]
RUN = "runs/{preset}/{corpus}/{model}/fold{fold}"
MADE = ["config.json", "history.csv", "weights.safetensors", "metrics.json", "pieces.npz", "train.ipynb"]

# Each job writes to a log; when it fails, its last lines and the log's path are what is shown.
LOGGED = "> {log} 2>&1 || {{ echo; echo 'The end of {log}:'; tail -n 12 {log}; exit 1; }} >&2"


def files(*patterns):
    return sorted(str(path) for pattern in patterns for path in Path().glob(pattern) if path.is_file())


SOURCES = files("tvae/*.py", "tvae/data/*")


def run_folders(preset):
    """The runs that a preset consists of."""
    if preset == "recorded":
        sys.exit("Which runs? Say --config preset=cpu or preset=paper: `record` puts new runs into figures/ and weights/.")
    it = PRESETS[preset]
    return [RUN.format(preset=preset, corpus=corpus, model=model, fold=fold)
            for corpus in it["corpora"] for model in it["models"] for fold in it["folds"]]


def metrics(preset):
    return [f"{folder}/metrics.json" for folder in run_folders(preset)]


wildcard_constraints:
    preset="|".join(PRESETS),
    corpus="[a-z0-9]+",
    model="[a-z0-9_]+",
    fold=r"\d+",


rule book:
    input:
        "_config.yml",
        files("book/*.*", "book/ext/*.py", "book/assets/**/*", "tvae/*.py", "figures/*.svg"),
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
        recorded=files("figures/*.json", "figures/pieces/*", "figures/history/*", "weights/*"),
        sources=SOURCES,
    output: "book/executed/{name}.ipynb"
    wildcard_constraints: name="|".join(NOTEBOOKS)
    params: record=RECORD, weights=WEIGHTS
    log: "_build/logs/{name}.log"
    shell:
        "echo 'Executing {input.notebook}' >&2; {PYTHON} scripts/execute.py {input.notebook} {output}"
        " record={params.record} weights={params.weights} " + LOGGED


rule train:
    # Only toy runs are trained again when the sources change; a run of hours is made again by removing its folder.
    input: lambda w: ["notebooks/train.ipynb", *SOURCES] if w.preset == "smoke" else []
    output: [f"{RUN}/{name}" for name in MADE]
    params: seed=config["seed"]
    log: f"{RUN}/train.log"
    threads: min(8, workflow.cores or 8)
    resources: gpu=1
    shell:
        # The checkpoint lies in the run folder undeclared, so that a killed run goes on where it was.
        "echo 'Training {wildcards.model} on {wildcards.corpus}, preset {wildcards.preset}, fold {wildcards.fold} (progress: {log})' >&2;"
        " {PYTHON} scripts/execute.py notebooks/train.ipynb {output[5]} model={wildcards.model} corpus={wildcards.corpus}"
        " preset={wildcards.preset} fold={wildcards.fold} seed={params.seed} runs=runs " + LOGGED


rule collect:
    input: lambda w: metrics(w.preset)
    output: "runs/{preset}/record/results.json"
    params: folders=lambda w: run_folders(w.preset)
    log: "_build/logs/collect-{preset}.log"
    shell:
        "{PYTHON} -m tvae.record {params.folders} --record runs/{wildcards.preset}/record"
        " --weights runs/{wildcards.preset}/record/weights " + LOGGED


# No output, so that what is committed stays a source: the file times of a fresh clone never retrain anything.
rule record:
    input: lambda w: metrics(PRESET)
    params: folders=lambda w: run_folders(PRESET)
    log: "_build/logs/record.log"
    shell:
        "( {PYTHON} -m tvae.record {params.folders} --record figures --weights weights"
        " && {PYTHON} -m tvae.claims --record figures && {PYTHON} scripts/save_figures.py figures ) " + LOGGED
