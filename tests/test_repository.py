"""What holds for the repository as a whole: notebooks, versions, names, paths."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

import tvae
from tvae import corpus, midi
from tvae.report import record

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEXT = {".py", ".ipynb", ".md", ".yml", ".yaml", ".toml", ".cff", ".json", ".js", ".css", ".sh", ""}
CONSTRAINTS = (ROOT / "constraints.txt").read_text().splitlines()


def parameters(notebook: Path) -> set[str]:
    """The names that the cell tagged `parameters` gives values to."""
    cells = nbformat.read(notebook, as_version=4).cells
    cells = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1, f"{notebook.name} has {len(cells)} cells tagged `parameters`"
    assignments = [node for node in ast.parse(cells[0].source).body if isinstance(node, ast.Assign | ast.AnnAssign)]
    return {
        target.id
        for node in assignments
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def tracked() -> list[Path]:
    """The files that git has or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    return [path for path in (ROOT / name for name in listed.split("\0") if name) if path.is_file()]


def test_lines_of_our_scripts_fit_a_screen():
    """Ruff sees to Python. A line of JavaScript that is too long was not laid out by Prettier (see CONTRIBUTING.md)."""
    vendored = re.compile(r"abcjs-|midi-writer|/mathjax/")
    ours = [path for path in tracked() if path.suffix == ".js" and not vendored.search(path.as_posix())]
    assert len(ours) > 40
    for path in ours:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert len(line) <= 120, f"{path.name}:{number}"


def test_the_working_tree_stays_small():
    assert sum(path.stat().st_size for path in tracked()) < 60e6


def test_the_weights_are_those_of_the_released_runs():
    released = {f"{run.name}.safetensors" for run in record.read(ROOT / "figures") if run.released}
    assert {path.name for path in (ROOT / "weights").iterdir()} - {
        "prior-cpu-hooktheory-attention-fold0.safetensors"
    } == released


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_is_valid(self, notebook):
        nbformat.validate(nbformat.read(notebook, as_version=4))

    def test_has_no_outputs(self, notebook):
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                assert not cell.outputs and cell.execution_count is None, cell.source

    def test_defines_nothing(self, notebook):
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                assert not re.search(r"^\s*(?:def|class|async def) ", cell.source, re.M), cell.source

    def test_finds_what_it_needs_where_it_was_opened_by_itself(self, notebook):
        title, setup = nbformat.read(notebook, as_version=4).cells[:2]
        assert title.source.startswith("# ")
        assert setup.metadata.tags == ["setup", "remove-cell"]
        assert setup.source == nbformat.read(NOTEBOOKS[0], as_version=4).cells[1].source
        assert PROJECT["urls"]["Repository"] in setup.source

    def test_has_parameters(self, notebook):
        assert parameters(notebook)

    def test_is_made_for_any_python3(self, notebook):
        assert nbformat.read(notebook, as_version=4).metadata.kernelspec.name == "python3"


def test_the_graph_passes_only_parameters_that_the_notebooks_have():
    rules = re.split(r"^rule ", (ROOT / "Snakefile").read_text(), flags=re.M)
    passed = {rule.split(":")[0]: set(re.findall(r" (\w+)=[{\w]", rule.split("scripts/execute.py")[1]))
              for rule in rules if "scripts/execute.py" in rule}  # fmt: skip
    assert passed["train"] and passed["notebook"]
    pages = yaml.safe_load((ROOT / "book/_toc.yml").read_text())["chapters"]
    names = [Path(page["file"]).name for page in pages if page["file"].startswith("executed/")]
    for name in names:
        assert passed["notebook"] <= parameters(ROOT / "notebooks" / f"{name}.ipynb"), name
    assert passed["train"] <= parameters(ROOT / "notebooks/train.ipynb")


def test_constraints_fit_every_machine():
    torch = [line for line in CONSTRAINTS if line.startswith("torch==")]
    assert len(torch) == 1 and ";" not in torch[0]
    for line in CONSTRAINTS:
        assert "==" in line and "+" not in line.split(";")[0] and "@" not in line and "/" not in line, line


def test_constraints_pin_every_dependency():
    pinned = {line.split("==")[0] for line in CONSTRAINTS}
    wanted = PROJECT["dependencies"] + sum(PROJECT["optional-dependencies"].values(), [])
    for requirement in wanted:
        name = re.split(r"[^A-Za-z0-9_.-]", requirement)[0]
        assert re.sub(r"[-_.]+", "-", name).lower() in pinned, requirement


def test_one_version_and_one_environment_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == tvae.__version__ == str(citation["version"])
    assert f"## {tvae.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert "python=3.11" in conda
    assert conda[-1] == {"pip": ["-c constraints.txt", "-e .[book,test]"]}


def test_one_address_everywhere():
    """The addresses of the repository and the book are those of pyproject.toml, in every file that repeats them."""
    repository, book = PROJECT["urls"]["Repository"], PROJECT["urls"]["Documentation"]
    assert repository.startswith("https://github.com/") and book.endswith("/")
    owner, name = repository.removeprefix("https://github.com/").split("/")
    own = re.compile(rf"https://github\.com/[\w-]+/{name}\b|https://[\w-]+\.github\.io/{name}/")
    found = {path: set(own.findall(path.read_text(errors="ignore"))) for path in tracked() if path.suffix in TEXT}
    for path, addresses in found.items():
        assert addresses <= {repository, book}, f"{path}: pyproject.toml says {repository} and {book}"
    for name in ("README.md", "CITATION.cff", ".zenodo.json"):
        assert repository in found[ROOT / name], name


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.name)
def test_a_workflow_is_valid_and_runs_what_exists(workflow):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", workflow]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        for step in job["steps"]:
            command, *arguments = step.get("run", "true").split()
            if command == "make":
                assert arguments[0] in targets
            for path in (word for word in (command, *arguments) if re.match(r"scripts/|\.ci/", word)):
                assert (ROOT / path).exists(), path


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").symlink_to(ROOT / "weights")
    midi.write_midi(corpus.load("folk").tokens[0], "mine.mid")
    exec(code, {})
    assert midi.read_midi("again.mid").tokens.shape == (128,)


def test_one_range_of_pythons_everywhere():
    versions = ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == ">=3.11,<3.15"
    named = [line.split(" :: ")[-1] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    checks = yaml.safe_load((ROOT / ".github/workflows/checks.yml").read_text())
    assert named == checks["jobs"]["quick"]["strategy"]["matrix"]["python"] == versions


def test_the_deposit_says_what_the_citation_says():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    deposit = json.loads((ROOT / ".zenodo.json").read_text())
    assert [deposit[key] for key in ("title", "version", "license")] == [
        citation[key] for key in ("title", "version", "license")
    ]
    assert [one["name"] for one in deposit["creators"]] == [one["name"] for one in citation["authors"]]
    assert citation["references"][0]["doi"] in [one["identifier"] for one in deposit["related_identifiers"]]


def test_the_citation_is_valid():
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.citation-file-format",
        ROOT / "CITATION.cff",
    ]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_no_path_of_one_machine():
    machine = re.compile(r"(?<![\w.}])/(?:home|root|Users|work)/[\w.]")
    for path in tracked():
        if path != Path(__file__) and path.suffix in TEXT:
            found = machine.search(path.read_text(errors="ignore"))
            assert not found, f"{path.relative_to(ROOT)}: {found}"


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_refuses_an_unknown_preset_with_a_sentence():
    for target, preset in [("book", "smoek"), ("book", "paper"), ("paper", "smoke")]:
        command = ["make", "-n", target, f"PRESET={preset}"]
        made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert made.returncode == 2 and made.stderr.count("\n") == 1 and preset in made.stderr, made.stderr


def test_contributing_leads_to_what_is_there():
    """In its table of places every file is there, and has the names that stand beside it."""
    rows = re.findall(r"^\| [^|]+ \| (.*`.*) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.M)
    assert len(rows) >= 10
    for row in rows:
        named = re.findall(r"`([^`]+)`", row)
        places = [ROOT / name for name in named if "/" in name]
        assert places and all(place.exists() for place in places), row
        text = "".join(
            file.read_text() for place in places for file in (place.glob("*.py") if place.is_dir() else [place])
        )
        for name in named:
            assert "/" in name or name.split(".")[-1] in text, f"{name}: {row}"


def test_the_map_names_every_module():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for folder in ("tvae", "tvae/studies", "tvae/report"):
        for module in (ROOT / folder).glob("*.py"):
            assert module.name in text or module.stem in ("__init__", "errors", "remeasure"), module
