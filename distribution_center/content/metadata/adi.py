"""CableLabs VOD Metadata 1.1: an `ADI` document (MD-SP-VOD-CONTENT1.1).

ADI > Metadata > AMS, App_Data        the package
ADI > Asset > Metadata > ...          the title
ADI > Asset > Asset > ..., Content    its film, preview, poster
"""

from collections.abc import Iterator

from distribution_center.content.metadata.understanding import Fact, RawAsset, Vocabulary
from distribution_center.content.metadata.xml_document import Element

ROOT = "ADI"
VOCABULARY: Vocabulary = {
    Fact.TITLE: ("Title", "Title_Brief", "Asset_Name"),
    Fact.SUMMARY: ("Summary_Long", "Summary_Medium", "Summary_Short"),
    Fact.RATING: ("Rating",),
    Fact.YEAR: ("Year",),
    Fact.GENRE: ("Genre",),
    Fact.LANGUAGE: ("Languages",),
    Fact.RUN_TIME: ("Run_Time",),
    Fact.DISPLAYED_RUN_TIME: ("Display_Run_Time",),
    Fact.WINDOW_BEGINS: ("Licensing_Window_Start",),
    Fact.WINDOW_ENDS: ("Licensing_Window_End",),
    Fact.FILE: ("Content",),
    Fact.LENGTH: ("Content_FileSize",),
    Fact.DIGEST: ("Content_CheckSum",),
}
_CLASSES = {"box cover": "boxcover"}


def assets(root: Element) -> Iterator[RawAsset]:
    """The package, its title, and what belongs to them, in the document's order."""
    yield _asset(root, "package")
    for child in root.all("Asset"):
        yield from _assets(child)


def _assets(element: Element) -> Iterator[RawAsset]:
    yield _asset(element, "")
    for child in element.all("Asset"):
        yield from _assets(child)


def _asset(element: Element, kind: str) -> RawAsset:
    metadata = [part for block in element.all("Metadata") for part in block.children]
    descriptions = [part for part in metadata if part.name == "AMS"]
    said = next((part.attribute("Asset_Class") for part in descriptions), None) or kind
    kind = _CLASSES.get(said.lower(), said.lower())
    identity = next((f"{part.attribute('Provider_ID')}/{part.attribute('Asset_ID')}" for part in descriptions), "")
    asset = RawAsset(kind, identity, element.line)
    for part in metadata:
        if part.name == "App_Data":
            asset.add(part.attribute("Name") or "", part.attribute("Value") or "", part.line)
        else:
            _keep(asset, part, "" if part.name == "AMS" else part.name)
    for part in element.children:
        if part.name == "Content":
            asset.add("Content", part.attribute("Value") or part.text, part.line)
        elif part.name not in {"Metadata", "Asset"}:
            _keep(asset, part, part.name)
    return asset


def _keep(asset: RawAsset, element: Element, path: str) -> None:
    """Keep what the form does not know, too."""
    for name, value in element.attributes:
        asset.add(f"{path}@{name}" if path else name, value, element.line)
    if element.text:
        asset.add(path, element.text, element.line)
    for child in element.children:
        _keep(asset, child, f"{path}/{child.name}" if path else child.name)
