"""Which engines there are: one member each, with all that is known of it outside the server.

The command line, the protocol, farms' words, the nodes' panels and the OpenFX node's parameter are
made of the members. On the server an engine is the module of its name in
`gvm_server.matting.engines`, whose `ENTRY` the registry looks up. A new one is appended: OpenFX
projects store its place. tests/unit/client/test_engines.py adds one to a copy and finds it in each.
"""

from __future__ import annotations

from enum import Enum


class EngineName(str, Enum):
    """The engines that a request may name.

    Attributes:
        label: what stands in a panel.
        help: one line without a full stop; "" leaves the engine out of the command line's help.
        reach: frames on each side of a window that the engine looks at besides; of `auto`, the most
            of any that it may become.
        windowed: whether a frame's alpha depends on the window that it was made in, so that mattes
            may have seams.
    """

    label: str
    help: str
    reach: int
    windowed: bool

    def __new__(  # noqa: PYI034
        cls,
        word: str,
        label: str = "",
        help: str = "",  # noqa: A002
        reach: int = 0,
        windowed: bool = True,  # noqa: FBT001, FBT002
    ) -> EngineName:
        """Make a member; a look-up by its word alone does not come here."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.label, member.help, member.reach = label, help, reach
        member.windowed = windowed
        return member

    AUTO = "auto", "Automatic", "gvm where its weights are, else preview", 2
    GVM = "gvm", "GVM", "the model for hair and soft edges, made for a GPU"
    PREVIEW = "preview", "Preview", "people's core or garbage matte, on any machine", 2, False
    TEST = "test", "Test Pattern"  # arithmetic: its mattes mean nothing


def named_engines() -> tuple[EngineName, ...]:
    """Return the engines that an artist may name: all but `auto` and the test engine."""
    return tuple(engine for engine in EngineName if engine.help and engine is not EngineName.AUTO)
