"""ROS messages for the peer: types by name, stamps in CDR, messages to and from JSON."""

import importlib
import struct

NS = 10**9


def interface(name):
    """`sensor_msgs/msg/Image` as its class."""
    package, kind, name = name.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), name)


def read_stamp(data, at):
    sec, nanosec = struct.unpack_from("<iI", data, at)
    return sec * NS + nanosec


def shifted(topic, data, shift_ns):
    """The message with its stamp moved; that of /tf stands behind the count of its one transform."""
    at = 8 if topic == "/tf" else 4
    stamp = read_stamp(data, at) + shift_ns
    out = bytearray(data)
    struct.pack_into("<iI", out, at, stamp // NS, stamp % NS)
    return bytes(out), stamp


def plain(message):
    """A message as JSON: long arrays as their length and a few sums."""
    if hasattr(message, "get_fields_and_field_types"):
        return {name: plain(getattr(message, name)) for name in message.get_fields_and_field_types()}
    if isinstance(message, bytes):
        return list(message)
    if isinstance(message, (str, int, float, bool)):
        return message
    values = list(message)
    if len(values) > 64 and isinstance(values[0], (int, float)):
        return {"length": len(values), "sum": sum(values), "hex": bytes(v & 255 for v in values).hex()}
    return [plain(value) for value in values]


def fill(message, values):
    """Sets the fields of a message from JSON."""
    for name, value in values.items():
        current = getattr(message, name)
        if isinstance(value, dict):
            fill(current, value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            kind = message.get_fields_and_field_types()[name].removeprefix("sequence<").removesuffix(">")
            made = []
            for each in value:
                made.append(interface(kind.replace("/", "/msg/"))())
                fill(made[-1], each)
            setattr(message, name, made)
        else:
            setattr(message, name, float(value) if isinstance(current, float) else value)
