"""A disk that fills up in the middle of a save: one clear error, no half file, and the same bits later."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from test_training import begun, finished

from blog_gen.model.training.checkpoints import STATE_FILES

DISK, FILLER = 2048, 1750  # KiB: beside the filler there is room for one state (about 200), not for two
_SCRIPT = """
import json, sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {tests!r} + "/..", {tests!r} + "/../.."]
from test_training import begun, finished
from blog_gen.errors import BlogGenError
from blog_gen.model.weights import save_weights

disk, out = Path(sys.argv[1]), Path(sys.argv[2])
run, filler = disk / "run", disk / "filler"
filler.write_bytes(bytes({filler} * 1024))
said = ""
try:
    begun(run).run(save_seconds=0.0)
except BlogGenError as error:
    said = str(error)
left = sorted(path.name for path in run.iterdir())
filler.unlink()
again = begun(run)
found = again.resume()
step = again.position.step
save_weights(finished(again).weights, out)
print(json.dumps(dict(said=said, left=left, found=found, step=step)))
"""


@pytest.mark.small_disk
def test_a_disk_full_in_the_middle_of_a_save_costs_nothing_but_time(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = _SCRIPT.format(tests=str(Path(__file__).parent), filler=FILLER)
    mount = 'mount -t tmpfs -o size="$1"k tmpfs "$2" && exec "$3" -c "$4" "$2" "$5"'
    values = [str(DISK), str(disk), sys.executable, script, str(tmp_path)]
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *values]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert "No space left on device" in told["said"] and "Free some disk space" in told["said"]
    assert len(told["left"]) == 1 and told["left"][0] in STATE_FILES  # a whole one, as is seen next
    assert told["found"] and told["step"] == 1
    straight = finished(begun(tmp_path / "straight")).weights
    resumed = load_file(tmp_path / "model.safetensors")
    assert all(np.array_equal(resumed[name], straight[name]) for name in straight)
