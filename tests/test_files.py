"""Where files can be put is known before work is spent on them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grokviz.errors import InputError
from grokviz.files import check_writable, replacing


def refused(path: Path, *, folder: bool = False) -> str:
    """What both say of a place: the check beforehand and the writing itself."""
    with pytest.raises(InputError) as early:
        check_writable(path, folder=folder)
    with pytest.raises(InputError) as late, replacing(path, folder=folder) as part:
        part.write_bytes(b"")
    assert str(early.value) == str(late.value)
    return str(early.value)


def test_a_new_folder_is_no_fault_and_is_not_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "deeper" / "film.mp4")
    check_writable(tmp_path, folder=True)
    assert not list(tmp_path.iterdir())


def test_a_relative_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_writable("film.mp4")
    Path("file").write_bytes(b"")
    assert "a part of it is a file" in refused(Path("file/film.mp4"))


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    assert "it is a folder" in refused(tmp_path)


def test_a_file_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "a part of it is a file" in refused(tmp_path / "file" / "deeper" / "film.mp4")


def test_a_cache_that_takes_nothing_is_named_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    place = tmp_path / "file" / "films" / "kept"
    assert "choose another place" in refused(place)
    monkeypatch.setenv("GROKVIZ_CACHE", str(tmp_path / "file"))
    assert "name a folder that can be written in GROKVIZ_CACHE" in refused(place)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_must_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert "permission denied" in refused(tmp_path / "film.mp4")
    finally:
        tmp_path.chmod(0o700)


def test_nothing_is_drawn_for_a_place_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import grokviz as gv
    from grokviz.render import render

    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(render, "perform", lambda *_: pytest.fail("drawn"))
    with pytest.raises(InputError, match="a part of it is a file"):
        gv.render("embedding-waves", None, [tmp_path / "good.mp4", tmp_path / "file" / "waves.mp4"])


def test_a_name_that_no_disk_can_hold_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="longer than a name can be"):
        check_writable(tmp_path / f"{'x' * 300}.png")
    with pytest.raises(InputError, match="longer than a name can be"):
        check_writable(tmp_path / ("é" * 130) / "a.png")
    # the name of the temporary file is short even where that of the file is as long as can be
    longest = tmp_path / f"{'x' * 251}.png"
    with replacing(longest) as part:
        part.write_text("x")
    assert longest.read_text() == "x"
