"""Pictures that ship inside scikit-image and scikit-learn: photographs, a printed page, handwritten digits."""
import numpy as np
import skimage.data
import skimage.transform
import sklearn.datasets

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
# Those that lie in the package; scikit-image fetches others.
_NAMES = ("astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field", "immunohistochemistry", "retina")


def _photographs():
    return [getattr(skimage.data, name)() for name in _NAMES] + list(sklearn.datasets.load_sample_images().images)


def photos(count, height, width):
    """`count` crops of photographs, uint8 [count, height, width, 3]: the whole first, then parts at seeded places."""
    random = np.random.default_rng(7)
    sources = _photographs()
    crops = []
    for index in range(count):
        image = sources[index % len(sources)]
        part = 1.0 if index < len(sources) else random.uniform(0.35, 0.9)
        side = int(min(image.shape[:2]) * part)
        top, left = (random.integers(0, length - side + 1) for length in image.shape[:2])
        crop = image[top : top + side, left : left + side, :3]
        resized = skimage.transform.resize(crop, (height, width), anti_aliasing=True)
        crops.append(np.round(resized * 255).astype(np.uint8))
    return np.stack(crops)


def normalized(count, height, width):
    """Photographs as ImageNet's networks take them: float32 [count, 3, height, width], mean 0 and deviation 1."""
    scaled = (photos(count, height, width) / np.float32(255) - MEAN) / DEVIATION
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2).astype(np.float32))


def digits(count, side=28):
    """Handwritten digits, float32 [count, 1, side, side] in 0 … 1, and their classes."""
    data = sklearn.datasets.load_digits()
    images = [skimage.transform.resize(image / 16, (side, side)) for image in data.images[:count]]
    return np.stack(images)[:, None].astype(np.float32), data.target[:count].astype(np.int64)


def page(count, height, width):
    """Parts of a scanned page, uint8 [count, height, width, 3]."""
    random = np.random.default_rng(8)
    image = np.pad(skimage.data.page(), 24, constant_values=230)
    parts = []
    for _ in range(count):
        high = int(image.shape[0] * random.uniform(0.6, 1.0))
        wide = int(image.shape[1] * random.uniform(0.6, 1.0))
        top = random.integers(0, image.shape[0] - high + 1)
        left = random.integers(0, image.shape[1] - wide + 1)
        part = skimage.transform.resize(image[top : top + high, left : left + wide], (height, width), anti_aliasing=True)
        parts.append(np.repeat(np.round(part * 255).astype(np.uint8)[..., None], 3, axis=2))
    return np.stack(parts)
