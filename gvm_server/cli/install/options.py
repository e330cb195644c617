"""`gvm install HOST` and `gvm uninstall HOST`: a table of hosts, and their options.

This is read to build the parser, so little is imported here; each host's module, which has
`run` and `undo`, is loaded when its command runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from gvm_client.folders import expanded


class InstallTarget(NamedTuple):
    """A host that something can be installed for; `place` is a module or an object of it.

    It has the functions `run` and `undo`.
    """

    name: str
    about: str
    place: str
    add_options: Callable[[argparse.ArgumentParser], None]
    add_undo_options: Callable[[argparse.ArgumentParser], None]

    def function(self, name: str) -> str:
        """Return where one of its functions is, as `gvm_server.cli.main` loads it."""
        return f"{self.place}{'.' if ':' in self.place else ':'}{name}"


def _where_ofx(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--system", action="store_true", help="in the system's folder, where every host looks"
    )
    where.add_argument("--to", metavar="DIR", type=expanded, help="in this folder")


def _ofx(parser: argparse.ArgumentParser) -> None:
    _where_ofx(parser)
    parser.add_argument(
        "--bundle", metavar="DIR", type=expanded, help="a GVM.ofx.bundle that was built elsewhere"
    )


def _scripts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="DIR", type=expanded, help="the host's folder of scripts")


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to", metavar="DIR", type=expanded, help="where it was installed, if it was said"
    )


def _nuke(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--nuke-python",
        metavar="X.Y",
        help="for one Nuke's Python only: 3.10 in Nuke 15, 3.11 in Nuke 16 (all from 3.10 on)",
    )
    parser.add_argument(
        "--to", metavar="DIR", type=expanded, help="a folder of NUKE_PATH (~/.nuke)"
    )


HOSTS = (
    InstallTarget(
        "ofx",
        "The OpenFX plug-in, for every OpenFX host.",
        "gvm_server.cli.install.ofx",
        _ofx,
        _where_ofx,
    ),
    InstallTarget(
        "nuke", "The node of Nuke 15 and later.", "gvm_server.cli.install.nuke", _nuke, _where
    ),
    InstallTarget(
        "resolve",
        "Scripts for DaVinci Resolve Studio.",
        "gvm_server.cli.install.script_hosts:RESOLVE",
        _scripts,
        _where,
    ),
    InstallTarget(
        "fusion",
        "Scripts for Fusion Studio.",
        "gvm_server.cli.install.script_hosts:FUSION",
        _scripts,
        _where,
    ),
    InstallTarget(
        "natron",
        "The group of Natron, for plates that are Reads.",
        "gvm_server.cli.install.script_hosts:NATRON",
        _scripts,
        _where,
    ),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command for each host, which runs its `run`."""
    hosts = parser.add_subparsers(metavar="HOST", required=True)
    for host in HOSTS:
        command = hosts.add_parser(host.name, help=host.about, description=host.about)
        host.add_options(command)
        command.set_defaults(run=host.function("run"))


def add_undo_options(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command for each host, which runs its `undo`."""
    hosts = parser.add_subparsers(metavar="HOST", required=True)
    for host in HOSTS:
        command = hosts.add_parser(host.name, help=host.about, description=host.about)
        host.add_undo_options(command)
        command.set_defaults(run=host.function("undo"))
