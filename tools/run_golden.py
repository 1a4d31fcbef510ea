"""Run official weights on golden inputs, and write what comes out under the golden names.

Run from a checkout: python tools/run_golden.py FOLDER OUT.safetensors
FOLDER holds `latest_net_*.pth`, `meta.json` and the inputs, `sequence.safetensors` (vid2vid) or
`still.safetensors` (pix2pixHD). The weights go through `vid2vid import` and are rebuilt as the
renderer rebuilds them; OUT gets `frames`, `raw`, `flow` and `mask`, or `output`, `features` and
`D_fake_patch_i`; the losses go into a .json beside it.
"""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch
import typer
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipelines.build import Generation, choose_device, load_generation
from pipelines.console import run_command
from pipelines.models.importing import import_checkpoint
from pipelines.official.known import ImportOptions
from vid2vid.checkpoint import load_checkpoint, load_weights
from vid2vid.data.augment import Size
from vid2vid.errors import ConfigError, DataError
from vid2vid.labels.maps import boundary
from vid2vid.losses.adversarial import generator_loss
from vid2vid.losses.matching import feature_matching
from vid2vid.networks.discriminator import MultiScaleDiscriminator
from vid2vid.networks.feature_encoder import instance_mean
from vid2vid.networks.still import StillGenerator
from vid2vid.rollout import rollout
from vid2vid.styles import photo_styles

JUDGE = "image_discriminator."


class GoldenRun(NamedTuple):
    """What our networks make of golden weights and inputs."""

    tensors: dict[str, Tensor]  # by golden name
    losses: dict[str, float]  # by official name


def run_golden(folder: Path, *, device: torch.device | None = None) -> GoldenRun:
    """Import the weights of a folder, and run them on its inputs.

    Args:
        folder: in the golden format.
        device: where it runs; None = the CPU.

    Raises:
        DataError: if it is no such folder.
        Vid2VidError: if its weights do not fit.
    """
    device = device or torch.device("cpu")
    if not (folder / "meta.json").is_file():
        raise DataError(
            "a folder of golden weights and inputs must hold meta.json; there is no "
            f"{folder / 'meta.json'}"
        )
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text())
    is_video = (folder / "sequence.safetensors").is_file()
    inputs = load_file(folder / ("sequence.safetensors" if is_video else "still.safetensors"))
    inputs = {name: tensor.to(device) for name, tensor in inputs.items()}
    with tempfile.TemporaryDirectory() as place, torch.inference_mode():
        path = Path(place) / "golden.safetensors"
        import_checkpoint(folder, path, _options(meta))
        generation = load_generation(path, device)
        if is_video:
            return GoldenRun(_run_video(generation, inputs, meta), {})
        tensors, conditioning = _run_still(generation, inputs)
        judge = _load_judge(path, conditioning.shape[1] + 3, generation)
        losses: dict[str, float] = {}
        if judge is not None and "real" in inputs:
            weight = float(meta["discriminator"]["lambda_feat"])
            pair = [
                torch.cat([conditioning, each], dim=1)
                for each in (tensors["output"], inputs["real"])
            ]
            losses = _judge(judge.to(device), *pair, weight=weight, tensors=tensors)
        return GoldenRun(tensors, losses)


def _options(meta: dict[str, Any]) -> ImportOptions:
    """Say what the weights cannot tell, as meta.json has it."""
    is_video = meta["arch"] == "vid2vid"
    return ImportOptions(
        arch=meta["arch"],
        labels=meta["label_nc"],
        instances=bool(meta.get("use_instance", meta.get("instance_edges"))),
        foreground=tuple(meta["fg_labels"]) if meta.get("fg") else None,
        first_frames="zeros" if is_video and _is_from_zeros(meta) else "real",
        features=None if meta.get("encoder") else meta.get("feat_num") or None,
        size=Size(meta["height"], meta["width"]),
    )


def _is_from_zeros(meta: dict[str, Any]) -> bool:
    return "zeros" in str(meta["first_frames"])


def _conditioning(generation: Generation, inputs: dict[str, Tensor]) -> Tensor:
    """Encode the labels, or the raw maps in their place: 'b t k h w'."""
    labels, instances, maps = (inputs.get(name) for name in ("labels", "instances", "inputs"))
    kinds = [control.kind for control in generation.config.controls]
    if maps is not None and instances is not None and "boundary" in kinds:
        maps = torch.cat([maps, boundary(instances[None])[0]], dim=1)
    return generation.conditioning(
        *(None if part is None else part[None] for part in (labels, instances, maps))
    )


def _run_video(
    generation: Generation, inputs: dict[str, Tensor], meta: dict[str, Any]
) -> dict[str, Tensor]:
    """Unroll a sequence."""
    maps, history = _conditioning(generation, inputs), generation.generator.history
    first = None if _is_from_zeros(meta) else inputs["first_frames"][None]
    outputs = list(
        rollout(
            generation.generator,
            maps[:, history:].unbind(1),
            past_conditioning=maps[:, :history],
            first_frames=first,
        )
    )
    fields = {"frames": "frame", "raw": "hallucinated", "flow": "flow", "mask": "occlusion"}
    return {
        name: torch.cat([getattr(output, field) for output in outputs])
        for name, field in fields.items()
        if getattr(outputs[0], field) is not None
    }


def _run_still(
    generation: Generation, inputs: dict[str, Tensor]
) -> tuple[dict[str, Tensor], Tensor]:
    """Paint a still; returns the tensors, and the conditioning that a discriminator sees."""
    tensors: dict[str, Tensor] = {}
    generator = generation.generator
    conditioning = maps = _conditioning(generation, inputs)[0]
    if generator.features:
        features = inputs.get("features")
        if isinstance(generator, StillGenerator) and generator.encoder is not None:
            features = _painted(generator.encoder(inputs["photo"]), inputs)
        if features is None:
            raise ValueError("a generator with features needs an encoder or the tensor 'features'")
        tensors["features"] = features
        maps = torch.cat([maps, features], dim=1)
    tensors["output"] = torch.cat([next(rollout(generator, [each[None]])).frame for each in maps])
    return tensors, conditioning


def _painted(features: Tensor, inputs: dict[str, Tensor]) -> Tensor:
    """Pool features over instances, and paint them as rendering from a reference photo does."""
    instances = inputs["instances"]
    labels = inputs.get("labels")  # absent where the generator sees pictures
    votes = torch.zeros_like(instances) if labels is None else labels
    painted: list[Tensor] = []
    for index, pooled in enumerate(instance_mean(features, instances)):
        known = None if labels is None else labels[index]
        styles = photo_styles(pooled, instances[index], known)
        painted.append(styles.paint(votes[index][None], instances[index][None]))
    return torch.cat(painted)


def _load_judge(
    path: Path, channels: int, generation: Generation
) -> MultiScaleDiscriminator | None:
    """Rebuild the image discriminator that came along, where one did."""
    tensors = load_checkpoint(path, kind="generator").tensors
    own = {k.removeprefix(JUDGE): v for k, v in tensors.items() if k.startswith(JUDGE)}
    config = generation.config.image_discriminator
    if not own or config is None:
        return None
    judge = MultiScaleDiscriminator(config, channels)
    load_weights(judge, own, where=path)
    return judge


def _judge(
    judge: MultiScaleDiscriminator,
    fake: Tensor,
    real: Tensor,
    *,
    weight: float,
    tensors: dict[str, Tensor],
) -> dict[str, float]:
    """Score the still, and add the scores to `tensors`; 'b c h w' both."""
    fake_stages, real_stages = judge(fake), judge(real)
    fakes, reals = ([stages[-1] for stages in each] for each in (fake_stages, real_stages))
    tensors |= {f"D_fake_patch_{index}": score for index, score in enumerate(fakes)}
    terms = {
        "D_fake": torch.stack([score.square().mean() for score in fakes]).sum(),
        "D_real": generator_loss(reals, kind="least_squares"),
        "G_GAN": generator_loss(fakes, kind="least_squares"),
        "G_GAN_Feat": weight * feature_matching(fake_stages, real_stages),
    }
    return {name: float(term) for name, term in terms.items()}


def main(
    folder: Annotated[Path, typer.Argument(help="Weights, meta.json and inputs.")],
    out: Annotated[Path, typer.Argument(help="Tensors, .safetensors; losses go beside it.")],
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1 ...")] = "cpu",
) -> None:
    """Run official weights on golden inputs; errors are one line, as on the command line."""

    def run() -> None:
        if not out.parent.is_dir():
            raise ConfigError(f"the folder of OUT must exist; there is no {out.parent}")
        done = run_golden(folder, device=choose_device(device))
        tensors = {name: tensor.cpu().contiguous() for name, tensor in done.tensors.items()}
        try:
            save_file(tensors, out)
        except SafetensorError as error:
            raise OSError(f"{out} could not be written ({error})") from error
        losses = out.with_suffix(".json")
        losses.write_text(json.dumps(done.losses, indent=1) + "\n")
        print(f"{out}\n{losses}")

    raise typer.Exit(run_command(run, debug=False))


if __name__ == "__main__":
    typer.run(main)
