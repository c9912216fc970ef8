#!/usr/bin/env python3
"""Runs the query of every panel and of every rule against a Prometheus: each must return data.

  queries.py ordinary|faults PROMETHEUS_URL

only-failures.txt names the selectors that have no data without failures: their queries may be empty after ordinary
orders. Those that it marks `never` may be empty after faults and outages, too.

An alert's query is asked with `bool` comparisons, so that an alert which does not fire has data. `or vector(0)` is
left out: it would have data whatever the rest says.
"""
import json
import math
import pathlib
import re
import sys
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
DASHBOARDS = HERE.parent.parent / "deploy/grafana/dashboards"
SERVICES = ["order", "inventory", "payment", "gateway", "shipping", "notification", "audit"]
# As long as a check takes at most, so that what happened at its begin counts.
WINDOW = "10m"
COMPARISON = re.compile(r" (==|!=|<=|>=|<|>) (?!bool)")


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)["data"]


def has_data(prometheus, query):
    """Whether the query returns a value. A quantile of nothing is not a number, and no value."""
    data = get(f"{prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": query}))
    if data["resultType"] == "scalar":
        return True
    return any(not math.isnan(float(sample["value"][1])) for sample in data["result"])


def panels():
    """(where, queries): one of the queries must have data."""
    for path in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                expr = target["expr"]
                expr = expr.replace("$__rate_interval", WINDOW).replace("$__range", WINDOW)
                chosen = SERVICES if "$service" in expr else [""]
                yield f"{path.stem}: {panel['title']}", [expr.replace("$service", service) for service in chosen]


def rules(prometheus):
    for group in get(f"{prometheus}/api/v1/rules")["groups"]:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                sys.exit(f"{rule['name']}: {rule['health']}: {rule.get('lastError', 'not evaluated yet')}")
            yield f"rule {rule['name']}", [COMPARISON.sub(r" \1 bool ", rule["query"])]


def only_failures():
    """(selector, never) of each line."""
    for line in (HERE / "only-failures.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            selector, when, _ = line.split(maxsplit=2)
            yield selector, when == "never"


def main(phase, prometheus):
    allowed = list(only_failures())
    asked, excused, empty = 0, 0, []
    used = set()
    for where, queries in [*panels(), *rules(prometheus)]:
        queries = [query.replace(" or vector(0)", "") for query in queries]
        asked += 1
        matching = [(selector, never) for selector, never in allowed if any(selector in query for query in queries)]
        used.update(selector for selector, _ in matching)
        if any(has_data(prometheus, query) for query in queries):
            continue
        if any(never or phase == "ordinary" for _, never in matching):
            excused += 1
        else:
            empty.append(f"{where}: no data: {queries[0]}")
    empty += [f"only-failures.txt: no query has {selector}" for selector, _ in allowed if selector not in used]
    print("\n".join(empty))
    print(f"{asked} queries, {excused} of failures that did not happen, {len(empty)} without data")
    return bool(empty)


if len(sys.argv) != 3 or sys.argv[1] not in ("ordinary", "faults"):
    sys.exit(__doc__)
sys.exit(main(*sys.argv[1:]))
