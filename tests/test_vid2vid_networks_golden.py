"""Our generator, with the weights of the reference networks, gives their numbers."""

import json
import re

import pytest
import torch
from safetensors.torch import load_file

from vid2vid.labels.conditioning import Conditioning
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.rollout import rollout

# our branch -> where its tensors stand in the reference network, in the same order
HEADS = {
    "image_head": ("model_final_img",),
    "flow_head": ("model_final_flow",),
    "occlusion_head": ("model_final_w",),
    "foreground_head": ("indv_final",),
    "label_encoder": ("model_down_seg",),
    "frame_encoder": ("model_down_img",),
}
COARSE = HEADS | {
    "image_branch": ("model_res_img", "model_up_img"),
    "flow_branch": ("model_res_flow", "model_up_flow"),
    "foreground_branch": ("indv_down", "indv_res", "indv_up"),
}
REFINER = HEADS | {
    "image_branch": ("model_up_img",),
    "flow_branch": ("model_up_flow",),
    "foreground_encoder": ("indv_down",),
    "foreground_branch": ("indv_up",),
}


def convert(theirs, network, branches):
    """Fill `network`; an instance norm without weights of its own has gain 1 and bias 0."""
    own = network.state_dict()
    gains = {key for key in own if own[key].ndim == 1 and key.endswith("weight")}
    norms = gains | {key.removesuffix("weight") + "bias" for key in gains}
    converted = {}
    for branch, sources in branches.items():
        keys = [key for key in own if key.startswith(f"{branch}.")]
        tensors = [
            tensor
            for source in sources
            for key, tensor in theirs.items()
            if key.startswith(f"{source}.") and not re.search("running|num_batches", key)
        ]
        plain = len(tensors) < len(keys)
        stream = iter(tensors)
        for key in keys:
            identity = torch.full_like(own[key], float(key in gains))
            converted[key] = identity if plain and key in norms else next(stream)
        assert next(stream, None) is None
    network.load_state_dict(converted)


def rebuild(folder):
    meta = json.loads((folder / "meta.json").read_text())
    boundary = "instances" if meta["use_instance"] else "none"
    conditioning = Conditioning(meta["label_nc"], boundary=boundary)
    config = GeneratorConfig(
        width=meta["ngf"],
        downsamplings=meta["n_downsample_G"],
        blocks=meta["n_blocks"],
        refiners=meta["n_scales_spatial"] - 1,
        refiner_blocks=meta.get("n_blocks_local", 3),
        history=meta["n_frames_G"] - 1,
    )
    foreground = tuple(meta["fg_labels"]) if meta["fg"] else ()
    generator = SequentialGenerator(
        config, conditioning_channels=conditioning.channels, foreground=foreground
    )
    for scale, network in enumerate([generator.coarse, *generator.refiners]):
        theirs = torch.load(folder / f"latest_net_G{scale}.pth", weights_only=True)
        convert(theirs, network, REFINER if scale else COARSE)
    return generator, conditioning, "zeros" in str(meta["first_frames"])


@pytest.mark.parametrize("name", ["vid2vid_street_1scale", "vid2vid_street_2scale_fg"])
def test_rollout_gives_the_numbers_of_the_reference_networks(shared_golden, name):
    generator, conditioning, from_zeros = rebuild(shared_golden / name)
    golden = load_file(shared_golden / name / "sequence.safetensors")
    instances = golden["instances"][None] if "instances" in golden else None
    maps, history = conditioning(golden["labels"][None], instances), generator.config.history
    first = None if from_zeros else golden["first_frames"][None]
    with torch.no_grad():
        outputs = list(
            rollout(
                generator,
                maps[:, history:].unbind(1),
                past_conditioning=maps[:, :history],
                first_frames=first,
            )
        )
    fields = {"frames": "frame", "raw": "hallucinated", "flow": "flow", "mask": "occlusion"}
    for key, field in fields.items():
        ours = torch.cat([getattr(output, field) for output in outputs])
        error = (ours - golden[key]).abs().max() / golden[key].abs().max()
        assert error < 1e-4, key
