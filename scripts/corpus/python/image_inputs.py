"""Inputs of the networks that look at pictures."""
import random
from unittest import mock

import numpy as np
from captcha.image import ImageCaptcha
from PIL import Image, ImageDraw, ImageFont

import pictures
from case import Inputs
from sentences import sentences

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_PHOTOS = "photographs of scikit-image and scikit-learn"


def _first_channels(images):
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def _lines(count, width, height=48):
    """Sentences set in type, uint8 [count, height, width, 3]."""
    draw = np.random.default_rng(11)
    images = []
    for sentence in sentences(count):
        paper, ink = int(draw.integers(200, 256)), int(draw.integers(0, 90))
        image = Image.new("RGB", (width, height), (paper,) * 3)
        font = ImageFont.load_default(size=int(draw.integers(22, 32)))
        ImageDraw.Draw(image).text((8, 8), sentence[: width // 14], fill=(ink,) * 3, font=font)
        images.append(np.asarray(image))
    return np.stack(images)


class _Seeded(random.Random):
    """In place of the secrets that captchas are drawn by: the same ones each time."""

    def randbelow(self, end):
        return self.randrange(end)

    def randbits(self, bits):
        return self.getrandbits(bits)


def _captchas(count, width=160, height=60):
    """Captchas of the package captcha, uint8 [count, height, width, 3]."""
    seeded = _Seeded(13)
    with mock.patch("captcha.image.secrets", seeded):
        maker = ImageCaptcha(width, height)
        words = ["".join(seeded.choices(_LETTERS, k=4)) for _ in range(count)]
        return np.stack([np.asarray(maker.generate_image(word)) for word in words])


def text_detection(_):
    images = pictures.page(8, 384, 512) / np.float32(255)
    return Inputs({"x": _first_channels((images - 0.5) / 0.5)}, "parts of scikit-image's scanned page", True)


def text_recognition(_):
    images = _lines(16, 320) / np.float32(255)
    return Inputs({"x": _first_channels((images - 0.5) / 0.5)}, "sentences of documentation, set in type", True)


def text_direction(_):
    images = _lines(32, 192) / np.float32(255)
    turned = np.arange(32) % 2
    images = np.stack([image[::-1, ::-1] if turn else image for image, turn in zip(images, turned)])
    arrays = {"x": _first_channels((images - 0.5) / 0.5)}
    return Inputs(arrays, "sentences of documentation, set in type; every second one upside down", True, turned)


def page_layout(_):
    images = (pictures.page(4, 800, 608) / np.float32(255) - pictures.MEAN) / pictures.DEVIATION
    return Inputs({"image": _first_channels(images)}, "parts of scikit-image's scanned page", True)


def page_orientation(_):
    turns = np.arange(32) % 4
    images = np.stack([np.rot90(image, turn) for image, turn in zip(pictures.page(32, 224, 224), turns)])
    images = (images / np.float32(255) - pictures.MEAN) / pictures.DEVIATION
    origin = "parts of scikit-image's scanned page, turned by quarters"
    return Inputs({"x": _first_channels(images)}, origin, True, -turns % 4)


def captcha_reader(_):
    gray = [Image.fromarray(image).convert("L").resize((170, 64)) for image in _captchas(16)]
    images = np.stack([np.asarray(image) for image in gray])[:, None] / np.float32(255)
    return Inputs({"input1": (images - 0.5) / 0.5}, "captchas drawn by the package captcha", True)


def captcha_detector(_):
    images = pictures.photos(8, 416, 416).copy()
    captchas = _captchas(8, 240, 90)
    for index, captcha in enumerate(captchas):
        top, left = 20 + 35 * index, 10 + 20 * index
        images[index, top : top + 90, left : left + 240] = captcha
    origin = "captchas drawn by the package captcha, laid on photographs"
    return Inputs({"images": _first_channels(images).astype(np.float32)}, origin, True)


def captcha_crnn(_):
    images = _captchas(16)[..., ::-1].astype(np.float32)
    return Inputs({"image": _first_channels(images)}, "captchas drawn by the package captcha", True)


def captcha_similarity(_):
    pairs = _captchas(32, 60, 60).astype(np.float32) / np.float32(255)
    return Inputs({"input_1": pairs[:16], "input_2": pairs[16:]}, "captchas drawn by the package captcha", True)


def nudity_detector(_):
    return Inputs({"images": _first_channels(pictures.photos(8, 320, 320) / np.float32(255))}, _PHOTOS, True)


def _nsfw(name):
    means = np.array([104, 117, 123], np.float32)
    return lambda _: Inputs({name: pictures.photos(16, 224, 224)[..., ::-1] - means}, _PHOTOS, True)


def focus_vit(_):
    return Inputs({"input_image": pictures.normalized(8, 224, 224)}, _PHOTOS, True)


CASES = {
    "text-detection": text_detection,
    "text-detection-opset11": text_detection,
    "text-recognition": text_recognition,
    "text-recognition-opset9": text_recognition,
    "text-direction": text_direction,
    "text-direction-opset9": text_direction,
    "page-layout": page_layout,
    "page-orientation": page_orientation,
    "captcha-reader": captcha_reader,
    "captcha-reader-int8": captcha_reader,
    "captcha-detector": captcha_detector,
    "captcha-crnn": captcha_crnn,
    "captcha-similarity": captcha_similarity,
    "nudity-detector": nudity_detector,
    "nsfw-opset9": _nsfw("input:0"),
    "nsfw-opset17": _nsfw("input_0"),
    "focus-vit": focus_vit,
}
