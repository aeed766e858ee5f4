"""The tokens keep their promises of contrast (WCAG 2.2: 1.4.3, 1.4.6, 1.4.11), computed from the file we serve."""

from __future__ import annotations

import re

import pytest

from app.web.assets import STATIC

CSS = (STATIC / "tokens.css").read_text(encoding="utf-8")


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", block))


def block(selector: str) -> dict[str, str]:
    match = re.search(re.escape(selector) + r"\s*\{([^}]*)\}", CSS)
    assert match, f"no block {selector}"
    return tokens(match[1])


LIGHT = block(":root")
DARK = {**LIGHT, **block(':root[data-theme="dark"]')}

GROUNDS = ["paper", "sheet", "sunk"]
STATES = ["good", "warn", "bad", "calm"]
TEXT_PAIRS = (
    [(text, ground) for text in ["ink", "ink-soft", "accent", *STATES] for ground in GROUNDS]
    + [(text, f"{state}-soft") for state in STATES for text in [state, "ink"]]
    + [(f"on-{state}", f"{state}-fill") for state in STATES]
    + [("on-accent", "accent"), ("on-accent", "accent-deep"), ("bad", "bad-soft"), ("accent", "bad-soft")]
    + [("ink", f"cat-{number}") for number in range(1, 7)]
)


def luminance(colour: str) -> float:
    assert re.fullmatch(r"#[0-9a-f]{6}", colour), colour
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_can_be_read_on_its_ground(text: str, ground: str) -> None:
    assert contrast(LIGHT[text], LIGHT[ground]) >= 4.5
    # The staff screen is read in a dark bar, at arm's length, by whoever works there tonight.
    assert contrast(DARK[text], DARK[ground]) >= 7


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_edge_of_a_field_can_be_seen(ground: str) -> None:
    assert contrast(LIGHT["edge"], LIGHT[ground]) >= 3
    assert contrast(DARK["edge"], DARK[ground]) >= 3


def test_contrast_is_computed_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_dark_by_the_device_and_dark_by_choice_are_the_same() -> None:
    assert block(':root:not([data-theme="light"])') == block(':root[data-theme="dark"]')


def test_dark_redefines_every_colour() -> None:
    colours = {name for name, value in LIGHT.items() if value.startswith(("#", "0 1px"))}
    assert colours == set(block(':root[data-theme="dark"]'))


@pytest.mark.parametrize("name", ["base.css", "components.css"])
def test_styles_use_only_tokens_that_exist_and_no_colour_of_their_own(name: str) -> None:
    css = (STATIC / name).read_text(encoding="utf-8")
    known = set(LIGHT) | set(tokens(css))
    assert set(re.findall(r"var\(--([\w-]+)", css)) <= known
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", css)


def test_every_token_is_explained_in_the_docs() -> None:
    page = (STATIC.parents[2] / "docs" / "look.md").read_text(encoding="utf-8")
    families = {re.sub(r"-([1-7sml]|\dxl|xl|soft|fill)$", "", name) for name in LIGHT}
    assert sorted(name for name in families if f"--{name}" not in page) == []
