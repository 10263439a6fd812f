"""Network: what the lines and stations are, all of them or one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cta.commands.network_answer import answer_for
from cta.model.errors import at
from cta.network.load import chicago
from cta.network.network import Network

if TYPE_CHECKING:
    from rich.console import Console


def network_command(name: str | None, as_json: bool, console: Console, network: Network | None = None) -> None:
    """Print the network, or the line or station called ``name``, as tables or as one line of JSON.

    Raises NetworkError with the nearest names where ``name`` is neither, or several stations bear it.
    """
    network = chicago() if network is None else network
    with at("NAME"):
        answer = answer_for(network, name)
    if as_json:
        console.out(msgspec.json.encode(answer).decode(), highlight=False)
        return
    from cta.commands.network_tables import tables

    for table in tables(network, answer):
        console.print(table)
