"""An editing session: edits by class name and click, undo and redo, and the picture painted anew.

A thin thing on top of `edits`, which are functions from state to state: a page or a notebook calls
it, and nothing here draws on a screen.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.build import Generation, choose_device, load_generation
from pipelines.editing import edits
from pipelines.editing.choices import StyleChoice, check_features, find_vector, read_photo
from pipelines.editing.edits import Edited, Mask, Point
from pipelines.editing.files import read_edit, write_edit
from pipelines.editing.history import Change, apply_change, difference
from pipelines.editing.painting import check_takes_labels, paint_state
from pipelines.editing.state import EditState, make_state
from pipelines.rendering.label_choice import choose_reader
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.style_picks import find_class
from vid2vid.errors import DataError
from vid2vid.labels.files import read_instances
from vid2vid.labels.palettes import ID_IGNORE
from vid2vid.styles import PhotoStyles

Where = Point | int
"""An object: a point (x, y) in it, px, or its id."""


class EditingSession:
    """A picture that is edited and painted; every edit can be undone."""

    def __init__(
        self,
        generation: Generation,
        labels: NDArray[np.integer],
        instances: NDArray[np.integer] | None = None,
        *,
        seed: int = 0,
    ) -> None:
        """Begin with maps.

        Args:
            generation: a checkpoint that takes label maps, see `load_generation`.
            labels: 'h w', class ids of its palette, 255 = ignore.
            instances: 'h w', object ids, none negative; None takes every class for one object.
            seed: of styles that nobody chose, of noise and of dropout.

        Raises:
            ConfigError: if the checkpoint takes no label maps, or more than them.
            DataError: if the maps do not fit.
        """
        self.palette = check_takes_labels(generation)
        foreign = sorted(
            {*np.unique(labels).tolist()} - {*range(self.palette.num_classes), ID_IGNORE}
        )
        if foreign:
            raise DataError(
                f"labels must be ids of palette {self.palette.name!r} or 255; got {foreign}"
            )
        self.seed = seed
        # As the renderer has it: faster on a CPU, and the same bits.
        generation.generator.to(memory_format=torch.channels_last)
        self._generation = generation
        pooling = generation.generator.pooling or "instances"
        self._state = make_state(labels, instances, pooling=pooling)
        self._done: list[Change] = []
        self._undone: list[Change] = []

    @classmethod
    def open(
        cls,
        checkpoint: Path | str,
        labels: Path | str,
        instances: Path | str | None = None,
        *,
        palette: str | None = None,
        map: str | None = None,
        seed: int = 0,
        device: str | None = None,
    ) -> Self:
        """Begin with pictures: a label map, and an instance map where there is one.

        Args:
            checkpoint: a file or run folder.
            labels: as for `vid2vid still`, likewise `palette` and `map`.
            instances: object ids.
            palette: that the label map is in; None = the checkpoint's.
            map: mapping of its ids to the checkpoint's palette.
            seed: as above.
            device: None takes a GPU where there is one.

        Raises:
            Vid2VidError: if something cannot be read or does not fit.
        """
        generation = load_generation(checkpoint, choose_device(device))
        check_takes_labels(generation)
        reader = choose_reader(RenderOptions(palette=palette, map=map), generation)
        if reader is None:
            raise ValueError("a checkpoint with label maps has a reader of them; got None")
        ids = None if instances is None else read_instances(instances)
        return cls(generation, reader.from_image(labels), ids, seed=seed)

    @classmethod
    def load(cls, checkpoint: Path | str, folder: Path | str, *, device: str | None = None) -> Self:
        """Go on with what was saved; what can be undone begins anew.

        Raises:
            Vid2VidError: if something cannot be read or does not fit.
        """
        generation = load_generation(checkpoint, choose_device(device))
        saved = read_edit(Path(folder), check_takes_labels(generation))
        session = cls(generation, saved.state.labels, saved.state.instances, seed=saved.seed)
        features, pooling = generation.generator.features, session.state.pooling
        widths = {len(style) for style in saved.state.styles.values()}
        if widths - {features} or saved.state.pooling != pooling:
            raise DataError(
                f"{folder} must have styles as the checkpoint takes them, {features} numbers by "
                f"{pooling}; it was saved with another one"
            )
        session._state = saved.state
        return session

    @property
    def state(self) -> EditState:
        """The maps and chosen styles as they are now; nothing changes it."""
        return self._state

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone edit that nothing was done after."""
        return bool(self._undone)

    def instance_at(self, x: float, y: float) -> int:
        """Find the object at a point; see `edits.instance_at`."""
        return edits.instance_at(self._state, (x, y))

    def relabel(self, where: Where, to: str | int) -> int:
        """Give a whole object another class, by name or id.

        Returns:
            The id that it has now.

        Raises:
            Vid2VidError: if there is no such object or class.
        """
        return self._take(edits.relabel(self._state, self._find(where), self._class(to)))

    def add_object(
        self,
        mask: Mask,
        to: str | int,
        *,
        at: tuple[int, int] = (0, 0),
        style: StyleChoice | None = None,
    ) -> int:
        """Add an object.

        Args:
            mask: 'h w' of its own size, where the object is.
            to: its class, by name or id.
            at: (x, y), px, of the upper left corner of the mask; what falls outside is cut off.
            style: None = drawn by the seed of the session and the id.

        Returns:
            Its id.

        Raises:
            Vid2VidError: if there is no such class or style, or all of it falls outside.
        """
        label = self._class(to)
        added = edits.add_object(self._state, mask, label, at=at)
        if style is not None:
            region = self._region(added.instance, label)
            vector = find_vector(style, self._generation, region=region, label=label)
            added = Edited(edits.restyle(added.state, region, vector), added.instance)
        return self._take(added)

    def remove_object(self, where: Where, *, fill: str | int | None = None) -> int:
        """Remove an object; its place becomes part of what lies around it.

        Args:
            where: the object.
            fill: class to fill with; None = the one of most pixels that touch the object.

        Returns:
            The id of what the place is now part of.

        Raises:
            Vid2VidError: if there is no such object or class, or nothing around it.
        """
        label = None if fill is None else self._class(fill)
        return self._take(edits.remove_object(self._state, self._find(where), label))

    def stroke(
        self,
        points: Sequence[Point],
        to: str | int,
        *,
        width: float,
        instance: int | None = None,
    ) -> int:
        """Paint along a line with a round brush; see `edits.paint_stroke`.

        Returns:
            The id of what the stroke is part of.

        Raises:
            Vid2VidError: if there is no such class, or no pixel is painted.
        """
        label = self._class(to)
        painted = edits.paint_stroke(self._state, points, label, width=width, instance=instance)
        return self._take(painted)

    def restyle(self, where: Where, style: StyleChoice | None) -> None:
        """Choose the style of an object, or of its class where styles go by class.

        Args:
            where: the object.
            style: None = drawn by the seed of the session again.

        Raises:
            Vid2VidError: if the checkpoint has no styles, or there is no such object or style.
        """
        check_features(self._generation)
        instance = self._find(where)
        label = edits.class_of(self._state, instance)
        region = self._region(instance, label)
        vector = None
        if style is not None:
            vector = find_vector(style, self._generation, region=region, label=label)
        self._take(Edited(edits.restyle(self._state, region, vector), instance))

    def read_photo(
        self,
        photo: Path | str,
        labels: Path | str | None = None,
        instances: Path | str | None = None,
    ) -> PhotoStyles:
        """Encode a photo, for `FromPhoto`; at least one of its maps is needed.

        Raises:
            Vid2VidError: if the checkpoint has no feature encoder, or something does not fit.
        """
        ids, objects = (None if each is None else Path(each) for each in (labels, instances))
        return read_photo(Path(photo), self._generation, labels=ids, instances=objects)

    def undo(self) -> bool:
        """Take the last edit back; return whether there was one."""
        return self._move(self._done, self._undone, forward=False)

    def redo(self) -> bool:
        """Do the last undone edit again; return whether there was one."""
        return self._move(self._undone, self._done, forward=True)

    def render(self) -> NDArray[np.uint8]:
        """Paint the picture, 'h w 3' RGB: the same state and seed give the same bits."""
        return paint_state(self._state, self._generation, seed=self.seed)

    def save(self, folder: Path | str) -> None:
        """Write the maps as PNGs of ids and the rest as JSON, over what was saved before."""
        write_edit(Path(folder), self._state, seed=self.seed, palette=self.palette)

    def _take(self, edited: Edited) -> int:
        """Make an edit the last one; after it nothing can be redone."""
        if (found := difference(self._state, edited.state)) is not None:
            self._done.append(found)
            self._undone.clear()
            self._state = edited.state
        return edited.instance

    def _move(self, source: list[Change], target: list[Change], *, forward: bool) -> bool:
        """Apply the last change of one list and put it into the other."""
        if not source:
            return False
        target.append(source.pop())
        self._state = apply_change(self._state, target[-1], forward=forward)
        return True

    def _find(self, where: Where) -> int:
        return where if isinstance(where, int) else edits.instance_at(self._state, where)

    def _class(self, name: str | int) -> int:
        return find_class(str(name), self.palette)

    def _region(self, instance: int, label: int) -> int:
        return instance if self._state.pooling == "instances" else label
