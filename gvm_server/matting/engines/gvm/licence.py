"""The terms that somebody accepts before the first byte of the weights, in our words."""

from __future__ import annotations

CONTACT = "chhshen@gmail.com"


def terms(repo: str, declared: str) -> str:
    """Return the terms to show.

    Args:
        repo: the repository of the weights.
        declared: the licence that the repository declares; "" where it declares none.
    """
    says = f"declares the licence {declared!r}" if declared else "declares no licence"
    return f"""\
The weights of GVM (Generative Video Matting) are not part of this program.

- The authors give GVM for academic use under BSD-2-Clause. Commercial use needs
  an agreement with them: {CONTACT}.
- The weights are made from Stable Video Diffusion, whose own licence by
  Stability AI also holds for them.
- Their repository, {repo}, {says}.

Read both licences; whether your use is allowed is yours to judge."""
