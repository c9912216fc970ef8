"""Validates rendered manifests strictly: what Kubernetes has by its schemas, and the rest by a list of known kinds.

  kubernetes.py FILE...

A field that Kubernetes does not know is an error. Kinds of other projects (KEDA, the Prometheus operator) are only
counted: their schemas are not in kubernetes-validate.
"""
import sys

import kubernetes_validate
import yaml

# The newest version whose schemas the pinned kubernetes-validate has.
VERSION = kubernetes_validate.latest_version()
FOREIGN = {"ScaledObject", "TriggerAuthentication", "ServiceMonitor", "PrometheusRule"}

found = 0
for path in sys.argv[1:]:
    names, foreign, valid = set(), 0, 0
    with open(path) as file:
        for manifest in filter(None, yaml.safe_load_all(file)):
            name = (manifest["kind"], manifest["metadata"]["name"])
            if name in names:
                print(f"{path}: {' '.join(name)} is there twice", file=sys.stderr)
                found += 1
            names.add(name)
            if manifest["kind"] in FOREIGN:
                foreign += 1
                continue
            try:
                kubernetes_validate.validate(manifest, VERSION, strict=True)
                valid += 1
            except kubernetes_validate.ValidationError as error:
                place = ".".join(str(part) for part in error.path)
                print(f"{path}: {' '.join(name)}: {place}: {error.message}", file=sys.stderr)
                found += 1
    print(f"{path}: {valid} valid for Kubernetes {VERSION}, {foreign} of other projects not checked")
sys.exit(1 if found else 0)
