"""The sentences of the embedding and logit scenes hold as far as their data bear them out."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.modular_addition import _claims
from grokviz.scenes.modular_addition.embedding import _rounds, singular_values, wave_circles
from grokviz.scenes.modular_addition.logits import ablation, logit_spectrum, trig_share
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

import grokviz as gv
from grokviz.dataset.learning import LOW
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene import Claim, drawing_in, frequencies
from grokviz.scene.phases import until
from grokviz.scene.registry import scene

NAMES = (
    "embedding-waves", "singular-values", "wave-circles", "weight-spectra", "ablation",
    "algorithm", "logit-spectrum", "logit-waves", "trig-share",
)  # fmt: skip

OWN = {
    "embedding-waves": "Five waves come to hold 90% of the embedding",
    "singular-values": "The neurons come to write the answer in only ten directions",
    "wave-circles": "Five waves of the embedding become rings",
    "weight-spectra": "Out of 56 waves five grow to 90% of the embedding",
    "ablation": "Five waves are enough, and every one counts",
    "algorithm": "The network adds by turning five wheels that agree on one answer",
    "logit-spectrum": "The logits condense onto five waves, the same in a and b",
    "logit-waves": "The right answer rises where five waves peak together",
    "trig-share": "The sum a + b shows in the answers, hardly in the neurons",
}


@lru_cache(maxsize=2)
def of(name: str) -> xr.Dataset:
    kind = scene(name)
    return load(None, kind.with_options().variables(), default=kind.reference)


def claim(name: str, data: xr.Dataset) -> Claim:
    return scene(name).with_options().claim(data)


def end(data: xr.Dataset, name: str) -> int:
    clock = scene(name).clock
    return _claims.film_end(data, clock) if clock else data.sizes["epoch"] - 1


def changed(data: xr.Dataset, name: str, change: Callable[[np.ndarray], None]) -> xr.Dataset:
    """The data with one variable changed in place."""
    values = data[name].values.astype(float)
    change(values)
    return data.assign({name: (data[name].dims, values)})


def memorised_only(name: str) -> xr.Dataset:
    """The data as if nothing but the training loss had moved after the first checkpoint."""
    data = of(name)
    still = {}
    for key, values in data.items():
        for clock in ("epoch", "field_epoch"):
            if clock in values.dims:
                first = values.isel({clock: [0] * data.sizes[clock]})
                still[key] = (values.dims, first.transpose(*values.dims).values)
    if "ablation_loss" in data:
        still["ablation_loss"] = ("ablation", np.full(data.sizes["ablation"], 9.0))
    high = np.full(data.sizes["tested_epoch"], 20.0)
    return data.assign({**still, "logged_test_loss": ("tested_epoch", high)}).assign(
        phase_end=("phase", [-1, -1, -1])
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_bears_the_sentence_out(name: str) -> None:
    own = claim(name, of(name))
    assert own.holds
    assert own.sentence == OWN[name]
    assert len(own.sentence) <= 66, "a title of one line"
    assert own.numbers
    assert own.watch
    assert len(own.watch) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_only_memorised_is_said_to(name: str) -> None:
    told = claim(name, memorised_only(name))
    assert not told.holds
    assert told.sentence == "Memorised by epoch 150; not generalised by epoch 40,000"
    assert not told.watch


@pytest.mark.parametrize(
    ("name", "words"),
    [("embedding-waves", "hold 94% of")],
)  # fmt: skip
def test_a_picture_of_a_later_moment_than_the_films_says_what_is_true_then(
    name: str, words: str
) -> None:
    data, last = of(name), of(name).sizes["epoch"] - 1
    assert until(data, "epoch", end(data, name)) is data
    later = claim(name, until(data, "epoch", last))
    assert words in f"{later.sentence}; {later.watch}"
    assert words not in f"{OWN[name]}; {claim(name, data).watch}"


def share(target: float, columns: list[int]) -> Callable[[np.ndarray], np.ndarray]:
    """Norms whose squares have this share in some columns."""

    def change(norms: np.ndarray) -> np.ndarray:
        squares = np.square(norms)
        rest = np.delete(squares, columns).sum()
        squares[columns] *= target / (1 - target) * rest / squares[columns].sum()
        return np.sqrt(squares)

    return change


@pytest.mark.parametrize("away", [0.001, -0.001])
def test_waves_have_taken_over_from_three_quarters_on(away: float) -> None:
    target = _claims.TAKEN_OVER + away
    data = of("embedding-waves")
    i, waves = end(data, "embedding-waves"), [k - 1 for k in frequencies.key_frequencies(data)]

    def change(norms: np.ndarray) -> None:
        norms[i] = share(target, waves)(norms[i])

    told = claim("embedding-waves", changed(data, "embedding_frequency_norm", change))
    assert told.holds == (away > 0)
    assert told.sentence.startswith("Five waves come" if away > 0 else "The 5 largest of 56 waves")

    data = of("weight-spectra")
    waves = [k - 1 for k in frequencies.key_frequencies(data)]
    told = claim("weight-spectra", changed(data, "embedding_frequency_norm", change))
    assert told.holds == (away > 0)
    if away < 0:
        assert told.sentence.startswith("The 5 largest waves hold 75% of the embedding")

    variables = {"logit-waves": "logit_variance_explained", "algorithm": "logit_variance_explained",
                 "trig-share": "trig_fraction_logits"}  # fmt: skip
    for name, variable in variables.items():
        data = of(name)
        last = end(data, name)

        def set_last(values: np.ndarray, last: int = last) -> None:
            values[last] = target

        assert claim(name, changed(data, variable, set_last)).holds == (away > 0), name

    data = of("logit-spectrum")
    last = end(data, "logit-spectrum")

    def spectrum(values: np.ndarray) -> None:
        inside = np.zeros(values.shape[1:], dtype=bool)
        for k in frequencies.key_frequencies(data):
            inside[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1] = True
        values[last, 0, 0] = 0
        columns = np.flatnonzero(inside).tolist()
        values[last] = share(target, columns)(values[last].ravel()).reshape(inside.shape)

    told = claim("logit-spectrum", changed(data, "logit_spectrum", spectrum))
    assert told.holds == (away > 0)


@pytest.mark.parametrize("name", ["logit-waves", "trig-share"])
def test_what_was_so_from_the_beginning_did_not_grow(name: str) -> None:
    variable = {"logit-waves": "logit_variance_explained", "trig-share": "trig_fraction_logits"}
    half = claim(name, of(name)).numbers["last" if name == "logit-waves" else "logits"] / 2
    for first, holds in ((half - 0.001, True), (half + 0.001, False)):

        def change(values: np.ndarray, first: float = first) -> None:
            values[0] = first

        assert claim(name, changed(of(name), variable[name], change)).holds is holds


def test_waves_that_do_not_peak_at_the_answer_are_not_said_to() -> None:
    data, i = of("logit-waves"), end(of("logit-waves"), "logit-waves")

    def change(values: np.ndarray) -> None:
        values[i, 13] = -0.001

    told = claim("logit-waves", changed(data, "cosine_coefficient", change))
    assert told.sentence == "5 waves explain 97% of the squared logits at epoch 19,000"


def test_the_sum_of_the_waves_leads_at_the_answer() -> None:
    data = of("algorithm")

    def change(values: np.ndarray) -> None:
        keep = int(frequencies.key_frequencies(data)[0]) - 1
        values[-1, np.arange(values.shape[1]) != keep] *= 1e-3

    told = claim("algorithm", changed(data, "cosine_coefficient", change))
    assert told.numbers["lead"] < frequencies.LEAD
    assert not told.holds


def test_wheels_stop_at_the_sum_and_their_lights_add_up_to_the_bars() -> None:
    data, drawn = of("algorithm"), scene("algorithm").with_options()
    keys, numbers = frequencies.key_frequencies(data), claim("algorithm", data).numbers
    with drawing_in(gv.theme("light", "slide")) as style:
        figure = Figure(figsize=(19.2, 10.8))
        drawn.draw(figure, data)
        gold = style.colours.answer
    (sheet,) = figure.axes
    hands = [
        np.subtract(*line.get_xydata()[::-1]) for line in sheet.lines
        if line.get_color() == gold and len(line.get_xydata()) == 2
    ]  # fmt: skip
    for (x, y), k in zip(hands, keys, strict=True):
        angle = 2 * np.pi * k * (27 + 95) / 113
        assert (x, y) / np.hypot(x, y) == pytest.approx((np.cos(angle), np.sin(angle)))
    assert len(sheet.images) == len(keys)
    lights = [np.asarray(image.get_array())[0] for image in sheet.images]
    assert all(light[9] == pytest.approx(light.max()) for light in lights)
    bars = sheet.collections[0].get_paths()
    ends = np.array([bar.vertices[1, 1] - bar.vertices[0, 1] for bar in bars])
    assert ends.argmax() == 9
    assert ends[9] / np.delete(ends, 9).max() == pytest.approx(numbers["lead"])


@pytest.mark.parametrize(("neurons", "holds"), [(0.999, True), (1.001, False)])
def test_the_neurons_share_is_told_apart_from_the_logits(neurons: float, holds: bool) -> None:
    data = of("trig-share")
    i = end(data, "trig-share")
    most = trig_share.LESS * float(data["trig_fraction_logits"].values[i])

    def change(values: np.ndarray) -> None:
        values[i] = neurons * most

    assert claim("trig-share", changed(data, "trig_fraction_neurons", change)).holds is holds


@pytest.mark.parametrize(("kept", "holds"), [(50, True), (51, False)])
def test_a_map_has_collapsed_where_half_its_directions_are_left(kept: int, holds: bool) -> None:
    data = of("singular-values")
    i = end(data, "singular-values")

    def change(values: np.ndarray) -> None:
        values[i] = np.where(np.arange(values.shape[1]) < kept, 1.0, 0.99 * singular_values.SMALL)

    told = claim("singular-values", changed(data, "neuron_logit_singular_value", change))
    assert told.holds is holds
    assert str(kept) in told.sentence
    assert "for each of" not in told.watch


def test_dots_are_as_large_as_the_shares_that_they_stand_for() -> None:
    data, kind = of("logit-spectrum"), scene("logit-spectrum")
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = kind.with_options().draw(figure, data)
    first, now = (axes.collections[0] for axes in figure.axes[:2])
    for i in (0, end(data, "logit-spectrum")):
        drawing.update(i)
        squares = np.square(data["logit_spectrum"].values[i].astype(float))
        squares[0, 0] = 0
        areas = np.square(now.get_widths() / logit_spectrum.LARGE)
        assert areas.sum() == pytest.approx(1)
        at = {tuple(place): area for place, area in zip(now.get_offsets(), areas, strict=True)}
        for k in frequencies.key_frequencies(data):
            own = squares[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1].sum() / squares.sum()
            assert at[k, k] == pytest.approx(own)
        alone = (squares[0].sum() + squares[:, 0].sum()) / squares.sum()
        assert sum(a for (x, y), a in at.items() if not x * y) == pytest.approx(alone)
    assert not np.allclose(first.get_widths(), now.get_widths())


@pytest.mark.parametrize("show", ["output", "both"])
def test_lines_of_directions_that_are_left_are_in_ink_and_counted(show: str) -> None:
    data, kind = of("singular-values"), scene("singular-values")
    own = claim("singular-values", data)
    with drawing_in(gv.theme("light", "slide"), ghost=False) as style:
        figure = Figure(figsize=(19.2, 10.8))
        drawing = kind.with_options({"show": show}).draw(figure, data)
        ink = to_rgba(style.colours.ink)
        for i, many in ((0, own.numbers["first"]), (end(data, "singular-values"), 10)):
            drawing.update(i)
            lines = figure.axes[0].collections[0]
            faces = [tuple(face) for face in lines.get_color()]
            assert len(lines.get_segments()) == len(faces) == 113
            assert faces.count(ink) == many
            # those that are left are the last drawn, and end highest
            assert faces[-int(many) :] == [ink] * int(many)
            shown = [text.get_text() for text in figure.axes[0].texts]
            assert f"{many:.0f}\ndirections" in shown
            assert f"{113 - many:.0f}\nfaded" in shown
    assert own.numbers["last"] == 10
    assert own.watch.endswith("two are left for each of five waves")
    assert len([axes for axes in figure.axes if axes.collections]) == (2 if show == "both" else 1)


@pytest.mark.parametrize(("times", "holds"), [(0.99, True), (1.01, False)])
def test_a_circle_is_round(times: float, holds: bool) -> None:
    data = of("wave-circles")
    i = end(data, "wave-circles")

    def change(plane: np.ndarray) -> None:
        points = plane[i, 0]
        angle = np.arctan2(points[:, 1], points[:, 0])
        swing = np.where(np.arange(len(angle)) % 2, 1, -1) * times * _rounds.ROUND
        swing -= swing.mean()
        radius = 1 + swing / swing.std() * times * _rounds.ROUND
        plane[i, 0] = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    assert claim("wave-circles", changed(data, "embedding_plane", change)).holds is holds


@pytest.mark.parametrize(("times", "holds"), [(0.99, True), (1.01, False)])
def test_the_turns_of_a_circle_are_nearly_the_same(times: float, holds: bool) -> None:
    data = of("wave-circles")
    i = end(data, "wave-circles")

    def change(plane: np.ndarray) -> None:
        p, k = plane.shape[2], int(data["embedded_frequency"].values[0])
        # one number after the other is half of it ahead and half of it behind
        aside = np.where(np.arange(p) % 2, 0.5, -0.5) * times * wave_circles.TURN
        aside *= np.sqrt(p / (p - 1))  # the last and the first are on one side
        angle = 2 * np.pi * k * np.arange(p) / p + aside
        plane[i, 0] = np.stack([np.cos(angle), np.sin(angle)], axis=1)

    assert claim("wave-circles", changed(data, "embedding_plane", change)).holds is holds


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (
            ablation.BETTER - 0.001,
            "Five waves are enough, and every one counts",
        ),
        (
            ablation.BETTER + 0.001,
            "With its key waves alone the loss is 0.901 times",
        ),
    ],
)
def test_the_loss_falls_where_the_cosines_alone_do_better(loss: float, sentence: str) -> None:
    data = of("ablation")
    untouched = float(data["ablation_loss"].sel(ablation="original"))
    at = data["ablation"].values.tolist().index("cosine-fit")

    def change(values: np.ndarray) -> None:
        values[at] = loss * untouched

    told = claim("ablation", changed(data, "ablation_loss", change))
    assert told.sentence.startswith(sentence)
    assert told.holds == sentence.startswith("Five")


@pytest.mark.parametrize("times", [ablation.WORSE * 0.99, ablation.WORSE * 1.01])
def test_a_wave_that_is_hardly_missed_is_not_said_to_be(times: float) -> None:
    data = of("ablation")
    names = data["ablation"].values.tolist()
    untouched = float(data["ablation_loss"].sel(ablation="original"))

    def change(values: np.ndarray) -> None:
        values[names.index("without-frequency-35")] = times * untouched

    told = claim("ablation", changed(data, "ablation_loss", change))
    assert told.holds
    counts = times > ablation.WORSE
    assert ("every one counts" in told.sentence) == counts
    assert ("without any one of them the loss is over 10 times as large" in told.watch) == counts
    assert ("alone do better" in told.sentence) != counts
    assert "over 4,000 times" in claim("ablation", data).watch


def test_ablations_of_the_rest_of_the_network_are_drawn_where_asked_for() -> None:
    data = of("ablation")
    for rows, drawn in (("waves", 6), ("logits", 8), ("all", 16)):
        words = scene("ablation").with_options({"rows": rows}).description(data, 0)
        assert words.count(";") + 2 == drawn
        assert ("attention heads" in words) == (rows == "all")


@pytest.mark.parametrize("rows", ["waves", "logits"])
def test_bars_of_ablations_go_from_the_whole_networks_loss_to_their_own(rows: str) -> None:
    data = of("ablation")
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene("ablation").with_options({"rows": rows}).draw(figure, data)
    (axes,) = figure.axes
    losses = data["ablation_loss"]
    names = ["key-terms", "sums-only", "cosine-fit"][-1 if rows == "waves" else 0 :]
    kept = len(names)
    waves = [n for n in data["ablation"].values.tolist() if n.startswith(ablation.WAVE)]
    names += sorted(waves, key=lambda name: float(losses.sel(ablation=name)))
    whole = float(losses.sel(ablation="original"))
    ratios = [float(losses.sel(ablation=n)) / whole for n in names]
    assert [1 + bar.get_width() / whole for bar in axes.patches] == pytest.approx(ratios)
    written = [text.get_text() for text in axes.texts]
    assert {f"×{float(f'{ratio:.2g}'):g}" for ratio in ratios[:kept]} <= set(written)
    assert "guessing: 4.7" in written  # the logarithm of 113


def test_cosines_that_are_no_better_than_guessing_are_no_algorithm() -> None:
    data = of("ablation")
    names = data["ablation"].values.tolist()

    def change(values: np.ndarray) -> None:
        values[names.index("original")] = 10.0
        values[names.index("cosine-fit")] = LOW + 0.001

    assert not claim("ablation", changed(data, "ablation_loss", change)).holds


# --- key frequencies, none and many ------------------------------------------------


def norms(sizes: list[float], keys: list[int] | None = None) -> xr.Dataset:
    data = xr.Dataset(
        {"embedding_frequency_norm": (("epoch", "frequency"), [sizes])},
        coords={"epoch": [0], "frequency": np.arange(1, len(sizes) + 1)},
    )
    return data if keys is None else data.assign_coords(key_frequency=np.array(keys, dtype=int))


def test_no_more_frequencies_are_coloured_than_there_are_colours() -> None:
    some = [0.1] * 100
    some[:9] = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.9]
    with drawing_in(gv.theme("light", "slide")) as style:
        assert frequencies.coloured(norms(some)) == [1, 2, 3, 4, 5, 6, 9]
        assert frequencies.coloured(norms([1.0] * 100)) == []
        assert frequencies.coloured(norms([1.0] * 100, [3, 50])) == [3, 50]
        assert frequencies.coloured(norms([1.0] * 100, [])) == []
        assert frequencies.coloured(norms([1.0] * 100, list(range(1, 101)))) == [*range(1, 8)]
        assert frequencies.coloured(norms([1.0] * 7)) == [*range(1, 8)]
        assert frequencies.colour(8, norms(some)) == style.colours.rest
        assert frequencies.ink(8, norms(some)) == style.colours.muted


@pytest.mark.parametrize(
    ("last", "ticks"),
    [
        (1, [1]),
        (6, [1, 6]),
        (56, [1, 10, 20, 30, 40, 50, 56]),
        (200, [1, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200]),
    ],
)
def test_ticks_of_frequencies_do_not_touch(last: int, ticks: list[int]) -> None:
    assert frequencies.ticks(last) == ticks


def test_a_wave_has_led_once_it_was_larger_than_all_others() -> None:
    sizes = np.array([[1.0, 1.0, 1.0], [1.0, 1.2, 1.0], [0.5, 1.0, 1.0]])
    assert frequencies.leading(sizes, [2]).ravel().tolist() == [False, True, True]
    assert frequencies.leading(sizes, [1, 2, 3]).all()
    assert frequencies.leading(sizes, []).shape == (3, 0)


def test_a_film_names_a_wave_when_it_leads_and_hides_what_is_to_come() -> None:
    for name, texts in (("embedding-waves", 5), ("weight-spectra", 6), ("logit-spectrum", 5)):
        data, drawn = of(name), scene(name).with_options()
        with drawing_in(gv.theme("light", "slide"), ghost=False):
            figure = Figure(figsize=(19.2, 10.8))
            drawing = drawn.draw(figure, data)
            counts = []
            for i in (0, end(data, name)):
                drawing.update(i)
                bold = [t for t in figure.findobj(lambda a: hasattr(a, "get_text"))
                        if t.get_fontweight() == "bold"]  # fmt: skip
                # a number may have its share after it
                numbers = [t for t in bold if t.get_text().split(":")[0].isdigit()]
                counts.append(sum(t.get_visible() for t in numbers))
        assert counts[1] == texts, name
        assert counts[0] < texts, name


ON_PICTURE = (
    ("embedding-waves", "5 waves it ends with: 90% of the embedding"),
    ("weight-spectra", "Five waves together: 90%"),
    ("wave-circles", "distances from\nthe middle\nvary by 7%"),
    ("logit-spectrum", "epoch 18,800: 98% in the five"),
    ("trig-share", "answers: 98%"),
    ("trig-share", "neurons: 15%"),
    ("logit-waves", "36"),
)


@pytest.mark.parametrize(("name", "text"), ON_PICTURE)
def test_the_numbers_of_the_sentence_are_on_the_last_picture_of_the_film(
    name: str, text: str
) -> None:
    data, drawn = of(name), scene(name).with_options()
    with drawing_in(gv.theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = drawn.draw(figure, data)
        written = []
        for i in (end(data, name), 0):
            drawing.update(i)
            texts = figure.findobj(lambda a: hasattr(a, "get_text"))
            written.append([t.get_text() for t in texts if t.get_visible()])
    assert text in written[0]
    assert text not in written[1]


def test_the_wave_that_is_embedded_and_not_used_is_named() -> None:
    data = of("weight-spectra")
    told = claim("weight-spectra", data).watch
    assert told.endswith("31 grows too, but the answers hardly use it")
    assert _claims.idle(data) == "31"
    keys = data["key_frequency"].values
    all_used = data.sel(embedded_frequency=keys)
    assert not _claims.idle(all_used)
    assert "use" not in claim("weight-spectra", all_used).watch


@pytest.mark.parametrize(
    ("matrix", "sentence", "above"),
    [
        ("neuron_logit", "Out of 56 waves five grow to 99.8% of the neuron-logit map",
         ["Five waves together: 99.8%"]),
        ("both", "5 waves fill 90% of the embedding, 99.8% of the neuron-logit map",
         ["embedding $W_E$: 90%", "neuron-logit map $W_L$: 99.8%"]),
    ],
)  # fmt: skip
def test_one_map_or_both_have_their_shares_in_words_and_above_them(
    matrix: str, sentence: str, above: list[str]
) -> None:
    data, drawn = of("weight-spectra"), scene("weight-spectra").with_options({"matrix": matrix})
    assert drawn.claim(data).sentence == sentence
    with drawing_in(gv.theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawn.draw(figure, data).update(end(data, "weight-spectra"))
    texts = figure.findobj(lambda a: hasattr(a, "get_text"))
    assert set(above) <= {t.get_text() for t in texts if t.get_visible()}


def test_waves_in_colour_are_those_of_the_sentence() -> None:
    told = scene("embedding-waves").with_options({"waves": "embedded"}).claim(of("embedding-waves"))
    assert told.sentence == "Six waves come to hold 95% of the embedding"


def test_every_scene_of_waves_counts_the_same() -> None:
    counts = {
        name: re.findall(r"\b(?:5|five|6|six)\b", claim(name, of(name)).sentence.lower())
        for name in (*NAMES, "chorus")
    }
    assert {word for words in counts.values() for word in words} <= {"5", "five"}
    assert sum(map(bool, counts.values())) >= 6


def test_circles_of_a_run_without_embedded_frequencies_are_refused() -> None:
    data = of("wave-circles").isel(embedded_frequency=[])
    with (
        drawing_in(gv.theme("light", "slide")),
        pytest.raises(InputError, match=r"no embedded frequency.*train it further"),
    ):
        scene("wave-circles").with_options().draw(Figure(), data)
    assert claim("wave-circles", data).sentence == "No wave is embedded at the end"


def test_the_heights_of_algorithm_are_said_to_be_those_of_all_sums() -> None:
    kind, data = scene("algorithm").with_options(), of("algorithm")
    figure = Figure(figsize=(19.2, 10.8))
    with drawing_in(gv.theme("light", "slide")):
        kind.draw(figure, data)
    words = [text.get_text() for text in figure.axes[0].texts]
    # the picture is of one sum alone; the caption says that heights are means
    assert "as high as on average over all pairs" in kind.definition(data)
    heights = data["cosine_coefficient"].isel(epoch=-1).sel(frequency=[14, 35, 41, 42, 52])
    assert f"{float(heights.sum()) * np.sqrt(2 / 113**3):.2g}" in words
