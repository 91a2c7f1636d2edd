#!/usr/bin/env python3
"""The plan's schema as other programs read it: valid JSON Schema 2020-12, takes the gallery, and agrees with `kith plan check` on spoiled plans.

usage: .build-python/bin/python Tests/Plans/check_schema.py [--kith .build/debug/kith] [--seed N] [--rounds N]
"""
import argparse
import copy
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    options = read_options()
    schema = json.loads(kith(options, "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    plans = []
    for path in sorted((ROOT / "plans").glob("*.yaml")):
        plan = json.loads(kith(options, "check", str(path), "--canonical").stdout)
        errors = list(validator.iter_errors(plan))
        assert not errors, f"{path.name}: {errors[0].message}"
        plans.append(plan)
    assert len(plans) >= 8, "the gallery has at least eight plans"

    chance = random.Random(options.seed)
    refused = 0
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "plan.json"
        for _ in range(options.rounds):
            plan = copy.deepcopy(chance.choice(plans))
            spoil(plan, chance)
            file.write_text(json.dumps(plan))
            answer = json.loads(kith(options, "check", str(file), "--json", check=False).stdout)
            taken = answer["ok"] or not any(is_shape(problem["message"]) for problem in answer["problems"])
            valid = validator.is_valid(plan)
            refused += not valid
            assert taken == valid, f"schema {valid}, program {answer}: {json.dumps(plan)}"
    assert refused > options.rounds // 4, "the spoiled plans were hardly spoiled"
    print(f"schema: {len(plans)} plans of the gallery are valid, {options.rounds} spoiled ones judged alike ({refused} refused), seed {options.seed}")


# What names refer to no schema can say; these are the words of the program for it.
MEANING = ["the plan has no", "must stand", "twice", "no name for a rank", "help", "must rise", "above 0", "`debit` is for", "goes with",
           "above 100%", "no currency", "no time zone", "order of the ranks", "first entry must be", "there is no day"]


def is_shape(message):
    return not any(word in message for word in MEANING) or "entry stands in the list twice" in message


def spoil(plan, chance):
    """One change at a random place."""
    places = []

    def walk(value):
        if isinstance(value, (dict, list)):
            places.append(value)
            for inner in value.values() if isinstance(value, dict) else value:
                walk(inner)

    walk(plan)
    place = chance.choice([place for place in places if place])
    wrong = chance.choice([5, -1, "x", "5%", True, [], {}, "active", 10**17])
    if isinstance(place, dict):
        key = chance.choice(list(place))
        match chance.randrange(3):
            case 0: del place[key]
            case 1: place[key] = wrong
            case 2: place["unknown"] = wrong
    else:
        match chance.randrange(3):
            case 0: place.pop()
            case 1: place.append(copy.deepcopy(place[0]))
            case 2: place[chance.randrange(len(place))] = wrong


def kith(options, *words, check=True):
    return subprocess.run([options.kith, "plan", *words], capture_output=True, text=True, check=check)


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kith", default=str(ROOT / ".build/debug/kith"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
