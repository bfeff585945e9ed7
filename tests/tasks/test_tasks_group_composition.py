"""Composition in groups: their tables, what a network begins with, computes, and is measured by."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError
from grokviz.runs import RunWriter, open_run
from grokviz.task import recipe, task
from grokviz.tasks._scores import by_set
from grokviz.tasks.group_composition.data import GroupPairs
from grokviz.tasks.group_composition.formulas import answers, cosets, shares
from grokviz.tasks.group_composition.formulas.groups import ORDERS, Group, group
from grokviz.tasks.group_composition.formulas.representations import projectors, representations
from grokviz.tasks.group_composition.formulas.subgroups import cosets as numbered
from grokviz.tasks.group_composition.formulas.subgroups import (
    is_normal,
    proper_subgroups,
    subgroup_names,
    subgroups,
)
from grokviz.tasks.group_composition.weights import weights_of

torch = pytest.importorskip("torch", reason="initial weights are drawn with the [train] extra")

SMALL = {"d-model": 12, "d-mlp": 16}


def problem_of(name: str, given: dict[str, Any] | None = None, *, exact_path: bool = True) -> Any:
    settings = recipe(name).read(given)
    device = torch.device("cpu")
    return task("group-composition").build_problem(settings, device, exact_path=exact_path)


def updated(problem: Any, settings: Any, updates: int) -> list[dict[str, float]]:
    """The metrics before each of so many updates, and after the last."""
    from grokviz.training.optimiser import Optimiser

    optimiser = Optimiser({name: problem.state[name] for name in problem.trained}, settings)
    metrics = []
    for epoch in range(updates + 1):
        found = problem.train_metrics(epoch, optimiser.gradients) | problem.test_metrics(epoch)
        found["squares"] = sum(float((w.double() ** 2).sum()) for w in problem.state.values())
        metrics.append(found)
        if epoch < updates:
            optimiser.step()
    return metrics


# --- groups ----------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["C7", "D10", "S4", "A4", "A5"])
def test_a_table_is_a_groups(name: str, order: str) -> None:
    one = group(name, order)
    table, x = one.table, np.arange(one.order)
    assert (np.sort(table, axis=0) == x[:, None]).all()
    assert (np.sort(table, axis=1) == x).all()
    assert (table[table] == table[x[:, None, None], table]).all()  # (xy)z = x(yz)
    assert (table[x, one.inverse] == one.identity).all()
    assert len(set(one.words)) == one.order


@pytest.mark.parametrize(("order", "x_first"), [("generated", True), ("lexicographic", False)])
def test_permutations_are_composed_as_published(order: str, x_first: bool) -> None:
    one = group("S4", order)
    p = one.permutations.tolist()
    for x, y in itertools.product(range(0, 24, 5), range(24)):
        first, then = (p[x], p[y]) if x_first else (p[y], p[x])
        assert p[one.table[x, y]] == [then[first[k]] for k in range(4)]
    if order == "lexicographic":
        assert p == [list(row) for row in itertools.permutations(range(4))]


def test_a_flip_turns_rotations_round() -> None:
    one = group("D5")
    number = {word: i for i, word in enumerate(one.words)}
    for x, y, xy in [("r2", "r4", "r1"), ("r1s", "r3", "r3s"), ("r1s", "r3s", "r3")]:
        assert one.table[number[x], number[y]] == number[xy]


@pytest.mark.parametrize("name", ["X5", "S", "A2", "S7", "C300", "D2"])
def test_what_is_no_group_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is no group that is known"):
        group(name)
    with pytest.raises(InputError, match="group"):
        recipe("group-composition").read({"group": name})


def test_the_other_letter_of_cyclic_groups_is_read() -> None:
    assert recipe("group-composition").read({"group": "z12"}).group == "C12"


# --- their representations and subgroups ---------------------------------------------------

CLASSES = {"C7": 7, "C12": 12, "D5": 4, "D10": 8, "S3": 3, "S4": 5, "S5": 7, "A4": 4, "A5": 5}


@pytest.mark.parametrize("name", [*CLASSES])
def test_representations_are_all_there_and_orthogonal(name: str) -> None:
    one = group(name, "lexicographic")
    every = representations(one)
    assert len(set(one.classes)) == CLASSES[name] == sum(r.parts for r in every)
    assert sum(r.size for r in every) == one.order
    assert len({r.name for r in every}) == len(every)
    characters = np.stack([r.character for r in every])
    inner = characters @ characters.T / one.order
    assert inner == pytest.approx(np.diag([r.parts for r in every]), abs=1e-9)
    some = np.random.default_rng(0).integers(0, one.order, (2, 200))
    for r in every:
        products = r.matrices[some[0]] @ r.matrices[some[1]]
        assert products == pytest.approx(r.matrices[one.table[some[0], some[1]]], abs=1e-9)
        # constant on conjugacy classes, and orthogonal
        for k in range(CLASSES[name]):
            assert np.ptp(r.character[one.classes == k]) < 1e-9
        assert r.matrices @ r.matrices.swapaxes(1, 2) == pytest.approx(
            np.broadcast_to(np.eye(r.dim), r.matrices.shape), abs=1e-9
        )
    parts = projectors(one)
    assert parts.sum(axis=0) == pytest.approx(np.eye(one.order), abs=1e-9)
    assert parts @ parts == pytest.approx(parts, abs=1e-9)


def test_known_representations_have_their_names() -> None:
    five = {r.name: r.dim for r in representations(group("S5"))}
    assert five == {"trivial": 1, "sign": 1, "standard": 4, "standard-sign": 4, "5d a": 5,
                    "6d": 6, "5d b": 5}  # fmt: skip
    even = {r.name: r for r in representations(group("A5"))}
    assert {name: r.dim for name, r in even.items()} == {
        "trivial": 1, "standard": 4, "3d a": 3, "3d b": 3, "5d": 5,
    }  # fmt: skip
    cycle = group("A5").permutations.tolist().index([1, 2, 3, 4, 0])
    assert even["3d a"].character[cycle] == pytest.approx((1 + 5**0.5) / 2)


@pytest.mark.parametrize(
    ("name", "count"),
    [("C7", 2), ("C12", 6), ("D10", 22), ("S3", 6), ("S4", 30), ("A4", 10), ("A5", 59),
     pytest.param("S5", 156, marks=pytest.mark.slow),
     pytest.param("D59", 62, marks=pytest.mark.slow)],
)  # fmt: skip
def test_every_subgroup_is_found(name: str, count: int) -> None:
    """Known counts; of D_n as many as n has divisors, and the sum of these."""
    one = group(name, "lexicographic")
    every = subgroups(one)
    assert len(every) == count == len({mask.tobytes() for mask in every})
    for mask in every:
        members = np.flatnonzero(mask)
        assert mask[one.table[np.ix_(members, members)]].all()
        assert one.order % len(members) == 0
    assert len(proper_subgroups(one)) == len(subgroup_names(one)) == count - 2


def test_normal_subgroups() -> None:
    one = group("S4", "lexicographic")
    normal = [int(mask.sum()) for mask in subgroups(one) if is_normal(one, mask)]
    assert normal == [1, 4, 12, 24]
    simple = group("A5", "lexicographic")
    assert sum(is_normal(simple, mask) for mask in subgroups(simple)) == 2


# --- the published runs -------------------------------------------------------------------

# the first two rows of the published metrics.csv: training and test loss, both accuracies, and the
# sum of the squared weights, after the first and the second update
BEGINNINGS = {
    "group-composition-A5": (
        (4.090003286355719, 4.098977215680649, 0.018888888880610466, 0.013333333656191826, 308.799),
        (4.0840745767886855, 4.102399978821805, 0.027222223579883575, 0.010555556043982506,
         308.46066)),
    "group-composition-D59": (
        (4.766598024049174, 4.772654304268617, 0.01173090748488903, 0.007899866439402103,
         484.28607),
        (4.761538927395551, 4.774046184607534, 0.01556140836328268, 0.007181697059422731,
         483.70438)),
    "group-composition": (
        (4.783415905196712, 4.790263009624786, 0.01059027761220932, 0.007175925653427839,
         490.05536),
        (4.779266508481836, 4.791989633158143, 0.014062500558793545, 0.006481481250375509,
         489.59018)),
}  # fmt: skip
NAMES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n.endswith("A5") else pytest.mark.slow)
             for n in BEGINNINGS],
)  # fmt: skip
def test_a_published_run_begins_as_published(name: str) -> None:
    """Weights, split, order of the elements and updates, from the seed alone."""
    found = updated(problem_of(name), recipe(name).read(), 2)[1:]
    for metrics, published in zip(found, BEGINNINGS[name], strict=True):
        wanted = dict(zip((*NAMES, "squares"), published, strict=True))
        assert metrics == pytest.approx(wanted, rel=1e-6)


def test_it_is_measured_as_published() -> None:
    """After the first update of S5_MLP_seed1, from the same table."""
    problem = problem_of("group-composition")
    updated(problem, recipe("group-composition").read(), 1)
    weights = weights_of({name: one.numpy() for name, one in problem.state.items()})
    one = problem.pairs.group
    names = [r.name for r in representations(one)]
    hidden = weights.hidden()
    logits = weights.logits(hidden)
    found = answers.similarities(logits, one)
    similarity = dict(zip(names, found.cosines, strict=True))
    assert similarity == pytest.approx(
        {"trivial": 0, "sign": 9.3678325e-05, "standard": 0.00051090284,
         "standard-sign": 0.00060302863, "5d a": 0.0007987041, "5d b": 0.0008444018,
         "6d": 0.0012818808}, rel=2e-6)  # fmt: skip
    assert (found.cosines**2).sum() == pytest.approx(3.627602e-06, rel=2e-6)
    answer = shares.of_weights(weights.embeddings["answers"], one)
    assert dict(zip(names, answer, strict=True)) == pytest.approx(
        {"trivial": 0.009258276, "sign": 0.007302752, "standard": 0.1303933,
         "standard-sign": 0.13127962, "5d a": 0.20553939, "5d b": 0.21375366, "6d": 0.30247307},
        rel=1e-6)  # fmt: skip
    left = dict(zip(names, shares.of_weights(weights.left, one), strict=True))
    assert left["5d a"] == pytest.approx(0.20486346, rel=1e-6)
    # there the neurons were not centred: 0.3274199 of them was constant
    of_xy = shares.of_hidden(hidden, one)[2] * (1 - 0.3274199)
    assert of_xy[names.index("standard")] == pytest.approx(0.00011563869, rel=1e-5)
    assert of_xy[names.index("6d")] == pytest.approx(0.0002468079, rel=1e-5)
    # key representations as at the published end
    key = np.isin(names, ["sign", "standard", "standard-sign", "5d a"])
    kept = answers.in_characters(found.coefficients, key, one)
    train = problem.pairs.is_train
    restricted = by_set(answers.losses(kept, one), train)
    excluded = by_set(answers.losses(logits - kept, one), train)
    assert restricted[2] == pytest.approx(4.787129004669276, rel=1e-7)  # on all pairs
    assert excluded[0] == pytest.approx(4.7837786328065075, rel=1e-7)  # on those trained on


def test_the_split_is_torchs_shuffle() -> None:
    pairs = GroupPairs("S4", "generated", 0.4, 3)
    torch.manual_seed(3)
    assert pairs.permutation.tolist() == torch.randperm(576).tolist()
    assert len(pairs.train) == 230
    assert len(pairs.train) + len(pairs.test) == 576
    with pytest.raises(InputError, match="leaves no pairs"):
        GroupPairs("S4", "generated", 0.001)


# --- the network -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [{}, {"init": "torch", "output-bias": True}, {"model": "transformer", "heads": 2}]
)
def test_the_exact_path_is_the_plain_one_and_measures_run_it(given: dict[str, Any]) -> None:
    settings = {"group": "S3", "elements": "lexicographic", "train-fraction": 0.6, **SMALL, **given}
    found = []
    for exact_path in (True, False):
        problem = problem_of("group-composition", settings, exact_path=exact_path)
        gradients = {name: torch.empty_like(problem.state[name]) for name in problem.trained}
        metrics = problem.train_metrics(0, gradients) | problem.test_metrics(0)
        found.append((metrics, {name: one.numpy() for name, one in gradients.items()}))
    (exact, slopes), (plain, others) = found
    assert exact == pytest.approx(plain, rel=2e-6)
    for name, slope in others.items():
        np.testing.assert_allclose(slopes[name], slope, rtol=1e-4, atol=1e-7)
    weights = weights_of({name: one.numpy() for name, one in problem.state.items()})
    losses = answers.losses(weights.logits(weights.hidden()), problem.pairs.group)
    train, test, _ = by_set(losses, problem.pairs.is_train)
    assert exact["train_loss"] == pytest.approx(train, rel=1e-5)
    assert exact["test_loss"] == pytest.approx(test, rel=1e-5)


# --- measures of networks that are written down ----------------------------------------------


def logits_of(one: Group, amounts: dict[str, float]) -> np.ndarray:
    """Sums of characters of xyz⁻¹."""
    character = sum(
        amounts.get(r.name, 0.0) * r.character for r in representations(one)
    )  # fmt: skip
    return np.asarray(character)[one.table[one.table.ravel()][:, one.inverse]]


def test_logits_in_a_character_are_told_to_be() -> None:
    one = group("A5", "lexicographic")
    names = [r.name for r in representations(one)]
    logits = logits_of(one, {"3d a": 2.0, "standard": 1.0}) + 5.0
    found = dict(zip(names, answers.similarities(logits, one).cosines, strict=True))
    assert found == pytest.approx(
        {"trivial": 0, "standard": 5**-0.5, "3d a": 2 / 5**0.5, "3d b": 0, "5d": 0}, abs=1e-9
    )
    coefficients = answers.similarities(logits, one).coefficients
    key = np.isin(names, ["3d a", "standard"])
    rest = answers.centred(logits) - answers.in_characters(coefficients, key, one)
    assert np.abs(rest).max() < 1e-9
    # characters are largest at the identity: z = xy wins
    assert answers.right(logits, one).all()
    assert not answers.right(np.ones((3600, 60)), one).any()


def test_neurons_on_cosets_are_told_from_the_right_side_alone() -> None:
    one = group("S4", "lexicographic")
    masks = proper_subgroups(one)
    three = int(np.flatnonzero(masks.sum(axis=1) == 6)[0])  # S3, not normal
    rng = np.random.default_rng(0)
    values = rng.normal(size=4)
    for kind, other in (("left", "right"), ("right", "left")):
        column = values[numbered(one, masks[three], kind)][:, None]
        ratio, which = cosets.least(cosets.ratios(column, one, kind))
        assert ratio[0] == pytest.approx(0, abs=1e-9)
        assert masks[which[0]].sum() in (2, 3, 6)  # also constant on those of its own subgroups
        assert masks[three][masks[which[0]]].all()
        # on the other side it is not constant
        assert cosets.ratios(column, one, other)[three, 0] > 0.5
    noise = cosets.least(cosets.ratios(rng.normal(size=(24, 200)), one, "left"))[0]
    assert np.median(noise) > 1
    assert np.isnan(cosets.least(cosets.ratios(np.ones((24, 1)), one, "left"))[0]).all()
    assert cosets.least(cosets.ratios(rng.normal(size=(7, 2)), group("C7"), "left"))[1][0] == -1


def test_variances_within_cosets_are_added_up() -> None:
    """Of structureless functions about as many as there are cosets, which are two at least."""
    one = group("S4", "lexicographic")
    columns = np.random.default_rng(1).normal(size=(24, 3000))
    every = cosets.ratios(columns, one, "left").mean(axis=1)
    sizes = proper_subgroups(one).sum(axis=1)
    assert every == pytest.approx(24 / sizes, rel=0.1)
    column = columns[:, 0]
    mask = proper_subgroups(one)[-1]
    by_hand = (column[mask].var(ddof=1) + column[~mask].var(ddof=1)) / column.var(ddof=1)
    assert cosets.ratios(columns[:, :1], one, "left")[-1, 0] == pytest.approx(by_hand)


def test_shares_of_neurons_are_of_x_of_y_and_of_their_product() -> None:
    one = group("S3", "lexicographic")
    standard = representations(one)[[r.name for r in representations(one)].index("standard")]
    function = standard.matrices[:, 0, 1]
    of_x = np.repeat(function, 6)[:, None]
    of_xy = function[one.table.ravel()][:, None]
    assert shares.of_hidden(of_x, one)[0].sum() == pytest.approx(1)
    found = shares.of_hidden(np.concatenate([of_x, of_xy], axis=1), one)
    assert found.sum(axis=1) == pytest.approx([0.5, 0, 0.5], abs=1e-9)


def test_a_ratio_just_below_the_bound_is_so_when_stored() -> None:
    """One rule counts neurons in measures and, of what is stored, in pictures."""
    from grokviz.dataset.schema import variables

    raw = np.array([0.3, 0.9991, 0.99999, 1 - 1e-12, 1.0, 1.0001, 1.4, np.nan])
    stored = variables()["coset_ratio"].stored(cosets.to_store(raw))
    both = [np.stack([one, np.zeros_like(one)]) for one in (raw, stored.astype(float))]
    counted = [cosets.are_members(one).tolist() for one in both]
    assert counted[0] == counted[1] == [True] * 3 + [False] * 5
    assert stored[:-1] == pytest.approx(raw[:-1], rel=2.0**-9)


# --- other people's files --------------------------------------------------------------------


def recorded(tmp_path: Path, state: dict[str, Any], name: str, given: dict[str, Any]) -> gv.Run:
    file = tmp_path / f"{name}.pt"
    torch.save({key: torch.as_tensor(one) for key, one in state.items()}, file)
    gv.import_run(file, tmp_path / "run", settings=given)
    return open_run(tmp_path / "run")


def test_a_published_mlp_is_imported(tmp_path: Path) -> None:
    problem = problem_of("group-composition-A5")
    updated(problem, recipe("group-composition-A5").read(), 1)
    given = {"group": "A5", "train-fraction": 0.5, "split-seed": 1}
    run = recorded(tmp_path, problem.state, "model", given)
    assert run.facts["task"] == "group-composition"
    assert run.facts["settings"].items() >= {"elements": "generated", "d-mlp": 128}.items()
    found = gv.measures(run, 0)
    assert found["loss_train"] == pytest.approx(4.090003286355719, rel=1e-6)
    assert found["similarity"]["standard"] == pytest.approx(0.0013760959, rel=1e-5)


def own_coset_ratios(left: np.ndarray, right: np.ndarray, one: Group) -> np.ndarray:
    """The published least ratios, coset by coset: (right cosets for x or the others, side, neuron).

    Unbiased variances within the cosets of a subgroup, added up, over that of all elements.
    """

    def ratio(values: np.ndarray, members: np.ndarray, *, of_right: bool) -> float:
        every = {
            frozenset((one.table[members, g] if of_right else one.table[g, members]).tolist())
            for g in range(one.order)
        }
        return float(sum(np.var(values[sorted(c)], ddof=1) for c in every) / values.var(ddof=1))

    proper = [np.flatnonzero(mask) for mask in proper_subgroups(one)]
    return np.array([
        [[min(ratio(values, members, of_right=(side == "x") == matching) for members in proper)
          for values in columns.T] for side, columns in (("x", left), ("y", right))]
        for matching in (True, False)
    ])  # fmt: skip


def check_cosets(run: gv.Run, left: np.ndarray, right: np.ndarray, one: Group) -> np.ndarray:
    """The ratios of every neuron, and how many count."""
    wanted = own_coset_ratios(left, right, one)
    data = gv.analyze(run, ["coset_ratio"], cache=False)
    assert data["coset_ratio"].values[0] == pytest.approx(wanted, rel=2.0**-9, abs=1e-6)
    found = gv.measures(run, 0)
    shares = (wanted < 1).all(axis=1).mean(axis=1)
    assert [found[f"coset_neuron_share_{kind}"] for kind in ("matching", "other")] == (
        pytest.approx(shares)
    )
    return wanted


def test_the_layout_in_which_cosets_were_seen_is_imported(tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=rng)  # noqa: E731
    state = {"lembed.weight": draw(24, 8), "rembed.weight": draw(24, 8),
             "linear.weight": draw(10, 16), "unembed.weight": draw(24, 10),
             "unembed.bias": draw(24)}  # fmt: skip
    # five neurons on the cosets of S3, from both sides, and one from the wrong ones
    one = group("S4", "lexicographic")
    mask = next(mask for mask in proper_subgroups(one) if mask.sum() == 6)
    of = {kind: torch.as_tensor(numbered(one, mask, kind)) for kind in ("left", "right")}
    state["linear.weight"][:6] *= 0.01
    for k, (left, right) in enumerate([("right", "left")] * 5 + [("left", "right")]):
        values = draw(4)
        state["lembed.weight"][:, k], state["rembed.weight"][:, k] = (
            values[of[left]], values[of[right]])  # fmt: skip
        state["linear.weight"][k, k] = state["linear.weight"][k, 8 + k] = 1
    run = recorded(tmp_path, state, "full_run", {"group": "S4"})
    assert run.facts["settings"]["elements"] == "lexicographic"
    at = gv.measures(run, 0)
    x, y = 3, 17
    both = torch.cat([state["lembed.weight"][x], state["rembed.weight"][y]])
    hidden = (state["linear.weight"] @ both).relu()
    wanted = state["unembed.weight"] @ hidden + state["unembed.bias"]
    weights = weights_of(run.weights(0))
    logits = weights.logits(weights.hidden())
    assert logits[24 * x + y] == pytest.approx(wanted.numpy(), rel=1e-4, abs=1e-4)
    assert "loss_all" in at
    linear = state["linear.weight"].double().numpy()
    left = state["lembed.weight"].double().numpy() @ linear[:, :8].T
    right = state["rembed.weight"].double().numpy() @ linear[:, 8:].T
    matching, other = check_cosets(run, left, right, one)
    assert (matching[:, :5] < 1).all()
    assert np.median(other[:, :5] / matching[:, :5]) > 2
    assert (other[:, 5] < matching[:, 5]).all()


def inputs_of(state: dict[str, Any], n: int) -> np.ndarray:
    """A one-layer transformer's neurons at "=" before the ReLU, (x, y, neuron), pair by pair."""
    w = {name.rsplit(".", 1)[-1]: np.asarray(one, dtype=float) for name, one in state.items()}
    out = np.empty((n, n, len(w["W_in"])))
    width = w["W_Q"].shape[1]
    for x, y in itertools.product(range(n), range(n)):
        rows = w["W_E"].T[[x, y, n]] + w["W_pos"][:3]
        total = rows[2].copy()
        for h in range(len(w["W_Q"])):
            scores = rows @ w["W_K"][h].T @ (w["W_Q"][h] @ rows[2]) / width**0.5
            weight = np.exp(scores) / np.exp(scores).sum()
            total += w["W_O"][:, h * width : (h + 1) * width] @ (w["W_V"][h] @ (weight @ rows))
        out[x, y] = w["W_in"] @ total
    return out


def test_a_transformer_that_composes_is_imported(tmp_path: Path) -> None:
    settings = {"group": "S3", "model": "transformer", "heads": 2, **SMALL}
    problem = problem_of("group-composition", settings)
    for name in ("K", "Q"):  # attention that hangs on the elements
        problem.state[f"blocks.0.attn.W_{name}"] *= 4
    given = {"task": "group-composition", "group": "S3", "train-fraction": 0.4, "split-seed": 1}
    run = recorded(tmp_path, problem.state, "transformer", given)
    found = gv.measures(run, 0)
    assert found["loss_test"] == pytest.approx(problem.test_metrics(0)["test_loss"], rel=1e-5)
    # its neurons, by their input on average over the other element
    inputs = inputs_of(problem.state, 6)
    left, right = inputs.mean(axis=1), inputs.mean(axis=0)
    rest = inputs - left[:, None] - right + left.mean(axis=0)
    assert np.abs(rest).max() > 1e-3  # which is no sum of two parts
    one = group("S3", "generated")
    check_cosets(run, left, right, one)
    data = gv.analyze(run, ["neuron_weight", "neuron_share"], cache=False)
    assert data.sizes["neuron"] == SMALL["d-mlp"]
    weight = data["neuron_weight"].values[0].T
    assert weight == pytest.approx(left - left.mean(axis=0), rel=2.0**-5, abs=1e-6)
    share = data["neuron_share"].values[0]
    sign = representations(one)[data["representation"].values.tolist().index("sign")].character
    for side, values in enumerate((left, right)):
        centred = values - values.mean(axis=0)
        wanted = (sign @ centred) ** 2 / 6 / (centred**2).sum(axis=0)
        at = data["representation"].values.tolist().index("sign")
        assert share[side, :, at] == pytest.approx(wanted, abs=1 / 256)


def test_a_run_of_another_groups_size_is_refused(tmp_path: Path) -> None:
    problem = problem_of("group-composition", {"group": "S3", **SMALL})
    facts = {"task": "group-composition", "settings": {"group": "S4"}}
    state = {name: one.numpy() for name, one in problem.state.items()}
    with RunWriter.create(tmp_path / "run", facts) as writer:
        writer.checkpoint(0, state)
        writer.close(finished=True)
    with pytest.raises(InputError, match="composes 6 elements and the group has 24"):
        gv.measures(tmp_path / "run", 0)


def test_a_family_of_runs_knows_each_ones_group(tmp_path: Path) -> None:
    from grokviz.dataset.families.family import family

    facts = {"task": "group-composition", "settings": {"group": "z12"}}
    for name, facts_of_one in (("one", facts), ("two", {"task": "group-composition"})):
        with RunWriter.create(tmp_path / name, facts_of_one) as writer:
            writer.log(0, train_loss=1.0)
            writer.close(finished=True)
    found = family([tmp_path / "one", tmp_path / "two", gv.load("group-D10-0")], cache=False)
    assert found["member_group"].values.tolist() == ["C12", "", "D10"]
