"""A real browser, and what a checker of accessibility such as axe looks at first."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"))
        try:
            yield browser
        finally:
            await browser.close()


PAIRS = [
    ["--ink", "--page"],
    ["--ink", "--surface"],
    ["--ink", "--raised"],
    ["--faint", "--surface"],
    ["--faint", "--page"],
    ["--faint", "--raised"],
    ["--accent", "--surface"],
    ["--accent", "--raised"],
    ["--surface", "--accent"],
    ["--critical", "--surface"],
    ["--critical", "--critical-back"],
    ["--warning", "--warning-back"],
    ["--accent", "--critical-back"],
    ["--faint", "--critical-back"],
    ["--surface", "--critical"],
    ["--page", "--ink"],
]
"""Colours of every page that text is set in, with what it stands on."""
CHECKS = """(pairs) => {
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  const visible = (node) => node.checkVisibility({ visibilityProperty: true });
  const name = (node) => node.className + " " + node.textContent.slice(0, 30);
  // WCAG 2.5.8: a target of at least 24 by 24, those within a sentence excepted.
  const small = [...document.querySelectorAll("button, select, input, a")].filter((node) => {
    const { width, height } = (node.closest("label") ?? node).getBoundingClientRect();
    return visible(node) && !node.matches(".place, .skip") && (width < 24 || height < 24);
  }).map(name);
  // WCAG 1.4.3: contrast of the pairs of colours that text is set in.
  const style = getComputedStyle(document.documentElement);
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const luminance = (variable) => {
    canvas.fillStyle = style.getPropertyValue(variable).trim();
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const faint = pairs.map(([ink, back]) => {
    const [low, high] = [luminance(ink), luminance(back)].sort((a, b) => a - b);
    return [ink, back, (high + 0.05) / (low + 0.05)];
  }).filter(([, , ratio]) => ratio < 4.5);
  return {
    duplicates: ids.filter((id, index) => ids.indexOf(id) !== index),
    small,
    faint,
    wide: Math.max(0, document.documentElement.scrollWidth - innerWidth),
    levels: [...document.querySelectorAll("h1, h2, h3, h4")].filter(visible).map((node) => Number(node.tagName[1])),
  };
}"""
