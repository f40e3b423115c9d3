"""The front panel of a network, served by its environment from when somebody wants it until the network ends."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from chassis_emulator.network.control import OpenPanel, PanelAt
from chassis_emulator.panel.model import PanelSource
from chassis_emulator.panel.server import serve_panel
from media_network.address import Address
from media_network.refusal import Reason, Refused


class FrontPanel:
    """Closed at first."""

    def __init__(self, address: Address, source: PanelSource) -> None:
        self._address = address
        self._source = source
        self._open = AsyncExitStack()
        self._control: bool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def open(self, order: OpenPanel) -> PanelAt | Refused:
        """Serve it, with orders taken or without."""
        if order.control is not self._control:
            await self._open.aclose()
            self._control = None
            serving = serve_panel(self._address, self._source, control=order.control)
            try:
                await self._open.enter_async_context(serving)
            except OSError as error:
                return Refused(Reason.UNABLE, f"the panel cannot listen at {self._address}: {error.strerror}")
            self._control = order.control
        return PanelAt(f"http://{self._address}/")
