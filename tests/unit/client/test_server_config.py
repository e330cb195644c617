"""What a started server gets of an environment, and that every variable has a rule."""

from __future__ import annotations

import re

from gvm_client.server_config import is_scrubbed, server_environment
from tests.support.tree import ROOT

# Every variable that the code reads, and how it is whoever's it should be.
TRAVELS = {"GVM_WEIGHTS", "OCIO"}  # with each job
THE_SERVERS = {"GVM_CACHE_DIR", "GVM_CACHE_LIMIT_GB", "GVM_RUNTIME_DIR"}  # told by its status
FINDING = {  # of the server and of the user's folders
    *("GVM_SERVER", "GVM_SIDE_PYTHON", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
    *("APPDATA", "LOCALAPPDATA", "USERPROFILE", "HOME", "TMPDIR", "TEMP", "TMP"),
}
MACHINES = {"MALLOC_ARENA_MAX", "TORCHINDUCTOR_CACHE_DIR"}  # they come along
INSTALLING = {"OFX_PLUGIN_PATH", "GVM_NODE_DEFAULTS"}
HOSTS = {  # where hosts look and keep caches: `gvm doctor --hosts`, `gvm install ofx`
    *("NUKE_PATH", "NUKE_TEMP_DIR", "FUSION_PROFILE_DIR", "XDG_CACHE_HOME"),
    *("COMMONPROGRAMFILES", "PROGRAMDATA"),
}
TESTING = {f"GVM_TEST_ENGINE_{word}" for word in ("SECONDS", "LOG", "FAIL_AT", "ROOM", "LOST")}
READ = (
    r'environ(?:ment)?(?:\.get\(|\.setdefault\(|\[)\s*"([A-Z_0-9]+)"',
    r'(?:getenv|set_variable|variable|_number|xdg_folder)\(\s*"([A-Z_0-9]+)"',
    r'^_?[A-Z_]*VARIABLE\s*=\s*"([A-Z_0-9]+)"',
)


def variables_read() -> set[str]:
    """Return the names that the code asks an environment for."""
    names: set[str] = set()
    for folder in ("gvm_server", "nodes", "plugin_host/src"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".cpp", ".hpp"):
                text = path.read_text(encoding="utf-8")
                for pattern in READ:
                    names |= set(re.findall(pattern, text, re.MULTILINE))
    return names


def test_every_variable_that_is_read_has_a_rule():
    """Whoever reads a new one says here whose it is."""
    names = variables_read()
    assert names >= {"OCIO", "GVM_WEIGHTS", "GVM_CACHE_DIR", "GVM_TEST_ENGINE_LOG"}
    assert (
        names - TRAVELS - THE_SERVERS - FINDING - MACHINES - INSTALLING - HOSTS - TESTING == set()
    )


def test_a_hosts_own_variables_stay_behind():
    """Libraries, preloads, Python, windows, colour and weights."""
    for name in (
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "QT_PLUGIN_PATH"),
        *("GVM_WEIGHTS", "OCIO", "OCIO_ACTIVE_VIEWS", "PWD", "VIRTUAL_ENV", "KMP_AFFINITY"),
    ):
        assert is_scrubbed(name)
        assert server_environment({name: "x"}, {}, same_python=True) == {}
    for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"):
        assert server_environment({name: "x"}, {}, same_python=False) == {}
        assert server_environment({name: "x"}, {}, same_python=True) == {name: "x"}


def test_what_the_machine_sets_comes_along():
    """Folders, language, devices and threads are no host's."""
    kept = dict.fromkeys(("HOME", "LANG", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"), "x")
    assert server_environment(kept, {}, same_python=False) == kept


def test_what_a_studio_gives_the_server_wins():
    """No rule takes away what `server.json` names."""
    own = {"LD_LIBRARY_PATH": "/cuda/lib64"}
    assert server_environment({"LD_LIBRARY_PATH": "/host"}, own, same_python=False) == own
