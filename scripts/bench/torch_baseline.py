"""The baseline in PyTorch: the method written formula by formula, gradients from autograd, everything by Adam.

Reads one JSON object a line from stdin and answers with one line each:
  first   {"architecture": {...}, "imageShape": [h, w, c], "classes": n, "batch": n}  ->  {"torch": version, "threads": n}
  then    {"case": "torch-fp32" | "torch-2-8" | "torch-2-32", "steps": n}  ->  {"ms": [...], "peakMb": n}
"""

import json
import math
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1
LEVELS = (4, 8, 16, 32)
PHI = {"torch-2-8": (6.0, 6.0, -6.0, -6.0), "torch-2-32": (6.0, 6.0, 6.0, 6.0)}
PRIOR_STRENGTH = 0.01


class RoundStraightThrough(torch.autograd.Function):
    """Rounds half to even; the gradient passes as if it did not."""

    @staticmethod
    def forward(_, x):
        return torch.round(x)

    @staticmethod
    def backward(_, gradient):
        return gradient


def sample(phi):
    """A hard-concrete gate per element of phi."""
    u = torch.empty_like(phi).uniform_(1e-6, 1 - 1e-6)
    s = torch.sigmoid((torch.log(u) - torch.log(1 - u) + phi) / BETA)
    return torch.clamp(s * (ZETA - GAMMA) + GAMMA, 0, 1)


def open_probability(phi):
    return torch.sigmoid(phi - BETA * math.log(-GAMMA / ZETA))


class Quantizer(nn.Module):
    """x_q = z_2 (x_2 + z_4 (e_4 + z_8 (e_8 + ...))): residuals one after the other, a learned range, learned gates."""

    def __init__(self, phi, signed, channels, mac_share):
        super().__init__()
        self.signed, self.mac_share, self.initialized = signed, mac_share, False
        self.x_max = nn.Parameter(torch.ones(()))
        self.phi = nn.ParameterList([nn.Parameter(torch.tensor(value)) for value in phi])
        self.prune = nn.Parameter(torch.full((channels,), 6.0)) if channels else None

    def forward(self, x):
        if not self.initialized:
            self.x_max.data = x.detach().max().clamp(min=1e-3)
            self.initialized = True
        round_ = RoundStraightThrough.apply
        high = self.x_max * (1 - 1e-7)
        low = -high if self.signed else torch.zeros_like(high)
        clipped = torch.minimum(torch.maximum(x, low), high)
        step = (2 * self.x_max if self.signed else self.x_max) / 3
        total = step * round_(clipped / step)
        residuals, gates = [total], []
        for level, phi in zip(LEVELS, self.phi):
            if phi.item() <= -2:
                break
            step = step / (2 ** (level // 2) + 1)
            residual = step * round_((clipped - total) / step)
            total = total + residual
            residuals.append(residual)
            gates.append(sample(phi))
        output = residuals[-1]
        for residual, gate in zip(reversed(residuals[:-1]), reversed(gates)):
            output = residual + gate * output
        if self.prune is None:
            return output
        return output * sample(self.prune).view(-1, *[1] * (x.dim() - 1))

    def complexity(self):
        if self.prune is None:
            product = total = torch.ones(())
        else:
            product = open_probability(self.prune).mean()
            total = product * 2 * self.mac_share
        for level, phi in zip(LEVELS, self.phi):
            product = product * open_probability(phi)
            total = total + product * level * self.mac_share
        return total


class Layer(nn.Module):
    """Convolution or dense layer, batch normalization where asked for, ReLU, pooling; quantized where phi is given."""

    def __init__(self, spec, inputs, batch_norm, last, phi, mac_share):
        super().__init__()
        self.conv, self.last = spec["kind"] == "conv", last
        self.pool = self.conv and spec["pool"]
        outputs = spec["outputs"]
        if self.conv:
            padding = spec["kernel"] // 2 if spec["padding"] == "same" else 0
            self.layer = nn.Conv2d(inputs, outputs, spec["kernel"], padding=padding)
        else:
            self.layer = nn.Linear(inputs, outputs)
        self.norm = None
        if batch_norm and not last:
            self.norm = nn.BatchNorm2d(outputs) if self.conv else nn.BatchNorm1d(outputs)
        self.weight_quantizer = Quantizer(phi, True, None if last else outputs, mac_share) if phi else None
        self.activation_quantizer = Quantizer(phi, False, None, mac_share) if phi and not last else None

    def apply_layer(self, x, weight, bias=None):
        if self.conv:
            return F.conv2d(x, weight, bias, padding=self.layer.padding)
        return F.linear(x, weight, bias)

    def normalized(self, x):
        """The authors' form: the folded weight is quantized; a second, unfolded convolution gives the statistics."""
        norm, weight = self.norm, self.layer.weight
        dims = (0, 2, 3) if self.conv else (0,)
        per_channel = lambda values: values.view(1, -1, 1, 1) if self.conv else values
        deviation = torch.sqrt(norm.running_var + norm.eps)
        folded = weight * (norm.weight / deviation).view(-1, *[1] * (weight.dim() - 1))
        plain = self.apply_layer(x, weight, self.layer.bias)
        mean, variance = plain.mean(dims), plain.var(dims, unbiased=False)
        batch_deviation = torch.sqrt(variance + norm.eps)
        with torch.no_grad():
            norm.running_mean.lerp_(mean, norm.momentum)
            norm.running_var.lerp_(variance, norm.momentum)
        output = self.apply_layer(x, self.weight_quantizer(folded))
        shift = norm.bias + (self.layer.bias - mean) * norm.weight / batch_deviation
        return output * per_channel(deviation / batch_deviation) + per_channel(shift)

    def forward(self, x):
        if not self.conv:
            x = x.flatten(1)
        if self.weight_quantizer is None:
            x = self.layer(x)
            x = x if self.norm is None else self.norm(x)
        elif self.norm is None:
            x = self.apply_layer(x, self.weight_quantizer(self.layer.weight), self.layer.bias)
        else:
            x = self.normalized(x)
        if self.last:
            return x
        x = F.relu(x)
        if self.activation_quantizer is not None:
            x = self.activation_quantizer(x)
        return F.max_pool2d(x, 2) if self.pool else x


class Training:
    """A network, its optimizers and its resident batch."""

    def __init__(self, job, case):
        torch.manual_seed(1)
        (rows, columns, inputs), batch = job["imageShape"], job["batch"]
        self.images = torch.rand(batch, inputs, rows, columns)
        self.labels = torch.randint(job["classes"], (batch,))
        phi, specs = PHI.get(case), job["architecture"]["layers"]
        sizes = []
        for spec in specs:
            if spec["kind"] == "dense":
                units, rows, columns, inputs = rows * columns * inputs, 1, 1, spec["outputs"]
                sizes.append((units, units * inputs))
                continue
            lost = spec["kernel"] - 1 if spec["padding"] == "valid" else 0
            rows, columns = rows - lost, columns - lost
            sizes.append((inputs, rows * columns * spec["kernel"] ** 2 * inputs * spec["outputs"]))
            inputs = spec["outputs"]
            if spec["pool"]:
                rows, columns = rows // 2, columns // 2
        largest = max(macs for _, macs in sizes)
        self.network = nn.Sequential(
            *(
                Layer(spec, inputs, job["architecture"]["batchNorm"], spec is specs[-1], phi, macs / largest)
                for spec, (inputs, macs) in zip(specs, sizes)
            )
        )
        self.quantizers = [module for module in self.network.modules() if isinstance(module, Quantizer)]
        named = list(self.network.named_parameters())
        gates = [parameter for name, parameter in named if ".phi." in name or name.endswith(".prune")]
        ranges = [parameter for name, parameter in named if name.endswith(".x_max")]
        learned = {id(parameter) for parameter in gates + ranges}
        weights = [parameter for _, parameter in named if id(parameter) not in learned]
        # The gates do not learn here: they stay in the setting that the case is named after.
        groups = ((weights, 1e-3), (gates, 0.0), (ranges, 1e-3))
        self.optimizers = [torch.optim.Adam(group, lr=rate) for group, rate in groups if group]

    def step(self):
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss = F.cross_entropy(self.network(self.images), self.labels)
        if self.quantizers:
            loss = loss + PRIOR_STRENGTH * sum(quantizer.complexity() for quantizer in self.quantizers)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.item()


def peak_mb():
    """Of this process. Linux's ru_maxrss is no less than that of the process that started this one: VmHWM is its own."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024
    except OSError:
        # macOS counts in bytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    answer = lambda message: print(json.dumps(message), flush=True)
    job = json.loads(sys.stdin.readline())
    answer({"torch": torch.__version__, "threads": torch.get_num_threads()})
    trainings = {}
    for line in sys.stdin:
        request = json.loads(line)
        case = request["case"]
        if case not in trainings:
            trainings[case] = Training(job, case)
        times = []
        for _ in range(request["steps"]):
            start = time.perf_counter()
            trainings[case].step()
            times.append(1000 * (time.perf_counter() - start))
        answer({"ms": times, "peakMb": peak_mb()})


main()
