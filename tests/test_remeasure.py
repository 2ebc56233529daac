"""Claims measured again on the page: the same numbers as Python, from tokens alone and in a browser from the model."""

import json

import numpy as np
import pytest
from playground_page import ROOT, recorded

from tvae import corpus
from tvae.report import claims, measured, playground, record, remeasure, transferred
from tvae.studies import codes, relations, statistics, transfers

pytestmark = pytest.mark.slow

ASSETS = ROOT / "book" / "assets"
STATISTICS = ("structure_kept", "rhythm_follows", "register_follows")
FEW = 18  # songs


@pytest.fixture(scope="module")
def folk():
    return corpus.load("folk")


@pytest.fixture
def javascript():
    mini_racer = pytest.importorskip("py_mini_racer")
    context = mini_racer.MiniRacer()
    for name in ("melody", "random", "transfers", "codes", "statistics", "measurement"):
        context.eval((ASSETS / "playground" / f"{name}.js").read_text(encoding="utf-8"))
    yield lambda script: json.loads(context.eval(f"JSON.stringify((() => {{ {script} }})())"))
    context.close()


def test_the_measures_of_transfers_are_those_of_python(javascript, folk):
    """On made-up reconstructions and results: parts of other pieces, so that all of it happens."""
    rng = np.random.default_rng(1)
    test = folk.tokens[folk.split(0)[1]]
    host, mixed = test[rng.integers(len(test), size=60)], test[rng.integers(len(test), size=(60, 2))]

    def changed(pieces):
        whole = pieces.reshape(*pieces.shape[:-1], 8, 16).copy()
        other = test[rng.integers(len(test), size=pieces.shape[:-1])].reshape(whole.shape)
        swapped = rng.random(whole.shape[:-1]) < 0.4
        whole[swapped] = other[swapped]
        return whole.reshape(pieces.shape)

    again, donors_again, results = changed(host), changed(mixed), changed(np.repeat(host[:, None], 2, 1))
    expected = transfers.measures(host, again, mixed, donors_again, results, (1,))
    cases = json.dumps([[x.tolist() for x in case] for case in zip(host, again, mixed, donors_again, results)])
    found = javascript(
        f"""const bytes = (tokens) => Array.isArray(tokens[0]) ? tokens.map(bytes) : Uint8Array.from(tokens);
        return {cases}.map((pieces) => tvae.transfers.measures(...pieces.map(bytes), [1]));"""
    )
    for name in STATISTICS:
        np.testing.assert_allclose(
            [sums[name] for sums in found], np.stack(expected[name].sums, 1), atol=1e-9, err_msg=name
        )
    drawn = rng.multinomial(60, np.full(60, 1 / 60))  # one draw of the bootstrap
    for weights in (np.ones(60, int), drawn):
        values = javascript(
            f"return tvae.transfers.values(tvae.statistics.weighted({json.dumps(found)}, {weights.tolist()}));"
        )
        for name in STATISTICS:
            sums = (part * weights for part in expected[name].sums)
            assert values[name] == pytest.approx(float(expected[name].of(*(part.sum() for part in sums)))), name
    many = rng.standard_normal(101)
    np.testing.assert_allclose(
        javascript(f"return tvae.statistics.quantiles({many.tolist()});"), statistics.quantiles(many)
    )


def test_the_draws_of_the_bootstrap_are_draws(javascript):
    drawn = np.array(javascript("return tvae.statistics.multinomial(12, 4000).map((counts) => [...counts]);"))
    assert (drawn.sum(1) == 12).all()
    np.testing.assert_allclose(drawn.mean(0), 1, atol=0.08)
    np.testing.assert_allclose(drawn.var(0), 11 / 12, atol=0.1)


def test_what_repeats_save_is_what_python_finds(javascript, folk):
    test = folk.split(0)[1]
    pieces = folk.part(test)
    rate = np.random.default_rng(0).gamma(2.0, 8.0, (len(test), 8)).round(6)
    tokens, length = json.dumps(pieces.tokens.tolist()), pieces.length.tolist()
    song = np.unique(pieces.song, return_inverse=True)[1].tolist()
    kinds, saving = javascript(
        f"""const tokens = {tokens}.map((piece) => Uint8Array.from(piece));
        const rate = {rate.tolist()}, song = {song}, units = [];
        tokens.forEach((piece, k) => (units[song[k]] ??= []).push(...tvae.codes.strata(piece, {length}[k], rate[k])));
        return [tokens.map(tvae.codes.kinds), tvae.codes.saving(units, units.map(() => 1))];"""
    )
    assert (np.array(kinds) == relations.kinds(pieces.tokens)).all()
    (repeated,) = [row for row in codes.matched(rate, pieces) if row["kind"] == "repeated"]
    assert saving == pytest.approx(repeated["saving"])


@pytest.fixture(scope="module")
def few(folk):
    """The test pieces of a few songs, as a corpus."""
    songs = np.unique(folk.song[folk.split(0)[1]])[:FEW]
    index = np.flatnonzero(np.isin(folk.song, songs))
    return folk.part(index)


@pytest.fixture(scope="module")
def entry():
    (entry,) = recorded(("folk", "attention"))
    return entry


@pytest.fixture(scope="module")
def vae(entry):
    return record.load_model(ROOT / "weights", entry)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, few, entry):
    """A page with the two elements, as a page of the book has them."""
    import shutil

    folder = tmp_path_factory.mktemp("page")
    shutil.copy(ASSETS / "tvae.css", folder)
    shutil.copytree(ASSETS / "playground", folder / "playground")
    models = [playground.offered(entry, ROOT / "weights", playground.NOTHING_MEASURED)]
    playground.export(models, few, folder / "playground")
    figures = ROOT / "figures"
    remeasure.export(
        models,
        few,
        0,
        claims.read(figures),
        measured.read(figures / "inside.json"),
        transferred.read(figures / "transfer.json"),
        folder / "playground",
    )  # fmt: skip
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>Measure</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="tvae.css">'
        f"{remeasure.element('C7 C8 C9', 'playground/')}{remeasure.element('C4', 'playground/')}</html>",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(params=["file", "http"])
def page(request, browser, folder, site):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    wrong, asked = [], []
    root = folder.as_uri() if request.param == "file" else site
    page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{root}/index.html")
    page.get_by_role("button", name="Measure it here: C4").wait_for()
    names = {url.removeprefix(f"{root}/").split("?")[0] for url in asked if not url.startswith("data:")}
    assert names == {
        "index.html",
        "tvae.css",
        "playground/measure.css",
        "playground/script.js",
        "playground/measure.js",
    }
    yield page
    page.close()
    assert not wrong
    assert all(url.startswith((root, "blob:", "data:")) for url in asked)


def button(page, words: str):
    return page.get_by_role("button", name=words, exact=True)


def estimates(page, claim: str) -> dict:
    return page.locator(f'tvae-measure[claim="{claim}"]').evaluate("element => element.estimates")


def test_the_page_measures_transfers_as_python_does(page, vae, few):
    claim = "C7 C8 C9"
    button(page, f"Measure it here: {claim.replace(' ', ', ')}").click()
    page.wait_for_function(
        "document.querySelector('tvae-measure progress').value > 0.02"
        " && document.querySelector('tvae-measure').estimates.structure_kept"
    )
    button(page, "Stop: C7, C8, C9").click()
    button(page, "Go on: C7, C8, C9").wait_for()
    at = page.locator("tvae-measure progress").first.evaluate("progress => progress.value")
    assert 0 < at < 1 and "left" in page.locator(".tvae-progress-words").first.inner_text()
    page.wait_for_timeout(500)
    assert page.locator("tvae-measure progress").first.evaluate("progress => progress.value") == at, "it stands still"
    button(page, "Go on: C7, C8, C9").press("Enter")
    button(page, "Measured: C7, C8, C9").wait_for(timeout=120_000)
    expected = transfers.measure(vae, few.tokens, few.song)["conditions"]["bar 1"]
    found = estimates(page, claim)
    for name in STATISTICS:
        assert found[name][0] == pytest.approx(expected[name][0], abs=1e-5), name
        assert found[name][1] < found[name][0] < found[name][2]
        np.testing.assert_allclose(
            found[name][1:], expected[name][1:], rtol=0.5, atol=0.25, err_msg="another generator draws"
        )
    assert len(page.locator(".tvae-claim").all()) == 3
    recorded_run = transferred.read(ROOT / "figures" / "transfer.json")[0]["conditions"]["bar 1"]
    label = page.locator(".tvae-estimates").first.get_attribute("aria-label")
    assert (
        f"recorded {recorded_run['structure_kept'][0]:.2f}" in label
        and f"here {found['structure_kept'][0]:.2f}" in label
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_measures_what_repeats_cost_as_python_does(page, vae, few):
    button(page, "Measure it here: C4").press("Enter")
    button(page, "Measured: C4").wait_for(timeout=120_000)
    rate = codes.encode_with_rate(vae, few.tokens)[1].sum(-1)
    (repeated,) = [row for row in codes.matched(rate, few) if row["kind"] == "repeated"]
    value, low, high = estimates(page, "C4")["saving"]
    assert value == pytest.approx(repeated["saving"], abs=1e-4)
    np.testing.assert_allclose([low, high], [repeated["low"], repeated["high"]], atol=0.05)
    words = page.locator("tvae-measure[claim=C4] [role=status]").inner_text()
    assert words.startswith(f"All {len(few)} pieces: C4 {value:.2f}")


@pytest.mark.parametrize("page", ["http"], indirect=True)
def test_a_double_click_on_stop_counts_nothing_twice(page, few):
    page.evaluate(
        """() => {
            const element = document.querySelector("tvae-measure[claim=C4]");
            element.addEventListener("tvae-measured", () => (element.go.click(), element.go.click()), { once: true });
            element.go.click();
        }"""
    )
    button(page, "Measured: C4").wait_for(timeout=120_000)
    words = page.locator("tvae-measure[claim=C4] [role=status]").inner_text()
    assert words.startswith(f"All {len(few)} pieces: C4 "), "not one more"


@pytest.mark.parametrize("page", ["http"], indirect=True)
def test_two_on_a_page_load_the_model_once(page):
    loaded = []
    page.on("request", lambda request: loaded.append(request.url.split("/")[-1]))
    page.evaluate("document.querySelectorAll('tvae-measure').forEach((element) => element.go.click())")
    page.wait_for_function(
        "[...document.querySelectorAll('tvae-measure')].every((one) => one.estimates.saving"
        " || one.estimates.structure_kept)"
    )
    assert sorted(set(loaded)) == sorted(loaded) and "weights-0.js" in loaded


def test_the_steps_are_those_of_the_record(few):
    rows, order = remeasure.steps(few.tokens, few.song)
    begins = transfers.onsets(few.tokens)[:, 0].any(-1)
    chosen = transfers.couples(few.song[begins])
    host, one, other, group = np.array(rows).T
    assert (few.tokens[host] == few.tokens[begins][chosen.host]).all() and (group == chosen.group).all()
    assert (few.tokens[one] == few.tokens[begins][chosen.donors[:, 0]]).all()
    assert (few.tokens[other] == few.tokens[begins][chosen.donors[:, 1]]).all()
    assert sorted(order) == list(range(len(few)))
