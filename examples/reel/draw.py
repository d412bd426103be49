"""Draw one scene of the story: draw.py SCENE_AS_JSON PICTURE.png."""

from __future__ import annotations

import json
import math
import random
import sys
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

SIZE = WIDTH, HEIGHT = 1280, 720
GROUND, LAMPS = 520, 12
LIGHT, SEA = (255, 214, 140), (30, 48, 84)


def sky(top: str, bottom: str) -> Image.Image:
    """Return a sky that goes from one colour to another."""
    mask = Image.linear_gradient("L").resize(SIZE)
    return Image.composite(Image.new("RGB", SIZE, bottom), Image.new("RGB", SIZE, top), mask)


def glow(picture: Image.Image, x: float, y: float, radius: int, strength: float) -> None:
    """Let a light shine at a place."""
    halo = Image.radial_gradient("L").resize((2 * radius, 2 * radius))
    mask = halo.point([int(strength * max(0, 255 - 2 * value)) for value in range(256)])
    picture.paste(LIGHT, (int(x) - radius, int(y) - radius), mask)


def stars(picture: Image.Image, rng: random.Random) -> None:
    """Scatter stars over the upper sky, and a moon."""
    pen, moon = ImageDraw.Draw(picture), rng.uniform(0.6, 0.9) * WIDTH
    for _ in range(140):
        spot = (rng.random() * WIDTH, rng.random() ** 2 * GROUND * 0.8)
        pen.circle(spot, rng.uniform(0.6, 2.0), fill="#ebebff")
    glow(picture, moon, 130, 150, 0.35)
    pen.circle((moon, 130), 42, fill="#faf4dc")


def hills(picture: Image.Image, land: str, rng: random.Random) -> None:
    """Lay three ranges of hills over each other, the nearest one darkest."""
    for depth in range(3):
        layer, phase = Image.new("L", SIZE), rng.uniform(0, 6)
        base, height = GROUND - 120 + 60 * depth, 70 - 18 * depth
        wave = [math.sin(x / 170 + phase) + 0.4 * math.sin(x / 47) for x in range(WIDTH + 1)]
        line = [(x, base - height * up) for x, up in enumerate(wave)]
        shade = 110 + 70 * depth
        ImageDraw.Draw(layer).polygon([*line, (WIDTH, HEIGHT), (0, HEIGHT)], fill=shade)
        picture.paste(land, mask=layer.filter(ImageFilter.GaussianBlur(3 - depth)))


def water(pen: ImageDraw.ImageDraw, land: str, rng: random.Random) -> None:
    """Draw a sea with ripples and a boat."""
    pen.rectangle((0, GROUND + 20, WIDTH, HEIGHT), fill=SEA)
    for _ in range(160):
        x, y = rng.random() * WIDTH, rng.uniform(GROUND + 26, HEIGHT)
        pen.line((x, y, x + rng.uniform(20, 90), y), fill="#546e96", width=2)
    pen.polygon([(820, 560), (1040, 560), (1000, 605), (850, 605)], fill=land)
    pen.polygon([(925, 390), (925, 550), (1020, 550)], fill="#ded6c8")


def houses(pen: ImageDraw.ImageDraw, land: str, rng: random.Random) -> None:
    """Draw a row of houses; some windows are lit."""
    for left in range(0, WIDTH, 130):
        x, wide, top = left + rng.uniform(0, 20), rng.uniform(80, 110), rng.uniform(320, 440)
        pen.rectangle((x, top, x + wide, HEIGHT), fill=land)
        pen.polygon([(x - 8, top), (x + wide / 2, top - 60), (x + wide + 8, top)], fill=land)
        window = (x + wide / 2 - 14, top + 30, x + wide / 2 + 14, top + 70)
        pen.rectangle(window, fill=LIGHT if rng.random() < 0.5 else "#3c3e5c")


def trees(pen: ImageDraw.ImageDraw, land: str, rng: random.Random) -> None:
    """Draw a wood of firs."""
    for x in [rng.uniform(0, WIDTH) for _ in range(26)]:
        foot, high = GROUND + rng.uniform(20, 90), rng.uniform(130, 260)
        for tier in range(3):
            y, half = foot - tier * high / 4, high / 4 - tier * 12
            pen.polygon([(x - half, y), (x, y - high / 2), (x + half, y)], fill=land)


def mill(pen: ImageDraw.ImageDraw, land: str, rng: random.Random) -> None:
    """Draw a windmill, its sails somewhere in their turn."""
    pen.polygon([(830, 600), (870, 300), (970, 300), (1010, 600)], fill=land)
    turn = rng.uniform(0, math.pi / 2)
    for angle in (turn + sail * math.pi / 2 for sail in range(4)):
        end = (920 + 210 * math.cos(angle), 310 + 210 * math.sin(angle))
        pen.line((920, 310, *end), fill="#c4beb4", width=16)


def tower(pen: ImageDraw.ImageDraw, land: str, rng: random.Random) -> None:
    """Draw the lighthouse above the sea, and its beam."""
    water(pen, land, rng)
    pen.polygon([(640, 205), (0, 90), (0, 320)], fill="#d9a878")
    for band in range(6):
        y, half = 230 + 60 * band, 44 + 7 * band
        shape = [(640 - half, y), (640 + half, y), (647 + half, y + 60), (633 - half, y + 60)]
        pen.polygon(shape, fill="#d65446" if band % 2 else "#f0e8dc")
    pen.rectangle((600, 180, 680, 230), fill=LIGHT)


PLACES = {place.__name__: place for place in (water, houses, trees, mill, tower)}
STREAKS = {"rain": (-14, 46, 2), "wind": (130, 12, 2), "snow": (0, 7, 7)}


def lamps(picture: Image.Image, lit: int) -> None:
    """Draw the twelve lamps; those that are in the book burn."""
    pen = ImageDraw.Draw(picture)
    for lamp in range(LAMPS):
        x, y = 70 + lamp * (WIDTH - 140) / (LAMPS - 1), 530 - 6 * lamp
        pen.line((x, y, x, y + 90), fill="#18161e", width=6)
        if lamp < lit:
            glow(picture, x, y, 74, 0.8)
        pen.circle((x, y), 12, fill="#fff0c8" if lamp < lit else "#464854")


def weather(picture: Image.Image, kind: str, rng: random.Random) -> None:
    """Let it rain, snow or blow, or lay fog over everything."""
    if kind == "fog":
        mist = Image.effect_noise((8, 16), 90).resize(SIZE, Image.Resampling.BICUBIC)
        depth = Image.linear_gradient("L").resize(SIZE).point([v // 2 for v in range(256)])
        picture.paste("#c8d2e1", mask=ImageChops.multiply(mist, depth))
    pen, (dx, dy, width) = ImageDraw.Draw(picture, "RGBA"), STREAKS.get(kind, (0, 0, 0))
    for _ in range(320 if width else 0):
        x, y = rng.uniform(-100, WIDTH), rng.uniform(-40, HEIGHT)
        pen.line((x, y, x + dx, y + dy), fill=(225, 232, 245, 120), width=width)


def caption(picture: Image.Image, scene: dict[str, Any]) -> None:
    """Write the title and the text on a band at the bottom."""
    pen, font = ImageDraw.Draw(picture, "RGBA"), ImageFont.load_default
    pen.rectangle((0, 578, WIDTH, HEIGHT), fill=(8, 8, 16, 175))
    pen.text((110, 588), scene["title"], fill=LIGHT, font=font(44))
    pen.text((110, 646), scene["text"], fill="#ebebf0", font=font(25))
    pen.text((WIDTH - 110, 592), f"{scene['lamps']} / 12", fill=LIGHT, font=font(40), anchor="ra")


def developed(picture: Image.Image) -> Image.Image:
    """Let the lights bleed into the dark, and add the grain of old film."""
    bloom = picture.filter(ImageFilter.GaussianBlur(24)).point([v // 3 for v in range(256)] * 3)
    grain = Image.merge("RGB", [Image.effect_noise(SIZE, 9)] * 3)
    return ImageChops.add(ImageChops.screen(picture, bloom), grain, offset=-128)


def draw(scene: dict[str, Any]) -> Image.Image:
    """Return a scene's picture."""
    rng, land = random.Random(scene["id"]), scene["land"]
    picture = sky(*scene["sky"])
    if scene["weather"] == "clear":
        stars(picture, rng)
    hills(picture, land, rng)
    PLACES[scene["place"]](ImageDraw.Draw(picture), land, rng)
    lamps(picture, scene["lamps"])
    weather(picture, scene["weather"], rng)
    picture = developed(picture)
    caption(picture, scene)
    return picture


if __name__ == "__main__":
    draw(json.loads(sys.argv[1])).save(sys.argv[2], optimize=True)
