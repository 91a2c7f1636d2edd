"""Mustache as the server renders it, but strict: a tag that the model does not have is an error here.

The rules that differ from other Mustaches: `"0"` is truthy and "" is not; `{{.name}}` looks only at the innermost
object; a section on text makes that text `{{.}}`.
"""
import html
import re

TAG = re.compile(r"\{\{(?:\{(?P<raw>[^}]+)\}\}\}|(?P<kind>[#^/!>]?)(?P<name>[^}]*)\}\})")


class MissingTag(Exception):
    pass


def render(source, model, partials):
    return _render(_parse(source), [model], partials)


def tags(source):
    """Every name a template reads, comments and partials left out."""
    return {(m["raw"] or m["name"]).strip() for m in TAG.finditer(source) if m["raw"] or m["kind"] in ("", "#", "^")}


def _parse(source):
    # Comments and section tags alone on a line leave no line behind.
    source = re.sub(r"^[ \t]*(\{\{[#^/!][^}]*\}\})[ \t]*\n", r"\1", source, flags=re.M)
    root, open_sections, at = [], [], 0
    target = root
    for match in TAG.finditer(source):
        target.append(("text", source[at:match.start()]))
        at = match.end()
        if match["raw"]:
            target.append(("raw", match["raw"].strip()))
            continue
        kind, name = match["kind"], match["name"].strip()
        if kind in "#^" and kind:
            body = []
            target.append((kind, name, body))
            open_sections.append((name, target))
            target = body
        elif kind == "/":
            opened, target = open_sections.pop()
            assert opened == name, f"{{{{/{name}}}}} closes {{{{#{opened}}}}}"
        elif kind == ">":
            target.append((">", name))
        elif kind == "":
            target.append(("value", name))
    assert not open_sections, f"{open_sections} never closed"
    target.append(("text", source[at:]))
    return root


def _render(nodes, stack, partials):
    out = []
    for node in nodes:
        kind = node[0]
        if kind == "text":
            out.append(node[1])
        elif kind == "value":
            value = _find(node[1], stack)
            out.append("" if value is None else html.escape(str(value), quote=True))
        elif kind == "raw":
            out.append(str(_find(node[1], stack)))
        elif kind == ">":
            out.append(_render(_parse(partials(node[1])), stack, partials))
        elif kind == "#":
            value = _find(node[1], stack)
            if isinstance(value, list):
                out.extend(_render(node[2], stack + [item], partials) for item in value)
            elif value is True:
                out.append(_render(node[2], stack, partials))
            elif value not in (None, False, ""):
                out.append(_render(node[2], stack + [value], partials))
        elif kind == "^":
            value = _find(node[1], stack)
            if value in (None, False, "") or value == []:
                out.append(_render(node[2], stack, partials))
    return "".join(out)


def _find(name, stack):
    if name == ".":
        return stack[-1]
    innermost = name.startswith(".")
    first, *rest = name.strip(".").split(".")
    known = False
    for item in [stack[-1]] if innermost else reversed(stack):
        if isinstance(item, dict) and first in item:
            known = True
            value = item[first]
            if value is None:
                continue
            for part in rest:
                if not isinstance(value, dict) or part not in value:
                    raise MissingTag(name)
                value = value[part]
            return value
    # Members that say which kind an item is (a part of a sentence, a waiting count) may be absent from it.
    if not known and not innermost:
        raise MissingTag(name)
    return None
