"""Which number in a file's name is its step, and which files are of one run."""

from __future__ import annotations

import pytest

from grokviz.importers.reading.steps import members_of, read_steps, step_in_name


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("step_100.pth", 100), ("model_v2_step-000050.safetensors", 50), ("iter_7.pt", 7),
        ("epoch=3-step=1000.ckpt", 1000), ("val_loss=0.12-epoch=3.ckpt", 3), ("100.pth", 100),
        ("globalStep12.pt", 12), ("checkpoint-500", 500), ("checkpoint_7.pt", 7),
        ("step_10k.pth", 10_000), ("step_143000/model.safetensors", 143_000),
        ("bf16.pth", None), ("mod_addition_p113.pth", None), ("p99zdpze5l.pt", None),
        ("run_seed2.pth", None), ("wd_10-1_mod_addition.pth", None), ("model_700.pth", None),
        ("checkpoint_1_500.pt", None), ("step_1.5.pth", None), (f"step_{9**40}.pth", None),
        ("footstep3.pth", None),
    ],
)  # fmt: skip
def test_a_number_counts_after_a_word_or_in_a_name_of_digits(name: str, step: int | None) -> None:
    assert step_in_name(name) == step


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ({"checkpoint_1_500.pt": 500, "checkpoint_2_1000.pt": 1000}, "like a clock"),
        ({"a_1_97.pt": 1, "a_2_42.pt": 2, "a_3_88.pt": 3}, "like a clock"),
        ({"model1.pt": 1, "model20.pt": 20}, "after 'model'"),
        ({"epoch_1_step_10.pt": 10, "epoch_2_step_20.pt": 20}, "after 'step'"),
        ({"epoch_1_step_0.pt": 1, "epoch_2_step_0.pt": 2}, "after 'epoch'"),
        ({"1.pth": 1, "20.pth": 20}, "are numbers"),
    ],
)
def test_of_several_readings_the_clock_is_taken(steps: dict[str, int], words: str) -> None:
    reading = read_steps(list(steps))
    assert reading.steps == steps
    assert words in reading.because


@pytest.mark.parametrize(
    "names",
    [
        ["p99zdpze5l.pt", "x8aab1c.pt"], ["lr_1.pth", "lr_10.pth"], ["a.pth", "b.pth"],
        ["mod_p97.pth", "mod_p113.pth"], ["m_1_9.pt", "m_4_2.pt", "m_5_1.pt"],
    ],
)  # fmt: skip
def test_no_step_is_made_up(names: list[str]) -> None:
    reading = read_steps(names)
    assert not reading.steps
    assert reading.same is None


def test_names_of_one_step_are_both_told() -> None:
    assert read_steps(["a_3.pth", "b_3.pth"]).same == ("a_3.pth", "b_3.pth")


@pytest.mark.parametrize(
    ("names", "members"),
    [
        (["run_seed0.pth", "run_seed1.pth", "run_seed2.pth"], ["seed=0", "seed=1", "seed=2"]),
        (["seed0/step_1.pth", "seed0/step_2.pth", "b/step_1.pth"], ["seed0", "seed0", "b"]),
        (["s/step_1/m.pth", "s/step_2/m.pth"], ["", ""]),
        (["seed0_step_1/m.pt", "seed1_step_1/m.pt"], ["seed0_step_#", "seed1_step_#"]),
        (["epoch_1/step_1.pt", "epoch_2/step_2.pt"], ["", ""]),
        (["seed_0_500.pt", "seed_1_500.pt"], ["seed=0", "seed=1"]),
    ],
)
def test_files_of_several_runs_are_told_apart(names: list[str], members: list[str]) -> None:
    assert list(members_of(names).values()) == members
