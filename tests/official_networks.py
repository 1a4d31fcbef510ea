"""The official networks in plain torch, built from the tables of their layers.

Nothing here is ours: names come from the places of layers in `nn.Sequential`, as the official
checkpoints have them, and norms take the statistics of the one frame that they are given.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Norm = Callable[[int], nn.Module]


def batch_norm(channels: int) -> nn.Module:
    """BatchNorm whose gains and biases are not the identity."""
    layer = nn.BatchNorm2d(channels)
    nn.init.normal_(layer.weight, 1, 0.3)
    nn.init.normal_(layer.bias, 0, 0.3)
    return layer


def instance_norm(channels: int) -> nn.Module:
    return nn.InstanceNorm2d(channels)


def tracked_norm(channels: int) -> nn.Module:
    return nn.InstanceNorm2d(channels, track_running_stats=True)


def no_norm(channels: int) -> nn.Module:
    return nn.Identity()


def stem(channels_in: int, width: int, norm: Norm, *, bias: bool = True) -> list[nn.Module]:
    conv = nn.Conv2d(channels_in, width, 7, bias=bias)
    return [nn.ReflectionPad2d(3), conv, norm(width), nn.ReLU()]


def down(channels_in: int, width: int, norm: Norm, *, bias: bool = True) -> list[nn.Module]:
    conv = nn.Conv2d(channels_in, width, 3, stride=2, padding=1, bias=bias)
    return [conv, norm(width), nn.ReLU()]


def up(channels_in: int, width: int, norm: Norm, *, bias: bool = True) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(
        channels_in, width, 3, stride=2, padding=1, output_padding=1, bias=bias
    )
    return [conv, norm(width), nn.ReLU()]


def head(width: int, channels: int, *activation: nn.Module) -> list[nn.Module]:
    return [nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), *activation]


class Block(nn.Module):
    def __init__(self, width: int, norm: Norm, *, bias: bool = True, dropout: bool = False):
        super().__init__()
        dropped = [nn.Dropout(0.0)] if dropout else []
        first, second = (nn.Conv2d(width, width, 3, bias=bias) for _ in range(2))
        self.conv_block = nn.Sequential(
            *(nn.ReflectionPad2d(1), first, norm(width), nn.ReLU(), *dropped),
            *(nn.ReflectionPad2d(1), second, norm(width)),
        )

    def forward(self, features: Tensor) -> Tensor:
        return features + self.conv_block(features)


def blocks(width: int, count: int, norm: Norm) -> list[nn.Module]:
    return [Block(width, norm) for _ in range(count)]


def encoder(channels_in: int, width: int, depth: int, norm: Norm) -> list[nn.Module]:
    steps = [down(width * 2**i, width * 2 ** (i + 1), norm) for i in range(depth)]
    return [*stem(channels_in, width, norm), *(layer for step in steps for layer in step)]


def decoder(width: int, depth: int, norm: Norm) -> list[nn.Module]:
    steps = [up(width * 2 ** (i + 1), width * 2**i, norm) for i in reversed(range(depth))]
    return [layer for step in steps for layer in step]


def pooled(maps: Tensor) -> Tensor:
    return F.avg_pool2d(maps, 3, stride=2, padding=1, count_include_pad=False)


class Scale(nn.Module):
    """G0 (`scale` 0) or one of G1, G2 ... of vid2vid."""

    def __init__(
        self,
        channels_in: int,
        *,
        scale: int,
        width: int,
        depth: int,
        count: int,
        norm: Norm,
        history: int = 2,
        flow: bool = True,
        foreground: bool = False,
    ):
        super().__init__()
        self.scale, self.flow, self.foreground = scale, flow, foreground
        narrow = width // 2 if depth > 2 else width
        for name, channels in (("seg", channels_in), ("img", 3 * history)):
            tail = blocks(width * 2**depth, count - count // 2, norm)
            layers = (
                encoder(channels, width, 1, norm)
                if scale
                else [*encoder(channels, width, depth, norm), *tail]
            )
            setattr(self, f"model_down_{name}", nn.Sequential(*layers))
        for name in ("img", "flow") if flow else ("img",):
            if scale:
                layers = [*blocks(2 * width, count, norm), *decoder(width, 1, norm)]
            else:
                trunk = blocks(width * 2**depth, count // 2, norm)
                setattr(self, f"model_res_{name}", nn.Sequential(*trunk))
                layers = decoder(width, depth, norm)
            setattr(self, f"model_up_{name}", nn.Sequential(*layers))
        self.model_final_img = nn.Sequential(*head(width, 3, nn.Tanh()))
        if flow:
            self.model_final_flow = nn.Sequential(*head(width, 2))
            self.model_final_w = nn.Sequential(*head(width, 1, nn.Sigmoid()))
        if foreground:
            own_depth = 1 if scale else depth
            self.indv_down = nn.Sequential(*encoder(channels_in, narrow, own_depth, norm))
            if scale:
                layers = [*blocks(2 * narrow, count, norm), *decoder(narrow, 1, norm)]
            else:
                self.indv_res = nn.Sequential(*blocks(narrow * 2**depth, count, norm))
                layers = decoder(narrow, depth, norm)
            self.indv_up = nn.Sequential(*layers)
            self.indv_final = nn.Sequential(*head(narrow, 3, nn.Tanh()))

    def forward(self, maps: Tensor, past: Tensor, mask: Tensor, coarser: tuple, raw_only: bool):
        """Return the named outputs of one frame, and the features for the next scale."""
        image_in, flow_in, fg_in = coarser
        encoded = self.model_down_seg(maps) + self.model_down_img(past)
        sums = [encoded if each is None else encoded + each for each in (image_in, flow_in)]
        if not self.scale:
            sums[0] = self.model_res_img(sums[0])
            sums[1] = self.model_res_flow(sums[1]) if self.flow else None
        image = self.model_up_img(sums[0])
        raw = frame = self.model_final_img(image)
        found, flow_features, fg_features = {}, None, None
        if self.flow:
            flow_features = self.model_up_flow(sums[1])
            flow = self.model_final_flow(flow_features) * 20 * 2**self.scale
            weight = self.model_final_w(flow_features)
            found = {"flow": flow, "mask": weight}
            if not raw_only:
                frame = raw * weight + fetch(past[:, -3:], flow) * (1 - weight)
        if self.foreground:
            below = self.indv_down(maps)
            below = self.indv_res(below) if fg_in is None else below + fg_in
            fg_features = self.indv_up(below)
            painted = self.indv_final(fg_features)
            frame, raw = (painted * mask + each * (1 - mask) for each in (frame, raw))
        return {"frames": frame, "raw": raw, **found}, (image, flow_features, fg_features)


def fetch(frame: Tensor, flow: Tensor) -> Tensor:
    """Sample bilinearly where the flow points, borders repeated."""
    height, width = frame.shape[-2:]
    rows, columns = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    moved = torch.stack(
        [columns + flow[:, 0] * 2 / (width - 1), rows + flow[:, 1] * 2 / (height - 1)], dim=-1
    )
    return F.grid_sample(frame, moved, padding_mode="border", align_corners=True)


@torch.no_grad()
def unroll(
    networks: list[Scale],
    maps: Tensor,
    *,
    first: Tensor | None,
    labels: tuple[int, ...] = (),
    history: int = 2,
) -> dict[str, Tensor]:
    """Run a sequence; `maps` 't k h w', `first` 'l 3 h w' or None for zeros."""
    start = maps.new_zeros(history, 3, *maps.shape[-2:]) if first is None else first
    pasts = [start]
    for _ in networks[1:]:
        pasts.insert(0, pooled(pasts[0]))
    found: dict[str, list[Tensor]] = {}
    for time in range(history, len(maps)):
        levels = [maps[time - history : time + 1].flatten(0, 1)[None]]
        for _ in networks[1:]:
            levels.insert(0, pooled(levels[0]))
        coarser, outputs = (None, None, None), {}
        raw_only = first is None and time == history
        for index, network in enumerate(networks):
            current = levels[index][:, -maps.shape[1] :]
            mask = current[:, list(labels)].sum(1, keepdim=True).clamp(0, 1)
            past = pasts[index].flatten(0, 1)[None]
            outputs, coarser = network(levels[index], past, mask, coarser, raw_only)
            pasts[index] = torch.cat([pasts[index][1:], outputs["frames"]])
        for name, tensor in outputs.items():
            found.setdefault(name, []).append(tensor)
    return {name: torch.cat(tensors) for name, tensors in found.items()}


class Global(nn.Module):
    """pix2pixHD's global generator; pix2pix's residual one is the same with a depth of 2."""

    def __init__(
        self,
        channels_in: int,
        *,
        width: int,
        depth: int,
        count: int,
        norm: Norm,
        bias: bool = True,
        dropout: bool = False,
    ):
        super().__init__()
        deepest = width * 2**depth
        layers = stem(channels_in, width, norm, bias=bias)
        for index in range(depth):
            layers += down(width * 2**index, width * 2 ** (index + 1), norm, bias=bias)
        layers += [Block(deepest, norm, bias=bias, dropout=dropout) for _ in range(count)]
        for index in reversed(range(depth)):
            layers += up(width * 2 ** (index + 1), width * 2**index, norm, bias=bias)
        self.model = nn.Sequential(*layers, *head(width, 3, nn.Tanh()))

    def forward(self, maps: Tensor) -> Tensor:
        return self.model(maps)


class Local(nn.Module):
    """pix2pixHD's local enhancers around a global generator without its head."""

    def __init__(
        self,
        channels_in: int,
        *,
        width: int,
        depth: int,
        count: int,
        enhancers: int,
        local: int,
        norm: Norm,
    ):
        super().__init__()
        whole = Global(channels_in, width=width * 2**enhancers, depth=depth, count=count, norm=norm)
        self.model = whole.model[:-3]
        self.enhancers = enhancers
        for number in range(1, enhancers + 1):
            own = width * 2 ** (enhancers - number)
            tail = head(own, 3, nn.Tanh()) if number == enhancers else []
            front = nn.Sequential(*encoder(channels_in, own, 1, norm))
            back = nn.Sequential(*blocks(2 * own, local, norm), *decoder(own, 1, norm), *tail)
            setattr(self, f"model{number}_1", front)
            setattr(self, f"model{number}_2", back)

    def forward(self, maps: Tensor) -> Tensor:
        levels = [maps]
        for _ in range(self.enhancers):
            levels.insert(0, pooled(levels[0]))
        features = self.model(levels[0])
        for number in range(1, self.enhancers + 1):
            fine = getattr(self, f"model{number}_1")(levels[number])
            features = getattr(self, f"model{number}_2")(fine + features)
        return features


class Features(nn.Module):
    """pix2pixHD's feature encoder, without its pooling."""

    def __init__(self, *, width: int, depth: int, channels: int, norm: Norm):
        super().__init__()
        self.model = nn.Sequential(
            *encoder(3, width, depth, norm),
            *decoder(width, depth, norm),
            *head(width, channels, nn.Tanh()),
        )

    def forward(self, photo: Tensor) -> Tensor:
        return self.model(photo)


def save(folder: Path, label: str = "latest", **networks: nn.Module) -> Path:
    """Write networks as an official run does."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in networks.items():
        torch.save(network.state_dict(), folder / f"{label}_net_{name}.pth")
    return folder
