"""Lit surfaces: what is between the values, how light falls, what is seen, and how a sheet moves.

Each expectation is worked out by hand, or follows from what a surface is.
"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from grokviz.scene import relief
from grokviz.scene.relief.light import LIGHTNESS, coloured, coloured_round, linear, normals, toned
from grokviz.scene.relief.painting import halved

RNG = np.random.default_rng(0)
FLAT = np.zeros((40, 40))


# --- heights ------------------------------------------------------------------------


def test_the_scale_is_of_nearly_all_values_and_few_spikes_do_not_count() -> None:
    field = np.sin(2 * np.pi * np.arange(900) / 900).reshape(30, 30)
    plain = relief.percentile_scale(5 + 3 * field)
    spiked = 5 + 3 * field
    spiked[3, 4] = 1e6
    assert np.abs(plain).max() == 1
    change = relief.percentile_scale(spiked) - plain
    change[3, 4] = 0
    assert np.abs(change).max() < 0.02
    assert np.abs(plain - field).max() < 0.02


@pytest.mark.parametrize("value", [0.0, 7.5, np.nan])
def test_a_field_of_one_value_is_flat(value: float) -> None:
    assert not relief.percentile_scale(np.full((5, 5), value)).any()


@pytest.mark.parametrize("shape", [(7, 12), (12, 7)])
def test_the_surface_goes_through_the_values_and_round(shape: tuple[int, int]) -> None:
    field = RNG.normal(size=shape)
    rows, columns = (np.arange(-2, size + 2) for size in shape)
    through = relief.interpolated(field, rows.astype(float), columns.astype(float))
    assert np.allclose(through, np.pad(field, 2, mode="wrap"))


def test_between_the_values_of_a_wave_is_the_wave() -> None:
    places = np.arange(0, 32, 0.125)
    wave = np.cos(2 * np.pi * np.arange(32) / 32)
    field = np.add.outer(wave, np.roll(wave, 5))
    fine = np.add.outer(np.cos(2 * np.pi * places / 32), np.cos(2 * np.pi * (places - 5) / 32))
    assert np.abs(relief.interpolated(field, places, places) - fine).max() < 1e-4


@pytest.mark.parametrize("factor", [2, 4])
def test_each_value_is_in_the_middle_of_its_cell(factor: int) -> None:
    field = RNG.normal(size=(6, 9))
    fine = relief.cells(field, factor)
    assert fine.shape == (6 * factor + 1, 9 * factor + 1)
    assert np.allclose(fine[factor // 2 :: factor, factor // 2 :: factor], field)
    assert np.allclose(fine[0], fine[-1])
    assert np.allclose(fine[:, 0], fine[:, -1])


def test_moves_begin_one_after_another_and_all_end() -> None:
    places = np.array([0, 0.5, 1])
    assert relief.in_turn(0, places, 0.4).tolist() == [0, 0, 0]
    assert relief.in_turn(1, places, 0.4).tolist() == [1, 1, 1]
    half = relief.in_turn(0.5, places, 0.4)
    assert half[0] == 1
    assert np.isclose(half[1], 0.5)
    assert half[2] == 0


# --- light ---------------------------------------------------------------------------


def test_the_sky_is_seen_from_level_ground_and_not_from_a_pit() -> None:
    assert np.allclose(relief.occlusion(FLAT, 1.0, 6.0), 1)
    pit = FLAT.copy()
    pit[20, 20] = -5.0
    seen = relief.occlusion(pit, 1.0, 6.0)
    assert seen[20, 20] == seen.min() < 0.9
    assert np.isclose(seen[0, 0], 1)


def test_the_sky_goes_round_with_the_field() -> None:
    field = RNG.normal(size=(24, 24))
    moved = np.roll(field, (11, 5), axis=(0, 1))
    inner = np.s_[12:-1, 6:-1]
    one = np.roll(relief.occlusion(field, 1.0, 4.0), (11, 5), axis=(0, 1))
    assert np.allclose(one[inner], relief.occlusion(moved, 1.0, 4.0)[inner], atol=1e-5)


@pytest.mark.parametrize(("azimuth", "row", "column"), [(0, -1, 0), (180, 1, 0), (90, 0, -1)])
def test_a_post_throws_its_shadow_away_from_the_sun(azimuth: float, row: int, column: int) -> None:
    post = FLAT.copy()
    post[19:22, 19:22] = 6.0
    light = relief.shadow(post, 1.0, relief.Light(azimuth=azimuth, elevation=45))
    assert light[20 + 4 * row, 20 + 4 * column] < 0.3
    assert light[20 - 4 * row, 20 - 4 * column] > 0.99
    assert light[20, 20] > 0.99
    # at 45 degrees it is as long as the post is high
    assert light[20 + 12 * row, 20 + 12 * column] > 0.9


def test_normals_stand_on_the_surface() -> None:
    x, y = np.meshgrid(np.arange(5.0), np.arange(6.0), indexing="ij")
    slope = normals(np.stack([x, y, 2 * x], axis=-1))
    assert np.allclose(slope, np.array([-2, 0, 1]) / np.sqrt(5))


def test_what_faces_the_sun_is_brighter_than_what_does_not() -> None:
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0), indexing="ij")
    shade = relief.Shade(np.ones((5, 5)), np.ones((5, 5)))
    grey = np.full((5, 5, 3), 0.3)
    light, eye = relief.Light(azimuth=180, elevation=35, gloss=0, rim=0), np.array([2.0, 2, 50])
    towards, away = (
        relief.lit(relief.Surface(np.stack([x, y, tilt * x], -1), grey, shade), light, eye).mean()
        for tilt in (0.5, -0.5)
    )
    dark = relief.lit(
        relief.Surface(np.stack([x, y, 0 * x], -1), grey, relief.Shade(shade.sky, 0 * shade.sun)),
        light, eye,
    ).mean()  # fmt: skip
    assert towards > away + 0.1
    assert 0 < dark < towards


def test_tones_grow_and_are_not_cut() -> None:
    bright = toned(np.linspace(0, 6, 200)[:, None] * np.ones(3))
    assert (np.diff(bright[:, 0]) > 0).all()
    assert bright.max() < 1
    assert np.allclose(toned(linear(np.full((1, 3), 0.6))), 0.6)


def test_colours_that_go_round_close_and_have_one_lightness() -> None:
    turns = np.linspace(0, 1, 61)
    light = coloured_round(turns)
    assert light[0] == pytest.approx(light[-1])
    # CIE lightness of the luminance; a little more or less where a hue is cut to the screen's
    lightness = 116 * np.cbrt(light @ [0.2126, 0.7152, 0.0722]) - 16
    assert np.abs(lightness - LIGHTNESS).max() < 3
    assert np.linalg.norm(np.diff(light, axis=0), axis=1).min() > 0.005


def test_the_lowest_and_the_highest_have_the_ends_of_the_colour_map() -> None:
    grey = mpl.colormaps["gray"]
    assert coloured(np.array([[-1.0, 1.0]]), grey)[0].tolist() == [[0, 0, 0], [1, 1, 1]]


# --- what is seen ----------------------------------------------------------------------


@pytest.mark.parametrize("azimuth", [-90, -45, 30])
def test_the_point_looked_at_is_in_the_middle_and_up_is_up(azimuth: float) -> None:
    camera = relief.Camera(azimuth=azimuth, x=0.3, y=-0.2, z=0.1)
    at = np.array([0.3, -0.2, 0.1])
    assert np.allclose(camera.seen(at), [0, 0, camera.distance])
    above = camera.seen(at + np.array([0, 0, 0.1]))
    assert np.isclose(above[0], 0)
    assert above[1] > 0


def test_from_the_front_x_goes_right_and_what_is_far_is_small() -> None:
    camera = relief.Camera(azimuth=-90)
    near, far = (camera.seen(np.array([[0, y, 0], [0.1, y, 0]])) for y in (-1, 1))
    assert near[1, 0] - near[0, 0] > far[1, 0] - far[0, 0] > 0
    assert near[0, 2] < far[0, 2]


def test_all_corners_are_within_the_box_and_touch_it() -> None:
    corners = RNG.uniform(-1, 1, (30, 3))
    cameras = [relief.Camera(azimuth=a) for a in (-80, -40)]
    view = relief.fitted(cameras, corners, (10, 20, 300, 180))
    at = np.concatenate([view.pixels(camera.seen(corners)) for camera in cameras])
    low, high = at.min(axis=0), at.max(axis=0)
    assert (low >= np.array([10, 20]) - 1e-6).all()
    assert (high <= np.array([300, 180]) + 1e-6).all()
    assert np.isclose(high - low, [290, 160]).any()


def test_between_two_cameras_is_one_half_way() -> None:
    half = relief.between(relief.Camera(azimuth=-80, x=1), relief.Camera(azimuth=-40), 0.5)
    assert (half.azimuth, half.x) == (-60, 0.5)


def square(depth: float, colour: tuple[float, float, float]) -> relief.Quads:
    """One patch across the picture of a camera on the y axis, so far from it."""
    x, z = np.meshgrid([-1.0, 1.0], [-1.0, 1.0], indexing="ij")
    points = np.stack([x, np.full_like(x, depth - 4), z], axis=-1)
    return relief.quads(points, np.broadcast_to(colour, (2, 2, 3)))


@pytest.mark.parametrize("turned", [False, True])
def test_the_nearest_is_seen(turned: bool) -> None:
    red, blue = square(3, (1, 0, 0)), square(5, (0, 0, 1))
    camera, view = relief.Camera(elevation=0), relief.View(20, 10, 8)
    order = [blue, red] if turned else [red, blue]
    pixels = relief.painted([_both(*order)], camera, view, (40, 20))
    assert pixels.shape == (20, 40, 4)
    assert pixels[10, 20].tolist() == [255, 0, 0, 255]
    assert pixels[10, 0, 3] == 0


def _both(one: relief.Quads, other: relief.Quads) -> relief.Quads:
    """The patches of two."""
    corners = np.concatenate([one.corners, other.corners])
    return relief.Quads(corners, np.concatenate([one.colours, other.colours]))


@pytest.mark.parametrize("azimuth", [-75, -20, 50, 130, 200])
def test_heights_on_a_grid_hide_what_is_behind_them_as_sorted_patches_do(azimuth: int) -> None:
    """Seen from any side; the colours say which place is seen, and edges may differ a little."""
    x, y = np.meshgrid(*[np.linspace(-0.5, 0.5, 41)] * 2, indexing="ij")
    points = np.stack([x, y, 0.15 * np.sin(14 * x) * np.cos(17 * y)], axis=-1)
    colours = np.stack([x + 0.5, y + 0.5, np.zeros_like(x)], axis=-1)
    camera, view = relief.Camera(azimuth, 30.0, 20.0, 5.0), relief.View(100, 60, 80)
    grid, patches = relief.Grid.of(points, colours), relief.quads(points, colours)
    by_order, sorted_by, unsorted = (
        relief.painted([part], camera, view, (200, 120)).astype(int)
        for part in (grid, patches, relief.Grid(points[::-1, ::-1], grid.colours[::-1, ::-1]))
    )
    assert (by_order[..., 3] == sorted_by[..., 3]).mean() > 0.99
    assert (np.abs(by_order - sorted_by).max(axis=-1) > 30).mean() < 0.01
    # it does not matter from which corner a grid is given
    assert (np.abs(by_order - unsorted).max(axis=-1) > 30).mean() < 0.01


def test_parts_are_drawn_in_their_order() -> None:
    red, blue = (
        relief.Grid(square(3, colour).corners[0][[[0, 1], [3, 2]]], np.array([[colour]]))
        for colour in ((1.0, 0, 0), (0, 0, 1.0))
    )
    camera, view = relief.Camera(elevation=0), relief.View(20, 10, 8)
    assert relief.painted([red, blue], camera, view, (40, 20))[10, 20].tolist() == [0, 0, 255, 255]
    assert relief.painted([blue, red], camera, view, (40, 20))[10, 20].tolist() == [255, 0, 0, 255]


def test_what_is_behind_the_camera_or_beside_the_picture_is_left_out() -> None:
    camera = relief.Camera(elevation=0)
    behind = relief.painted([square(-1, (1, 0, 0))], camera, relief.View(20, 10, 12), (40, 20))
    beside = relief.painted([square(3, (1, 0, 0))], camera, relief.View(900, 10, 12), (40, 20))
    assert not behind[..., 3].any()
    assert not beside[..., 3].any()


def test_halving_takes_the_mean_of_what_is_there() -> None:
    pixels = np.zeros((2, 4, 4), np.uint8)
    pixels[0, 0], pixels[1, 0] = (200, 100, 0, 255), (100, 0, 0, 255)
    pixels[:, 1, :3] = 255  # nothing is there, whatever its colour
    pixels[:, 2:] = (10, 20, 30, 255)
    assert halved(pixels).tolist() == [[[150, 50, 0, 127], [10, 20, 30, 255]]]


def test_a_finer_grid_goes_through_the_same_places() -> None:
    grid = RNG.normal(size=(3, 4, 3))
    fine = relief.finer(grid, 5)
    assert fine.shape == (3, 16, 3)
    assert np.allclose(fine[:, ::5], grid)
    assert np.allclose(fine[:, 1], 0.8 * grid[:, 0] + 0.2 * grid[:, 1])


# --- a sheet that moves ------------------------------------------------------------------


def sheet(order: np.ndarray, values: np.ndarray) -> relief.Sheet:
    fine = relief.cells(values[order], 4)
    return relief.Sheet(fine, relief.Shade(np.ones_like(fine), np.ones_like(fine)), order)


def test_slices_leave_one_sheet_and_make_up_the_other() -> None:
    values = RNG.normal(size=(9, 5))
    counted, sorted_by = np.arange(9), np.argsort(np.arange(9) * 4 % 9)
    before, after = sheet(counted, values), sheet(sorted_by, values)
    for share, whole in ((0.0, before), (1.0, after)):
        moved = relief.slices(before, after, share)
        assert np.allclose(moved.lift, 0, atol=1e-9)
        place = np.argsort(moved.x[:, 2])
        assert place.tolist() == whole.order.tolist()
        assert np.allclose(moved.heights[place][:, :-1].reshape(36, -1), whole.heights[:-1])


def test_a_slice_keeps_its_values_on_the_way_and_none_appears() -> None:
    values = RNG.normal(size=(9, 5))
    before, after = (
        sheet(order, values) for order in (np.arange(9), np.argsort(np.arange(9) * 4 % 9))
    )
    for share in (0.2, 0.5, 0.8):
        moved = relief.slices(before, after, share)
        assert moved.heights.shape[0] == 9
        assert np.allclose(moved.heights[:, 2, 2::4], values)
        assert (moved.lift >= 0).all()
        assert moved.lift.max() > 0


def bent_edges(bend: relief.Bend) -> np.ndarray:
    edge = np.linspace(-0.5, 0.5, 21)
    x, y = np.meshgrid(edge, edge, indexing="ij")
    return relief.bent(x, y, np.zeros_like(x), bend)


def test_a_sheet_that_is_not_bent_is_flat() -> None:
    edge = np.linspace(-0.5, 0.5, 21)
    x, y = np.meshgrid(edge, edge, indexing="ij")
    assert np.allclose(bent_edges(relief.Bend()), np.stack([x, y, 0 * x], -1), atol=1e-4)


def test_the_edges_of_a_tube_meet_and_so_do_the_ends_of_a_ring() -> None:
    tube = bent_edges(relief.Bend(roll=1))
    assert np.allclose(tube[:, 0], tube[:, -1], atol=1e-4)
    assert not np.allclose(tube[0], tube[-1], atol=0.5)
    torus = bent_edges(relief.Bend(roll=1, ring=1, length=2.5))
    assert np.allclose(torus[:, 0], torus[:, -1], atol=1e-9)
    assert np.allclose(torus[0], torus[-1], atol=1e-9)
    assert np.allclose(torus[10, 10], 0)


def test_all_of_a_torus_is_as_far_from_its_ring() -> None:
    bend = relief.Bend(roll=1, ring=1, length=2.5)
    points = bent_edges(bend) - np.array([0, bend.radius, -bend.thickness])
    around = np.hypot(points[..., 0], points[..., 1]) - bend.radius
    assert np.allclose(np.hypot(around, points[..., 2]), bend.thickness)
