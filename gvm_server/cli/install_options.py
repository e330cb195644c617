"""`gvm install HOST` and `gvm uninstall HOST`: a table of hosts, and their options.

Law: this is read to build the parser, so nothing is imported here; each host's module, which has
`run` and where it can be undone `undo`, is loaded when its command runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Host(NamedTuple):
    """A host that something can be installed for."""

    name: str
    about: str
    module: str
    add_options: Callable[[argparse.ArgumentParser], None]


def _ofx(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--system", action="store_true", help="into /usr/OFX/Plugins, where every host looks"
    )
    where.add_argument("--to", metavar="DIR", type=Path, help="into this folder")
    parser.add_argument(
        "--bundle", metavar="DIR", type=Path, help="a GVM.ofx.bundle that was built elsewhere"
    )


def _scripts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="DIR", type=Path, help="the host's folder of scripts")


HOSTS = (
    Host("ofx", "The OpenFX plug-in, for every OpenFX host.", "gvm_server.cli.install_ofx", _ofx),
    Host(
        "resolve",
        "Scripts for DaVinci Resolve Studio.",
        "gvm_server.cli.install_resolve",
        _scripts,
    ),
    Host("fusion", "Scripts for Fusion Studio.", "gvm_server.cli.install_fusion", _scripts),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command for each host; `run` is the function of its module."""
    hosts = parser.add_subparsers(metavar="HOST", required=True)
    for host in HOSTS:
        command = hosts.add_parser(host.name, help=host.about, description=host.about)
        host.add_options(command)
        command.set_defaults(run=f"{host.module}:run")
