"""The architectures that are exported: for each name the network, with random weights, and what it takes.

A case gives (network, Inputs), the inputs in the order that the network takes them. Sizes are small where the field
has a small one, so that a sweep over all of them is a matter of minutes.
"""
import numpy as np
import timm
import torch
import torchvision.models as vision
import transformers

import pictures
import small_networks as small
from case import Inputs

SAMPLES = 16


def _photographs(side):
    arrays = {"input": pictures.normalized(SAMPLES, side, side)}
    return Inputs(arrays, "photographs of scikit-image and scikit-learn", True)


def _image(build, side=224):
    return lambda: (build(), _photographs(side))


def _torchvision(name, **settings):
    return _image(lambda: getattr(vision, name)(weights=None, **settings))


def _timm(name, side=224):
    return _image(lambda: timm.create_model(name, pretrained=False), side)


def _tokens(length, vocabulary=1000):
    return np.random.default_rng(3).integers(5, vocabulary, (SAMPLES, length))


class _Text(torch.nn.Module):
    """A transformer as users export it: ids and mask in, one tensor out."""

    def __init__(self, model, output):
        super().__init__()
        self.model, self.output = model, output

    def forward(self, input_ids, attention_mask):
        return getattr(self.model(input_ids=input_ids, attention_mask=attention_mask), self.output)


class _Output(torch.nn.Module):
    """One tensor of what a model gives, from one input."""

    def __init__(self, model, output):
        super().__init__()
        self.model, self.output = model, output

    def forward(self, input):
        return self.model(input)[self.output]


def _text(build, output, length=32):
    def case():
        ids = _tokens(length)
        mask = np.ones_like(ids)
        for sample in range(0, SAMPLES, 2):
            mask[sample, length - 2 - sample :] = 0
        return _Text(build(), output), Inputs({"input_ids": ids, "attention_mask": mask}, "random tokens", False)

    return case


_TINY = dict(vocab_size=1000, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512)


def _bert():
    return transformers.BertForSequenceClassification(transformers.BertConfig(**_TINY, attn_implementation="eager"))


def _distilbert():
    config = transformers.DistilBertConfig(vocab_size=1000, dim=128, n_layers=2, n_heads=2, hidden_dim=512)
    return transformers.DistilBertModel(config)


def _albert():
    config = transformers.AlbertConfig(**{**_TINY, "num_hidden_layers": 4}, embedding_size=64)
    return transformers.AlbertModel(config)


def _gpt2():
    config = transformers.GPT2Config(vocab_size=1000, n_positions=64, n_embd=128, n_layer=2, n_head=2, use_cache=False)
    return transformers.GPT2LMHeadModel(config)


def _speech():
    config = transformers.Wav2Vec2Config(
        hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512, conv_dim=(128,) * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    )
    noise = np.random.default_rng(5).normal(0, 0.3, (SAMPLES, 8000)).astype(np.float32)
    return _Output(transformers.Wav2Vec2Model(config), "last_hidden_state"), Inputs({"input": noise}, "noise", False)


def _segmentation():
    model = vision.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None)
    return _Output(model, "out"), _photographs(128)


def _digits():
    images, _ = pictures.digits(SAMPLES)
    return small.Mlp(), Inputs({"input": images}, "scikit-learn's handwritten digits", True)


def _noise(build, *shape):
    noise = np.random.default_rng(4).normal(0, 1, (SAMPLES, *shape)).astype(np.float32)
    return lambda: (build(), Inputs({"input": noise}, "noise", False))


CASES = {
    "alexnet-small": _image(small.AlexNet, 64),
    "vgg-small": _image(small.Vgg, 64),
    "squeezenet": _torchvision("squeezenet1_1"),
    "googlenet": _torchvision("googlenet", init_weights=False, aux_logits=False),
    "densenet121": _torchvision("densenet121"),
    "shufflenet-v2": _torchvision("shufflenet_v2_x0_5"),
    "mnasnet": _torchvision("mnasnet0_5"),
    "mobilenet-v2": _torchvision("mobilenet_v2"),
    "mobilenet-v3": _torchvision("mobilenet_v3_small"),
    "efficientnet-b0": _torchvision("efficientnet_b0"),
    "regnet-y": _torchvision("regnet_y_400mf"),
    "resnet18": _torchvision("resnet18"),
    "resnet50": _torchvision("resnet50"),
    "convnext-tiny": _torchvision("convnext_tiny"),
    "swin-t": _torchvision("swin_t"),
    "segmentation-lraspp": _segmentation,
    "vit-tiny": _timm("vit_tiny_patch16_224"),
    "mixer": _timm("mixer_s32_224"),
    "repvgg": _timm("repvgg_a0"),
    "ghostnet": _timm("ghostnet_050"),
    "efficientnet-lite": _timm("efficientnet_lite0"),
    "convnext-v2": _timm("convnextv2_atto"),
    "mobilevit": _timm("mobilevit_xxs", 256),
    "resnet-v2": _timm("resnetv2_18"),
    "bert": _text(_bert, "logits"),
    "distilbert": _text(_distilbert, "last_hidden_state"),
    "albert": _text(_albert, "last_hidden_state"),
    "gpt2": _text(_gpt2, "logits"),
    "wav2vec2": _speech,
    "unet": _image(small.UNet, 64),
    "resnet8": _image(small.ResNet8, 32),
    "mlp": _digits,
    "conv1d": _noise(small.Waveform, 1, 16000),
    "lstm": _noise(lambda: small.Recurrent(torch.nn.LSTM), 49, 40),
    "gru-two-ways": _noise(lambda: small.Recurrent(torch.nn.GRU, bidirectional=True), 49, 40),
    "keyword-spotting": _noise(small.KeywordSpotting, 1, 49, 10),
    "autoencoder": _noise(small.Autoencoder, 640),
    "two-heads": _image(small.TwoHeads, 32),
}
