"""Numbers of a training for TensorBoard, written as they come.

The writer that people know, ``SummaryWriter``, writes in a thread of its own, which cannot say that a disk is full.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.summary import scalar


class TensorBoardEvents:
    """Writes one file of events.

    Args:
        folder: The folder that TensorBoard looks into; it is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._writer = EventsWriter(str(folder / "events"))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write numbers by their names.

        Args:
            step: The number of the step, counted over all rounds.
            values: The numbers.

        Raises:
            OSError: there is no room.
        """
        for name, value in values.items():
            self._writer.write_event(Event(wall_time=time.time(), step=step, summary=scalar(name, value)))
        self._writer.flush()

    def close(self) -> None:
        """Close the file; nothing more will be written."""
        self._writer.close()
