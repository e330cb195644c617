"""`gvm install HOST` and `gvm uninstall HOST`: one module a host, `install_<host>`.

Law: these modules are imported to build the parser, so they import the standard library and the
light client only; what is heavy is imported when the command runs.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple, Protocol, cast

from gvm_server.cli import install_ofx


class Installer(Protocol):
    """What a host's module has."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `gvm install HOST`."""

    def run(self, parsed: argparse.Namespace) -> int:
        """Install, and say what is left to do."""


class Host(NamedTuple):
    """A host that something can be installed for."""

    name: str
    about: str
    module: Installer


HOSTS = (Host("ofx", "The OpenFX plug-in, for every OpenFX host.", cast("Installer", install_ofx)),)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command for each host."""
    hosts = parser.add_subparsers(metavar="HOST", required=True, dest="host")
    for host in HOSTS:
        command = hosts.add_parser(host.name, help=host.about, description=host.about)
        host.module.add_options(command)


def run(parsed: argparse.Namespace) -> int:
    """Install for the host that was named."""
    (host,) = (host for host in HOSTS if host.name == parsed.host)
    return host.module.run(parsed)
