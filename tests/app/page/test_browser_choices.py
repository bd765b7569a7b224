"""The choices as a person meets them: three cards that fit the window, own files, and a line where others are shown."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from ase.build import bulk
from ase.io import write
from browser import (
    LOADING_MS,
    choose,
    choose_crystal,
    choose_functional,
    open_card,
    press,
    start,
    unfold,
    upload,
    visit,
    wait_until_done,
    wait_until_drawn,
)
from mlxc_app.choose.labels import LABELS

from mlxc.pseudo.pseudodojo import pseudodojo_content
from mlxc.utils.assets import asset_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

COLUMN_PX = 700
NICKEL, SILICON = "Nickel (fcc)", "Silicon (diamond structure)"
# The line itself has no height, so that nothing below it moves.
LINE = ".mlxc-shown-and-chosen .widget-html-content > div"


@pytest.fixture(scope="module", autouse=True)
def house_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The server has a folder of pseudopotentials of its own, in which there is aluminium."""
    folder = tmp_path_factory.mktemp("server") / "house-set"
    folder.mkdir()
    content = pseudodojo_content("pseudodojo-pbe", "Al").replace(b"</UPF>", b"<!-- our own --></UPF>")
    (folder / "Al.upf").write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLXC_PSEUDO_DIR", str(folder))
        yield folder


def line_of(page: Page, card: str) -> Locator:
    """What a card says in its one line."""
    return page.locator(f".mlxc-choice-{card.lower().replace(' ', '-')} .mlxc-choice-line")


def wait_for_choice(page: Page, words: str) -> None:
    page.locator(".mlxc-chosen", has_text=words).wait_for(timeout=LOADING_MS)


def chosen_family(page: Page) -> str:
    chosen = page.get_by_label("Pseudopotentials", exact=True).locator("option:checked").inner_text()
    # The list writes its blanks as such that do not break.
    return str(chosen).replace("\xa0", " ")


def groups(page: Page, label: str) -> list[str]:
    headings: list[str] = page.get_by_label(label, exact=True).evaluate(
        "list => Array.from(list.querySelectorAll('optgroup')).map(group => group.label)"
    )
    return headings


def test_what_is_chosen_is_read_in_three_lines_and_fits_the_window_with_whichever_card_open(page: Page) -> None:
    def height() -> int:
        page.wait_for_timeout(300)
        return int(page.evaluate("document.querySelector('.mlxc-left').scrollHeight"))

    for card, words in (("Crystal", "Aluminium (fcc)"), ("Model", "pbe"), ("How fine", "20 Ha, k mesh 8×8×8")):
        line = line_of(page, card)
        assert words in line.inner_text()
        assert line.bounding_box()["height"] < 40
    assert page.locator(".mlxc-choice.mlxc-opened").count() == 0
    heights = {"closed": height()}
    for crystal in ("Aluminium (fcc)", NICKEL):
        choose_crystal(page, crystal)
        heights[f"list, {crystal}"] = height()
        for drawer in ("Edit the cell", "Paste a text"):
            unfold(page, drawer)
            heights[f"{drawer}, {crystal}"] = height()
        for card in ("Model", "How fine"):
            open_card(page, card)
            page.wait_for_function("document.querySelectorAll('.mlxc-choice.mlxc-opened').length == 1")
            heights[f"{card}, {crystal}"] = height()
    assert {where: pixels for where, pixels in heights.items() if pixels > COLUMN_PX} == {}


def test_all_settings_stand_in_two_columns(page: Page) -> None:
    open_card(page, "How fine")
    lefts = {
        round(page.get_by_label(label, exact=True).bounding_box()["x"])
        for label in ("Basis", "Cutoff (Ha)", "k spacing (1/Å)", "Smearing", "Smearing width (Ha)", LABELS["tolerance"])
    }
    assert len(lefts) == 2


def test_functionals_are_grouped_by_what_a_person_may_look_for(page: Page) -> None:
    open_card(page, "Model")
    assert groups(page, "XC functional")[:3] == ["Textbook", "Trainable", "Networks"]
    choose_functional(page, "pbe-kappa-mu")
    line_of(page, "Model").get_by_text("kappa", exact=False).first.wait_for(timeout=LOADING_MS)
    choose_functional(page, "pbe")


def test_own_files_stand_on_top_also_the_same_file_twice_and_no_filter_hides_what_is_chosen(
    page: Page, tmp_path: Path
) -> None:
    own = tmp_path / "rocksalt.vasp"
    write(own, bulk("NaCl", "rocksalt", a=5.64), format="vasp")
    upload(page, "Crystal", own)
    wait_for_choice(page, "NaCl from rocksalt.vasp")
    assert groups(page, "Crystal")[0] == "Your own"
    choose_crystal(page, SILICON)
    upload(page, "Crystal", own)
    wait_for_choice(page, "NaCl from rocksalt.vasp")
    names = page.get_by_label("Crystal", exact=True).locator("option")
    assert names.all_inner_texts().count("NaCl from rocksalt.vasp") == 1
    page.get_by_label("Search", exact=True).fill("graph")
    page.wait_for_function("document.querySelectorAll('.mlxc-choice-crystal option').length == 2")
    assert names.all_inner_texts() == ["NaCl from rocksalt.vasp", "Graphene"]
    assert names.first.evaluate("option => option.selected")
    page.get_by_label("Search", exact=True).fill("")
    page.locator(".mlxc-choice-crystal").get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_function("!document.querySelector('.mlxc-choice-crystal optgroup[label=\"Your own\"]')")
    wait_for_choice(page, "NaCl from rocksalt.vasp")


def test_a_damaged_checkpoint_is_refused_when_it_comes_and_a_sound_one_can_be_deleted(
    page: Page, tmp_path: Path
) -> None:
    content = (asset_path("checkpoints") / "pbe-proxy.safetensors").read_bytes()
    for name, bad in (
        ("short", content[:-100]),
        ("nan", content[:-8] + b"\xff" * 8),
        ("altered", content[:-8] + bytes(8)),
    ):
        file = tmp_path / f"{name}.safetensors"
        file.write_bytes(bad)
        upload(page, "Model", file)
        card = page.locator(".mlxc-messages .mlxc-error", has_text=file.name)
        card.wait_for(timeout=LOADING_MS)
        assert "/" not in card.inner_text().replace("NaN/Inf", "")
    assert "Mine" not in groups(page, "XC functional")
    sound = tmp_path / "my own.safetensors"
    sound.write_bytes(content)
    upload(page, "Model", sound)
    wait_for_choice(page, "my-own")
    assert groups(page, "XC functional")[-1] == "Mine"
    page.locator(".mlxc-choice-model").get_by_role("button", name="Delete", exact=True).click()
    page.locator(".mlxc-messages", has_text="my-own is deleted; pbe is chosen").wait_for(timeout=LOADING_MS)
    assert "Mine" not in groups(page, "XC functional")


def test_where_the_form_differs_from_what_is_shown_one_line_says_so_and_nothing_moves(page: Page) -> None:
    choose(page, SILICON, 6, 2)
    start(page, "Run")
    done = wait_until_done(page)
    page.locator(LINE).wait_for(state="hidden")
    plot = page.locator(".mlxc-panel-convergence .js-plotly-plot").first
    before = plot.bounding_box()
    choose_crystal(page, "Aluminium (fcc)")
    page.locator(LINE, has_text=f"shown: {SILICON}; chosen: Aluminium (fcc)").wait_for(timeout=LOADING_MS)
    assert plot.bounding_box() == before
    assert page.locator(".mlxc-messages").inner_text() == done
    page.locator(".mlxc-shown-and-chosen").get_by_role("button", name="Use these settings").click()
    wait_for_choice(page, f"{SILICON}, pbe, 6 Ha, k mesh 2×2×2")
    page.locator(LINE).wait_for(state="hidden")


def test_a_link_works_where_the_server_has_pseudopotentials_of_its_own(
    page: Page, house_set: Path, chromium: Browser, console: list[str], requests: list[str]
) -> None:
    choose(page, "Aluminium (fcc)", 8, 2)
    assert chosen_family(page) == "the folder house-set"
    start(page, "Run")
    page.wait_for_selector(".mlxc-take-away a", state="attached", timeout=LOADING_MS)
    link = page.locator(".mlxc-take-away a").evaluate("link => link.href")
    (setup,) = parse_qs(urlsplit(link).query)["setup"]
    assert str(house_set) not in zlib.decompress(urlsafe_b64decode(setup + "==")).decode()
    other = visit(chromium, link, console, requests)
    wait_for_choice(other, "Aluminium (fcc), pbe, 8 Ha, k mesh 2×2×2")
    open_card(other, "How fine")
    assert chosen_family(other) == "the folder house-set"
    assert other.locator(".mlxc-messages .mlxc-error").count() == 0
    other.context.close()


def test_a_run_that_is_opened_fills_the_form_and_so_does_any_run_that_is_asked_to(page: Page) -> None:
    choose(page, "Aluminium (fcc)", 7, 2)
    start(page, "Run equation of state")
    wait_until_done(page, "Aluminium")
    press(page, "Runs")
    row = page.locator(".mlxc-runs-table tr", has_text="Silicon").first
    row.get_by_role("button", name="Open").click()
    wait_for_choice(page, f"{SILICON}, pbe, 6 Ha, k mesh 2×2×2")
    press(page, "Runs")
    row = page.locator(".mlxc-runs-table tr", has_text="Aluminium").first
    row.get_by_role("button", name="Use these settings").click()
    wait_for_choice(page, "Aluminium (fcc), pbe, 7 Ha, k mesh 2×2×2")
    press(page, "Convergence")
    page.locator(LINE, has_text=f"shown: {SILICON}; chosen: Aluminium (fcc)").wait_for(timeout=LOADING_MS)


def test_the_console_reports_no_error(page: Page, console: list[str]) -> None:
    assert not [line for line in console if "is not registered" in line or line.startswith("error")]


def test_a_page_that_is_loaded_again_shows_the_same_run_with_its_settings(page: Page) -> None:
    page.reload(wait_until="commit")
    wait_until_drawn(page)
    page.wait_for_selector("h3:has-text('Silicon')", timeout=LOADING_MS)
    wait_for_choice(page, f"{SILICON}, pbe, 6 Ha, k mesh 2×2×2")
    page.locator(LINE).wait_for(state="hidden")
