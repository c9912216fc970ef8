#!/usr/bin/env python3
"""Writes the schema of a Terraform provider, as the stub provider serves it.

  schema.py WHEEL PROVIDER OUT TYPE...     TYPE as resource.aws_vpc or data.aws_availability_zones

WHEEL is a Python package `cdktf-cdktf-provider-PROVIDER`, of which only a data file is read: the description of its
classes (a jsii assembly) has every resource of the provider with its arguments and attributes.
"""
import io
import json
import re
import sys
import tarfile
import zipfile

# Blocks that hold blocks of their own kind, as statements of a firewall do, are cut here.
DEPTH_MAX = 8


def written(required=(), **optional):
    """A block written by hand."""
    attrs = {name: {"type": "string", "required": True} for name in required}
    blocks = {name: {"min": 0, "block": block} for name, block in optional.items()}
    return {"attrs": attrs, "blocks": blocks}


# Blocks that the assembly only calls `any`, as far as they are used here.
OPAQUE = {
    "statement": written(
        rate_based_statement=written(["limit", "aggregate_key_type"]),
        managed_rule_group_statement=written(["name", "vendor_name"]),
    )
}


def assembly(wheel, provider):
    with zipfile.ZipFile(wheel) as package:
        name = next(n for n in package.namelist() if n.endswith(".jsii.tgz") and f"provider-{provider}@" in n)
        with tarfile.open(fileobj=io.BytesIO(package.read(name))) as archive:
            return json.load(archive.extractfile("package/.jsii"))["types"]


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Schema:
    def __init__(self, types):
        self.types = types

    def struct(self, kind):
        """The block that a type is, or holds; None for values."""
        if "fqn" in kind:
            found = self.types.get(kind["fqn"])
            return found if found and found["kind"] == "interface" and found.get("datatype") else None
        if "collection" in kind:
            return self.struct(kind["collection"]["elementtype"])
        return next(filter(None, map(self.struct, kind.get("union", {}).get("types", []))), None)

    def value(self, kind):
        if "primitive" in kind:
            return {"string": "string", "number": "number", "boolean": "bool"}.get(kind["primitive"], "dynamic")
        if "collection" in kind:
            element = kind["collection"]["elementtype"]
            plain = "primitive" in element or "collection" in element
            return ["list" if kind["collection"]["kind"] == "array" else "map", self.value(element)] if plain else "dynamic"
        choices = [t for t in kind.get("union", {}).get("types", []) if t.get("fqn") != "cdktf.IResolvable"]
        return self.value(choices[0]) if len(choices) == 1 else "dynamic"

    def block(self, struct, depth=0):
        attrs, blocks = {}, {}
        for prop in struct.get("properties", []):
            name, optional, inner = snake(prop["name"]), bool(prop.get("optional")), self.struct(prop["type"])
            if name in OPAQUE and prop["type"].get("primitive") == "any":
                blocks[name] = {"min": int(not optional), "block": OPAQUE[name]}
            elif not inner:
                attrs[name] = {"type": self.value(prop["type"]), "required": not optional, "optional": optional}
            elif depth < DEPTH_MAX:
                block = self.block(inner, depth + 1)
                blocks[name] = {"single": name == "timeouts", "min": int(not optional), "block": block}
        return {"attrs": attrs, "blocks": blocks}

    def config(self, name):
        """The configuration that a class is made from: the last argument of its constructor."""
        return self.block(self.types[self.types[name]["initializer"]["parameters"][-1]["type"]["fqn"]])

    def of_class(self, name):
        """What can be set, by the class' configuration, and what can only be read, by its other properties."""
        out = self.config(name)
        for prop in self.types[name].get("properties", []):
            key = snake(prop["name"])
            if not (prop.get("static") or key.endswith("_input") or key in out["attrs"] or key in out["blocks"]):
                kind = prop["type"]
                out["attrs"][key] = {"type": self.value(kind) if "primitive" in kind else "dynamic", "computed": True}
        return out


def main():
    wheel, provider, path, *wanted = sys.argv[1:]
    types = assembly(wheel, provider)
    schema = Schema(types)
    out = {"provider": {"attrs": {}, "blocks": {}}, "resources": {}, "data": {}}
    kinds = {"cdktf.TerraformResource": "resources", "cdktf.TerraformDataSource": "data"}
    for name, found in types.items():
        if found.get("base") == "cdktf.TerraformProvider":
            out["provider"] = schema.config(name)
        kind = kinds.get(found.get("base"))
        described = re.search(rf"\b{provider}_[a-z0-9_]+", found.get("docs", {}).get("summary", ""))
        if kind and described and f"{kind.removesuffix('s')}.{described[0]}" in wanted:
            out[kind][described[0]] = schema.of_class(name)
    known = {f"{kind.removesuffix('s')}.{name}" for kind in ("resources", "data") for name in out[kind]}
    if missing := sorted(set(wanted) - known):
        sys.exit(f"the {provider} provider has no {', '.join(missing)}")
    with open(path, "w") as file:
        json.dump(out, file)


main()
