"""The report's page, as a browser shows it."""

import csv
import math
from dataclasses import replace

import pandas as pd
import pytest

from mtl_bench.analysis.conclusions import sentence
from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.analysis.evaluation.scoring import EvaluationSettings
from mtl_bench.analysis.section import Section, SectionTable
from mtl_bench.analysis.study import Study
from mtl_bench.paper.published_runs import published_measurements
from mtl_bench.report.page import Origin, write_report
from tests.unit.analysis.tables import CURVE, DATA, paper_table


def test_it_is_one_small_page_with_its_figures_as_files(published):
    page = published / "index.html"
    assert page.stat().st_size < 3_000_000
    names = {"heatmap", "comparison", "coefficients"} | {f"curves_{t}" for t in ("ccg", "str")}
    for name in names:
        for kind in ("svg", "png", "csv"):
            assert (published / "figures" / f"{name}.{kind}").stat().st_size > 100
    with (published / "figures" / "heatmap.csv").open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 90


@pytest.mark.parametrize("width", [360, 800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads_quietly_and_fits(visit, published, width, scheme):
    page = visit(published / "index.html", width, color_scheme=scheme)
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    clipped = """[...document.querySelectorAll('h1,h2,h3,p,dd,dt,summary')]
        .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0).map(e => e.textContent)"""
    assert page.evaluate(clipped) == []


def test_a_cell_opens_the_curves_of_its_pair(visit, published):
    page = visit(published / "index.html")
    page.locator('#heat a[data-main="mwe"][data-aux="chu"]').click()
    dialog = page.locator("dialog[open]")
    assert "mwe with chu: +19.6 %, +8.5 points" in dialog.locator("h2").inner_text()
    assert dialog.locator("path").count() == 2
    assert "with chu" in dialog.locator("svg").inner_html()
    dialog.locator("svg").hover(position={"x": 300, "y": 100})
    assert "of the budget: alone" in dialog.locator("p").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.problems == []


def test_it_works_with_the_keyboard_alone(visit, published):
    page = visit(published / "index.html")
    page.locator('#heat a[data-main="ccg"][data-aux="chu"]').focus()
    page.keyboard.press("Enter")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Enter")  # on Close, which has the focus
    assert page.locator("dialog[open]").count() == 0
    page.locator('#heat th[scope=row][data-task="mwe"] button').focus()
    page.keyboard.press("Enter")
    order = page.locator("#heat thead th").evaluate_all("all => all.map(e => e.dataset.task)")
    assert order[:3] == ["chu", "ccg", "sem"]
    cells = page.locator('#heat tr[data-task="mwe"] td a').evaluate_all(
        "all => all.map(e => e.dataset.aux)"
    )
    assert cells == [task for task in order if task != "mwe"]
    page.keyboard.press("Enter")  # again: by name
    order = page.locator("#heat thead th").evaluate_all("all => all.map(e => e.dataset.task)")
    assert order == sorted(order)


def test_rows_are_sorted_by_whom_an_auxiliary_helps(visit, published):
    page = visit(published / "index.html")
    page.locator('#heat th[scope=col][data-task="chu"] button').click()
    rows = page.locator("#heat tbody tr").evaluate_all("all => all.map(e => e.dataset.task)")
    assert rows[0] == "mwe"
    assert rows[-1] == "chu"


def test_without_a_script_it_can_be_read(visit, published):
    page = visit(published / "index.html", java_script_enabled=False)
    page.locator('#heat a[data-main="mwe"][data-aux="chu"]').click()
    assert page.url.endswith("#main-mwe")
    assert page.locator("#main-mwe svg").count() == 1
    assert "chu helps most: +19.6 %" in page.locator("#main-mwe").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_the_way(visit, published, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(published / "index.html", color_scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach(e => e.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_it_prints(visit, published, tmp_path):
    page = visit(published / "index.html")
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert (tmp_path / "page.pdf").stat().st_size > 50_000


HOSTILE = "<script>alert(1)</script>"


SETTINGS = EvaluationSettings({}, {})


def hostile_study():
    """Return the paper's study with a task that has a bad name."""
    measurements, table = published_measurements(), paper_table()
    values = measurements.values.replace("chu", HOSTILE)
    values["tasks"] = [
        "+".join(sorted(HOSTILE if task == "chu" else task for task in tasks.split("+")))
        for tasks in values["tasks"]
    ]

    def name(task):
        return HOSTILE if task == "chu" else task

    measurements = replace(
        measurements,
        values=values,
        metrics={name(task): metric for task, metric in measurements.metrics.items()},
        all_gains=[replace(g, main=name(g.main), aux=name(g.aux)) for g in measurements.gains],
        missing=["<b>bold</b>: failed with $x_1^2$ </script><img src=x onerror=alert(2)>"],
    )
    features = {task: dict.fromkeys((*DATA, *CURVE), 0.0) for task in table.main}
    return Study(measurements, SETTINGS, features, table, no_prediction="too few")


def test_bad_names_are_text(visit, tmp_path):
    table = SectionTable("t", HOSTILE, pd.DataFrame({HOSTILE: [HOSTILE]}))
    section = Section("own", HOSTILE, HOSTILE, [table])
    origin = Origin({"task": HOSTILE}, f"title: {HOSTILE}")
    file = write_report(hostile_study(), [section], origin, tmp_path)
    page = visit(file)
    assert page.problems == []
    assert page.locator("img").count() == 0
    assert page.locator("#heat tbody th button").first.inner_text() == HOSTILE
    page.locator("#heat td a").first.click()
    assert HOSTILE in page.locator("dialog h2").inner_text()
    assert page.locator("dialog script").count() == 0
    assert all(HOSTILE not in f.name for f in (tmp_path / "figures").iterdir())


def test_intervals_beside_long_names_are_drawn_in_full(visit, tmp_path):
    long = "a_task_with_a_long_name"
    gains = [
        replace(g, aux=long if g.aux == "hyp" else g.aux) for g in published_measurements().gains
    ]
    page = visit(write_report(without_pairs(*gains), [], Origin({}), tmp_path))
    assert long in page.locator("#main-mwe .ranked").inner_text()
    cut = """[...document.querySelectorAll('.scroll:has(.ranked)')]
        .filter(e => e.scrollWidth > e.clientWidth).length"""
    for width in (720, 1000, 1200, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(cut) == 0, width


def of_mwe(*gains):
    """Measurements with some gains of mwe, and one over 0."""
    measurements = published_measurements()
    zero = replace(
        measurements.gains[0], main="zero", aux="chu", gain_percent=math.nan, points=12.04
    )
    return replace(measurements, all_gains=[*gains, zero])


def gain_of(main, aux):
    [gain] = [g for g in published_measurements().gains if (g.main, g.aux) == (main, aux)]
    return gain


def test_the_sentence_says_what_is_sure():
    best, worst = gain_of("mwe", "chu"), gain_of("mwe", "key")
    assert sentence(of_mwe(best, worst), "mwe").startswith(
        "chu helps most: +19.6 %, +8.5 points. Clear gains: 1 of 2"
    )
    assert sentence(of_mwe(worst), "mwe").startswith("No gain is above 0; key costs least (-5.8 %")
    unknown = replace(best, effect="not known", low=None, high=None, error=None)
    assert sentence(of_mwe(unknown), "mwe") == "chu helps most: +19.6 %, +8.5 points."
    unsure = replace(best, effect="undecided")
    assert "undecided" in sentence(of_mwe(unsure, worst), "mwe")
    nothing = replace(best, gain_percent=0.0, effect="undecided")
    assert sentence(of_mwe(nothing), "mwe").startswith("No auxiliary changes it for the better.")
    assert "chu adds most, +12.0 points" in sentence(of_mwe(), "zero")
    sets = of_mwe(replace(best, aux="chu+pos"))
    assert sentence(sets, "mwe").startswith("chu+pos helps most: +19.6 %")


def without_pairs(*gains):
    """The paper's study with other gains than those of pairs."""
    measurements = replace(published_measurements(), all_gains=gains)
    return Study(measurements, SETTINGS, {}, paper_table(), no_prediction="no pairs")


@pytest.mark.parametrize("width", [390, 1400])
def test_a_page_of_sets_and_of_single_runs_alone(visit, tmp_path, width):
    sets = replace(gain_of("mwe", "chu"), aux="chu+pos")
    undefined = replace(gain_of("pos", "chu"), gain_percent=math.nan, points=3.0)
    study = without_pairs(sets, undefined)
    page = visit(write_report(study, [], Origin({}), tmp_path / "sets"), width)
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    card = page.locator(".card").first.inner_text()
    assert "chu+pos helps most: +19.6 %" in card
    assert "chu+pos +19.6 % (+8.5)" in card
    assert "Alone it scores 0" in page.locator("#main-pos").inner_text()
    assert page.locator('nav a[href="#mains"]').count() == 1
    page = visit(write_report(without_pairs(), [], Origin({}), tmp_path / "singles"), width)
    assert page.problems == []
    assert "no pairs" in page.locator("#answers").inner_text()
    assert page.locator('nav a[href="#mains"]').count() == 0


def test_a_metric_that_is_no_share_is_shown_as_it_is(visit, tmp_path):
    error = StudiedMetric("error", "mean error", higher_is_better=False, is_share=False)
    measurements = published_measurements()
    values = measurements.values.replace("f1", "error")
    measurements = replace(
        measurements, values=values, metrics=dict.fromkeys(measurements.metrics, error)
    )
    study = Study(measurements, SETTINGS, {}, paper_table(), no_prediction="too few")
    page = visit(write_report(study, [], Origin({}), tmp_path))
    assert "Alone its mean error is 0.4327." in page.locator("#main-mwe").inner_text()
    page.locator('#heat a[data-main="mwe"][data-aux="chu"]').click()
    assert "mean error of mwe" in page.locator("dialog svg").inner_html()
    assert page.problems == []
