"""The paper that most scenes redraw, as their captions end with it."""

THREAD = "After the thread on Nanda et al. (2023), arXiv:2301.05217."
NOTEBOOK = "After the notebook of Nanda et al. (2023), arXiv:2301.05217."


def after(part: str = "") -> str:
    """A caption's last sentence: after the paper, or after a section or figure of it."""
    return f"After Nanda et al. (2023), arXiv:2301.05217{', ' if part else ''}{part}."
