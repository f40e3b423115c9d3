"""ANSI/SCTE 236, CableLabs Content 3.0: an `ADI3` document, whose assets say by type or name what they are.

ADI3 > Asset xsi:type="content:MovieType"       or    ADI3 > Movie
"""

from collections.abc import Iterator

from distribution_center.content.metadata.understanding import Fact, RawAsset, Vocabulary
from distribution_center.content.metadata.xml_document import Element

ROOT = "ADI3"
VOCABULARY: Vocabulary = {
    Fact.TITLE: ("LocalizableTitle/TitleLong", "LocalizableTitle/TitleMedium", "LocalizableTitle/TitleBrief"),
    Fact.SUMMARY: (
        "LocalizableTitle/SummaryLong",
        "LocalizableTitle/SummaryMedium",
        "LocalizableTitle/SummaryShort",
    ),
    Fact.RATING: ("Rating",),
    Fact.YEAR: ("Year",),
    Fact.GENRE: ("Genre",),
    Fact.LANGUAGE: ("Language",),
    Fact.RUN_TIME: ("Duration",),
    Fact.DISPLAYED_RUN_TIME: ("DisplayRunTime",),
    Fact.WINDOW_BEGINS: ("@startDateTime",),
    Fact.WINDOW_ENDS: ("@endDateTime",),
    Fact.FILE: ("SourceUrl",),
    Fact.LENGTH: ("ContentFileSize",),
    Fact.DIGEST: ("ContentCheckSum",),
}


def assets(root: Element) -> Iterator[RawAsset]:
    """Its assets, in the document's order."""
    package = RawAsset("package", line=root.line)
    for name, value in root.attributes:
        package.add(f"@{name}", value, root.line)
    yield package
    for element in root.children:
        kind = (element.attribute("type") or element.name).rpartition(":")[2]
        asset = RawAsset(kind.removesuffix("Type").lower(), element.attribute("uriId") or "", element.line)
        _keep(asset, element, "")
        yield asset


def _keep(asset: RawAsset, element: Element, path: str) -> None:
    """Keep every value under its path; what an extension says in `App_Data` under the name that it says."""
    names = dict(element.attributes)
    if element.name == "App_Data":
        name, value = (names.get(key) or names.get(key.capitalize(), "") for key in ("name", "value"))
        asset.add(name, value, element.line)
        return
    for name, value in element.attributes:
        asset.add(f"{path}@{name}", value, element.line)
    if element.text:
        asset.add(path, element.text, element.line)
    for child in element.children:
        _keep(asset, child, f"{path}/{child.name}" if path else child.name)
