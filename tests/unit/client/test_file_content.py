"""What the files hold: one declaration for the option, the farm's task, the knobs and the wire."""

from __future__ import annotations

import argparse

import pytest

from gvm_client.declaration import settings_of
from gvm_client.errors import SettingsError
from gvm_client.file_content import ALPHA, CHANNELS, FileContent, FileLayers, switches
from gvm_nodes.core.settings import MatteOptions, Page, as_options, on_page
from gvm_server.cli.farm.task_options import content_words
from gvm_server.cli.matte import options
from gvm_server.cli.matte.request import content_of
from gvm_server.media.outputs.parts import parts_of, planes_of


def parsed(*words: str) -> FileContent:
    """Return what the command line's words mean."""
    parser = argparse.ArgumentParser()
    options.add_files(parser.add_argument_group("files"))
    return content_of(parser.parse_args(words))


def test_every_channel_s_word_is_one_switch():
    """In any case, with blanks, twice; the alpha is always there."""
    assert set(CHANNELS.values()) == {
        one.name for one in settings_of(FileLayers) if isinstance(one.default, bool)
    }
    for word, name in CHANNELS.items():
        content = parsed("--channels", f" {word.upper()}, a ,{word}")
        assert content == FileContent(**{name: True})
        assert content.channels == (ALPHA, word)
    assert parsed() == FileContent() == parsed("--channels", "")
    with pytest.raises(SettingsError, match="no channel 'hair'") as caught:
        switches(["hair"])
    assert all(word in caught.value.remedy for word in CHANNELS)


@pytest.mark.parametrize("layers", ["one", "separate"])
def test_a_farm_s_task_holds_what_was_asked(layers):
    """Its words mean the same again; a default says nothing."""
    asked = FileContent(**switches(CHANNELS), layers=layers, compression="htj2k256", despill="blue")
    assert parsed(*content_words(asked)) == asked
    assert list(content_words(FileContent())) == []


def test_the_knobs_are_the_declaration_s():
    """Checkboxes and menus on a page of their own, and the request that they make."""
    names = [knob.name for knob in on_page(Page.FILES)]
    assert names == [one.name for one in settings_of(FileLayers)]
    chosen = as_options({"foreground": True, "despill": "green"})
    assert chosen.content == FileContent(foreground=True, despill="green")
    assert MatteOptions().content == FileContent()
    with pytest.raises(SettingsError, match="green"):
        as_options({"despill": "red"})


def test_each_choice_is_another_file():
    """Two contents whose files differ have other recipes; a layer's own file has its own."""
    contents = [
        FileContent(),
        *(FileContent(**{name: True}) for name in CHANNELS.values()),
        *(FileContent(foreground=True, despill=word) for word in ("green", "blue")),
        *(FileContent(compression=word) for word in ("zip", "piz", "htj2k256")),
        FileContent(matte_raw=True, foreground=True),
    ]
    recipes = [part.recipe for content in contents for part in parts_of(content)]
    assert len(set(recipes)) == len(recipes)
    assert recipes[0] == ""
    assert not any("none" in recipe or "zips" in recipe for recipe in recipes)
    whole = FileContent(**switches(CHANNELS), layers="separate")
    parts = parts_of(whole)
    assert [part.suffix for part in parts] == [
        *("", "matte_raw", "matte_edge", "matte_core", "fg", "rgba")
    ]
    assert len({part.recipe for part in parts}) == len(parts)
    assert parts[0].recipe == ""  # the very file that is made without layers
    assert planes_of(whole) == 1 + 3 + 3 + 4


def test_despill_and_compression_change_only_the_files_that_they_change():
    """A raw matte is not written anew for a despill."""
    before, after = (
        parts_of(FileContent(matte_raw=True, foreground=True, layers="separate", despill=word))
        for word in ("none", "green")
    )
    changed = [one.suffix for one, other in zip(before, after, strict=True) if one != other]
    assert changed == ["fg"]
