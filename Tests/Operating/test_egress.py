"""Where webhooks may lead: names are looked up by the machine's own resolver, and what counts is the address that is connected to, however a name
server changes its mind, and wherever an answer points."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

from serving import BINARY

PLAY_SECONDS = 240


def why_not():
    if os.geteuid() != 0:
        return "only root may make a network of its own: run this test as root"
    tried = subprocess.run(["unshare", "-mn", "sh", "-c", "ip link set lo up && ip address add 93.184.216.34/32 dev lo"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"this machine allows no network of its own: {tried.stderr.strip()}"


REASON = why_not()


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    scene = pathlib.Path(__file__).with_name("egress_scene.py")
    done = subprocess.run(["unshare", "-mn", sys.executable, scene, BINARY, tmp_path_factory.mktemp("egress")], capture_output=True, text=True, timeout=PLAY_SECONDS)
    assert done.returncode == 0, f"{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return json.loads(done.stdout)


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
class TestEgress:
    def test_the_scene_is_real(self, seen):
        """Public ones are reached, and private ones could be."""
        assert seen["plain.test"]["state"] == "delivered" and seen["public"] > 0
        assert seen["control"] == [1] * len(seen["control"])

    def test_nobody_inside_was_connected_to(self, seen):
        assert seen["inside"] == [0] * len(seen["inside"]), seen

    def test_a_name_that_changes_its_mind(self, seen):
        assert [one["state"] for one in seen["rebound.test"]] == ["delivered", "waiting", "waiting"], seen["rebound.test"]
        # Each try asks anew, and each answer is judged by itself.
        assert [one["state"] for one in seen["turning.test"]] == ["delivered", "waiting"] * 3, seen["turning.test"]
        assert seen["asked"]["rebound.test"] >= 3

    def test_private_among_public(self, seen):
        assert seen["both.test"]["state"] == "delivered", "the public one of several addresses is used"

    @pytest.mark.parametrize("name", ["six.test", "mapped.test", "tenth.test", "metadata.test"])
    def test_private_names_fail(self, seen, name):
        assert seen[name]["state"] == "waiting" and seen[name]["status"] is None, seen[name]
        assert "not public" in seen[name]["failure"], seen[name]

    def test_redirects_are_not_followed(self, seen):
        assert [one["status"] for one in seen["redirect.test"]] == [302, 307, 308, 301, 303], seen["redirect.test"]
        assert all(one["state"] != "delivered" for one in seen["redirect.test"])
