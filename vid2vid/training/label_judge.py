"""How the segmentation discriminator judges single frames: by the label of every pixel."""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from vid2vid.losses import segmentation
from vid2vid.losses.config import LossConfig
from vid2vid.networks.segmentation_discriminator import SegmentationDiscriminator
from vid2vid.training.judges import Verdict, frozen, shown, weighted


class LabelExhibit(NamedTuple):
    """What the segmentation discriminator is shown: frames, and the labels that it is asked for."""

    name: str
    discriminator: SegmentationDiscriminator
    real: Tensor  # 'n 3 h w'
    fake: Tensor  # 'n 3 h w', with the generator's graph
    hallucinated: Tensor | None  # 'n 3 h w', judged beside `fake` by its share
    labels: Tensor  # 'n h w', class ids, 255 = ignore

    def judge(self, losses: LossConfig, *, unused: int, rng: np.random.Generator) -> Verdict:
        """Compute the terms of both players; see `Exhibit`."""
        del unused  # it works at any size
        fakes, shares = shown(self.fake, self.hallucinated, losses)
        real_logits = self.discriminator(self.real)
        fake_logits = [self.discriminator(fake.detach()) for fake in fakes]
        own = [segmentation.generated_loss(logits, self.labels) for logits in fake_logits]
        if self.discriminator.config.label_mix:
            own = [
                loss + self._mix(fake, real_logits, logits, rng=rng)
                for loss, fake, logits in zip(own, fakes, fake_logits, strict=True)
            ]
        own_loss = segmentation.labelled_loss(real_logits, self.labels)
        own_loss = own_loss + weighted(own, shares) / sum(shares)

        with frozen(self.discriminator):
            gan = [
                segmentation.labelled_loss(self.discriminator(fake), self.labels) for fake in fakes
            ]
        terms = {f"{self.name}_gan": (losses.segmentation_gan, weighted(gan, shares))}
        return Verdict(terms, own_loss, self._observe(real_logits, fake_logits[0]))

    def _mix(
        self, fake: Tensor, real_logits: Tensor, fake_logits: Tensor, *, rng: np.random.Generator
    ) -> Tensor:
        """Compute the weighted LabelMix term with one of the generated pictures."""
        mask = segmentation.draw_mix(self.labels, rng)
        mixed = self.discriminator(mask * self.real + (1 - mask) * fake.detach())
        loss = segmentation.mix_loss(mixed, real_logits, fake_logits, mask=mask)
        return self.discriminator.config.label_mix * loss

    def _observe(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Say how often it is right, and how large its logits are."""
        return {
            f"{self.name}_accuracy_real": 1 - segmentation.share_generated(real, self.labels),
            f"{self.name}_accuracy_fake": segmentation.share_generated(fake, self.labels),
            f"{self.name}_accuracy_label": segmentation.share_right(real, self.labels),
            f"{self.name}_activation": fake.detach().float().abs().mean(),
        }
