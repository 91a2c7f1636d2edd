"""The collection for Postman holds every call, and what it would send is JSON that the API takes."""
import json
import subprocess
import urllib.error
import urllib.request

import pytest

from serving import BINARY

# As the API says of fields that there are not, and of ones that are missing.
UNREADABLE = {"Is not a known field.", "Is required."}


def requests(items):
    for item in items:
        if "item" in item:
            yield from requests(item["item"])
        else:
            yield item["request"]


def test_every_call_is_in_the_collection(server):
    made = subprocess.run([BINARY, "routes", "--postman"], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    collection = json.loads(made.stdout)
    assert collection["info"]["schema"].endswith("/v2.1.0/collection.json") and {"baseUrl", "key"} == {one["key"] for one in collection["variable"]}
    with urllib.request.urlopen(f"{server.base}/api/v1/openapi.json", timeout=30) as answer:
        described = {(method.upper(), path) for path, calls in json.load(answer)["paths"].items() for method in calls}
    listed = set()
    for request in requests(collection["item"]):
        parts = ["{" + part[1:] + "}" if part.startswith(":") else part for part in request["url"]["path"]]
        listed.add((request["method"], "/" + "/".join(parts)))
        assert {part[1:] for part in request["url"]["path"] if part.startswith(":")} == {one["key"] for one in request["url"].get("variable", [])}
    assert listed == described


def test_what_it_sends_reads_well(server):
    """No example is unreadable: refused for what it says perhaps, never for how it is written, for a field that there is not or for one that is missing.
    Ids in paths are made up, so calls of something that is there are only read as far as that."""
    collection = json.loads(subprocess.run([BINARY, "routes", "--postman"], capture_output=True, text=True, timeout=120).stdout)
    sent = 0
    for request in requests(collection["item"]):
        if "body" not in request or "test-clock" in request["url"]["path"]:
            continue
        values = {one["key"]: one["value"] for one in request["url"].get("variable", [])}
        url = f"{server.base}/api/v1/" + "/".join(values.get(part[1:]) or "x" if part.startswith(":") else part for part in request["url"]["path"])
        call = urllib.request.Request(url, request["body"]["raw"].encode(), method=request["method"], headers={
            "Authorization": f"Bearer {server.secret_key}", "Content-Type": "application/json"})
        try:
            urllib.request.urlopen(call, timeout=30)
        except urllib.error.HTTPError as refused:
            problem = json.load(refused)
            assert refused.code in (403, 404, 409, 422), (url, problem)
            assert not [error for error in problem["errors"] if error["message"] in UNREADABLE], (url, problem)
        sent += 1
    assert sent > 8


def test_an_unreadable_example_would_be_seen(server):
    """The words by which the test above knows a bad example are those that the API says."""
    call = urllib.request.Request(f"{server.base}/api/v1/programs", b'{"nonsense": 1}', method="POST", headers={
        "Authorization": f"Bearer {server.secret_key}", "Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(call, timeout=30)
    said = {error["message"] for error in json.load(refused.value)["errors"]}
    assert refused.value.code == 422 and said >= UNREADABLE, said
