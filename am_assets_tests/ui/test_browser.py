"""What a user sees and clicks in the UI, in a real Chromium at real services."""

import pytest

from am_assets_tests.services import until
from am_assets_tests.ui.browser import GRAPH, GROUPS

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RELOAD = """mutation { reloadRepositoryLocation(repositoryLocationName: "am_assets") {
    ... on WorkspaceLocationEntry { locationOrLoadError { __typename ... on PythonError { message } } } } }"""
POLICY = """{ assetNodeOrError(assetKey: {path: "dedup_policy"}) { ... on AssetNode {
    partitionKeys partitionStats { numMaterialized numFailed } } } }"""

APPLIED = POLICY.replace("dedup_policy", "sampling_policy")
WRITE = "document.querySelector('.CodeMirror').CodeMirror.setValue(arguments[0])"


def test_the_graph_page_shows_all_groups_and_the_assets_in_them(browser) -> None:
    browser.open(GRAPH)
    for words in (*GROUPS, "raw_pool", "similar_pairs", "recipe_report"):
        browser.see(words)


def test_an_asset_page_shows_its_plot_and_what_its_columns_hold(browser) -> None:
    browser.open("/assets/question_features")
    browser.see("What can be told of a question without a model")
    browser.see("ascii_share")
    browser.click("[Show Markdown]")
    plot = browser.find("img[src^='data:image/png']")
    until(lambda: plot.get_property("naturalWidth") > 100, "the plot is drawn")


def test_a_failing_check_is_seen_on_the_page_of_its_asset(browser) -> None:
    browser.open("/assets/question_labels?view=checks&checkDetail=label_parse_rate")
    browser.see("label_parse_rate")
    browser.see("Failed")
    browser.see("parse_rate")


def test_a_partition_is_materialized_by_clicks(browser) -> None:
    browser.open("/assets/dedup_policy?view=partitions")
    browser.see("Missing (1)")
    browser.click("Materialize", of="button")
    browser.click("Missing", of="button")
    browser.click("Launch", of="button")
    browser.see("Materialized (2)")


def test_a_recipe_is_applied_from_the_launchpad(browser, site) -> None:
    _, services = site
    browser.open("/locations/am_assets/jobs/apply_recipe/playground")
    browser.find(".CodeMirror")
    config = "ops: {apply: {config: {recipe: other, selection: sampling_policy}}}"
    browser.driver.execute_script(WRITE, config)
    browser.settle()  # it launches what it has validated
    browser.click("Launch Run", of="button")
    until(lambda: services.ask(APPLIED)["assetNodeOrError"]["partitionStats"]["numMaterialized"] == 2, "it was applied")


def test_the_report_of_a_recipe_opens_and_folds(browser, site) -> None:
    desk, _ = site
    browser.open((desk.folder / "assets" / "recipe_report" / "plain.html").as_uri())
    browser.see("Recipe plain")
    fold = browser.find("article details")
    text = fold.find_element("tag name", "pre")
    assert not text.is_displayed()
    fold.find_element("tag name", "summary").click()
    assert text.is_displayed()


def test_a_recipe_broken_while_the_ui_runs_is_named_there_and_nothing_else_changes(browser, site) -> None:
    desk, services = site
    whole = (desk.folder / "recipes" / "other.yaml").read_text()
    before = services.ask(POLICY)
    desk.edit("other", "dedup", treshold=0.9)
    assert services.ask(RELOAD)["reloadRepositoryLocation"]["locationOrLoadError"]["__typename"] == "RepositoryLocation"
    browser.see_after_reload("/assets/dedup_policy", "Broken, and left as last made:")
    assert "other.yaml: dedup.treshold: no such field" in browser.text()
    assert services.ask(POLICY) == before
    (desk.folder / "recipes" / "other.yaml").write_text(whole)
    services.ask(RELOAD)
    browser.see_after_reload("/assets/dedup_policy", "Description\nThe dedup section of a recipe file")
