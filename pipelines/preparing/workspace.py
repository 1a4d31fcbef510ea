"""The folder that a data set grows in: the same command again goes on where it stopped."""

import json
import shutil
from pathlib import Path

from pipelines.preparing.plan import Piece, Plan
from vid2vid.errors import VideoError
from vid2vid.video.pictures import not_whole, require_empty

_PLAN_NAME = "plan.json"


class Workspace:
    """The folder `out.partial`, which becomes `out` when it is complete."""

    def __init__(self, out: Path, request: dict[str, object]) -> None:
        """Make the folder, or take that of an earlier try.

        Args:
            out: the final folder, new or empty.
            request: JSON values; everything that the results depend on.

        Raises:
            VideoError: if the folder holds files, cannot be written, or the earlier try was of
                another request.
        """
        self._out = out
        self._request = request
        self.folder = out.with_name(f"{out.name}.partial")
        require_empty(out)
        self.plan = self._resume() if self.folder.exists() else None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VideoError(
                f"the output folder must be writable; {self.folder.parent}: {error.strerror}: "
                "choose another"
            ) from error

    def keep(self, plan: Plan) -> None:
        """Write down what will be made."""
        self.plan = plan
        text = json.dumps({"request": self._request, "plan": plan.model_dump(mode="json")})
        partial = self.folder / f"{_PLAN_NAME}.partial"
        partial.write_text(text, encoding="utf-8")
        partial.replace(self.folder / _PLAN_NAME)

    def has(self, piece: Piece) -> bool:
        """Whether a sequence is complete."""
        return self._final(piece).is_dir()

    def begin(self, piece: Piece) -> Path:
        """Make the folder in which a sequence grows, without what an earlier try left of it."""
        folder = self._growing(piece)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def finish(self, piece: Piece) -> None:
        """Give a complete sequence its name."""
        self._growing(piece).replace(self._final(piece))

    def publish(self) -> Path:
        """Give the complete data set its name, which is returned.

        Raises:
            VideoError: if the name was taken meanwhile.
        """
        try:
            (self.folder / _PLAN_NAME).unlink()
            return self.folder.replace(self._out)
        except OSError as error:
            raise not_whole(self._out, error) from error

    def _final(self, piece: Piece) -> Path:
        return self.folder / piece.split / piece.name

    def _growing(self, piece: Piece) -> Path:
        return self.folder / piece.split / f"{piece.name}.partial"

    def _resume(self) -> Plan | None:
        """Read the plan of an earlier try; None where it did not come so far."""
        try:
            if not any(self.folder.iterdir()):
                return None
            kept = json.loads((self.folder / _PLAN_NAME).read_text(encoding="utf-8"))
            request, plan = kept["request"], Plan.model_validate_json(json.dumps(kept["plan"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise VideoError(
                f"{self.folder} must be free for unfinished files; it holds others: move it away"
            ) from error
        if request != json.loads(json.dumps(self._request)):
            raise VideoError(
                f"{self.folder} must be of the same command, to go on; it was begun with other "
                "videos or options: give those again, or remove it"
            )
        return plan
