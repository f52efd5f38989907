"""Small networks of the kinds that libraries do not carry: MLPerf Tiny's, recurrent ones, a U-Net, several outputs."""
import torch
from torch import nn
from torch.nn import functional as F


def block(inputs, outputs, kernel=3, stride=1, groups=1):
    """Convolution, batch normalization, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class Mlp(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(784, 256), nn.GELU(), nn.Linear(256, 64), nn.GELU(), nn.Linear(64, 10))


class AlexNet(nn.Sequential):
    """Large kernels, local response normalization, overlapping pooling."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 48, 11, 4, 5), nn.ReLU(), nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2),
            nn.Conv2d(48, 96, 5, 1, 2, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Flatten(), nn.Linear(864, 128), nn.ReLU(), nn.Linear(128, 10),
        )


class Vgg(nn.Sequential):
    def __init__(self):
        widths = (3, 32, 64, 128)
        stages = [nn.Sequential(block(a, b), block(b, b), nn.MaxPool2d(2)) for a, b in zip(widths, widths[1:])]
        super().__init__(*stages, nn.Flatten(), nn.Linear(8192, 128), nn.ReLU(), nn.Linear(128, 10))


class UNet(nn.Module):
    """One way up by ConvTranspose, one by bilinear Resize; Concat across."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([block(3, 16), block(16, 32), block(32, 64)])
        self.up = nn.ConvTranspose2d(64, 32, 2, 2)
        self.join = nn.ModuleList([block(64, 32), block(48, 16)])
        self.classes = nn.Conv2d(16, 2, 1)

    def forward(self, input):
        first = self.down[0](input)
        second = self.down[1](F.max_pool2d(first, 2))
        third = self.down[2](F.max_pool2d(second, 2))
        joined = self.join[0](torch.cat([self.up(third), second], 1))
        wide = F.interpolate(joined, scale_factor=2, mode="bilinear", align_corners=False)
        return self.classes(self.join[1](torch.cat([wide, first], 1)))


class ResNet8(nn.Module):
    """MLPerf Tiny's image classification."""

    def __init__(self):
        super().__init__()
        self.start = block(3, 16)
        shapes = ((16, 16, 1), (16, 32, 2), (32, 64, 2))
        self.first = nn.ModuleList([block(i, o, 3, s) for i, o, s in shapes])
        self.second = nn.ModuleList([nn.Sequential(nn.Conv2d(o, o, 3, 1, 1), nn.BatchNorm2d(o)) for _, o, _ in shapes])
        self.across = nn.ModuleList([nn.Conv2d(i, o, 1, s) if s > 1 else nn.Identity() for i, o, s in shapes])
        self.classes = nn.Linear(64, 10)

    def forward(self, input):
        x = self.start(input)
        for first, second, across in zip(self.first, self.second, self.across):
            x = F.relu(second(first(x)) + across(x))
        return self.classes(x.mean((2, 3)))


class KeywordSpotting(nn.Module):
    """MLPerf Tiny's DS-CNN: kernels and strides that are not square, padding of one side's own."""

    def __init__(self):
        super().__init__()
        start = [nn.Conv2d(1, 64, (10, 4), (2, 1), (4, 1), bias=False), nn.BatchNorm2d(64), nn.ReLU()]
        body = [layer for _ in range(4) for layer in (block(64, 64, groups=64), block(64, 64, 1))]
        self.features = nn.Sequential(*start, *body)
        self.classes = nn.Linear(64, 12)

    def forward(self, input):
        return self.classes(F.adaptive_avg_pool2d(self.features(input), 1).flatten(1))


class Waveform(nn.Sequential):
    """Raw audio: 1-D convolutions."""

    def __init__(self):
        def stage(inputs, outputs, *window):
            return nn.Sequential(nn.Conv1d(inputs, outputs, *window), nn.BatchNorm1d(outputs), nn.ReLU(), nn.MaxPool1d(4))

        super().__init__(
            stage(1, 32, 80, 16, 38), stage(32, 64, 3, 1, 1), stage(64, 64, 3, 1, 1),
            nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, 12),
        )


class Recurrent(nn.Module):
    def __init__(self, cell, bidirectional=False):
        super().__init__()
        self.cell = cell(40, 64, batch_first=True, bidirectional=bidirectional)
        self.classes = nn.Linear(128 if bidirectional else 64, 12)

    def forward(self, input):
        return self.classes(self.cell(input)[0][:, -1])


class Autoencoder(nn.Sequential):
    """MLPerf Tiny's anomaly detection."""

    def __init__(self):
        widths = (640, 128, 128, 128, 128, 8, 128, 128, 128, 128)
        hidden = [nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU()) for a, b in zip(widths, widths[1:])]
        super().__init__(*hidden, nn.Linear(128, 640))


class TwoHeads(nn.Module):
    """Two outputs from one trunk."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(block(3, 16, 3, 2), block(16, 32, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.kinds, self.box = nn.Linear(32, 10), nn.Linear(32, 4)

    def forward(self, input):
        features = self.trunk(input)
        return self.kinds(features).softmax(1), self.box(features).sigmoid()
