"""Reads a map.mcap with somebody else's code and prints a JSON row for each message. argv: reader, file."""
import base64
import json
import sys
from pathlib import Path


def with_mcap(path):
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    with open(path, "rb") as stream:
        reader = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
        for schema, channel, message, decoded in reader.iter_decoded_messages():
            yield channel.topic, schema.name, message.log_time, decoded


def with_rosbags(path):
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import Stores, get_typestore

    with AnyReader([Path(path)], default_typestore=get_typestore(Stores.EMPTY)) as reader:
        for connection, time, raw in reader.messages():
            yield connection.topic, connection.msgtype, time, reader.deserialize(raw, connection.msgtype)


def raw(values):
    """bytes, arrays of the standard library, numpy arrays and lists of small integers alike."""
    if hasattr(values, "tobytes"):
        return base64.b64encode(values.tobytes()).decode()
    return base64.b64encode(bytes(v & 255 for v in values)).decode()


def header(value):
    return {"stamp": str(value.stamp.sec * 10**9 + value.stamp.nanosec), "frame": value.frame_id}


def summary(kind, m):
    if kind == "PointCloud2":
        fields = [[f.name, f.offset, f.datatype, f.count] for f in m.fields]
        return {
            **header(m.header),
            "fields": fields,
            "shape": [m.height, m.width, m.point_step, m.row_step],
            "dense": m.is_dense,
            "data": raw(m.data),
        }
    if kind == "Octomap":
        return {**header(m.header), "binary": m.binary, "id": m.id, "resolution": m.resolution, "data": raw(m.data)}
    if kind == "OccupancyGrid":
        origin = m.info.origin.position
        return {
            **header(m.header),
            "resolution": m.info.resolution,
            "size": [m.info.width, m.info.height],
            "origin": [origin.x, origin.y],
            "data": raw(m.data),
        }
    if kind == "MarkerArray":
        return {
            "markers": [
                {
                    **header(k.header),
                    "type": k.type,
                    "action": k.action,
                    "edge": k.scale.x,
                    "points": [[p.x, p.y, p.z] for p in k.points],
                    "colors": len(k.colors),
                }
                for k in m.markers
            ]
        }
    if kind == "TFMessage":
        return {
            "transforms": [
                {
                    **header(t.header),
                    "child": t.child_frame_id,
                    "t": [getattr(t.transform.translation, a) for a in "xyz"],
                    "q": [getattr(t.transform.rotation, a) for a in "xyzw"],
                }
                for t in m.transforms
            ]
        }
    if kind == "CompressedImage":
        return {**header(m.header), "format": m.format, "data": raw(m.data)}
    if kind == "CameraInfo":
        return {**header(m.header), "size": [m.height, m.width], "p": [float(v) for v in m.p]}
    # mcap_ros2 reads the byte of a DiagnosticStatus as bytes.
    level = lambda v: v[0] if isinstance(v, bytes) else int(v)
    return {
        **header(m.header),
        "status": [[level(s.level), s.name, {v.key: v.value for v in s.values}] for s in m.status],
    }


rows = []
for topic, kind, time, message in {"mcap": with_mcap, "rosbags": with_rosbags}[sys.argv[1]](sys.argv[2]):
    rows.append({"topic": topic, "type": kind, "time": str(time), **summary(kind.split("/")[-1], message)})
print(json.dumps(rows))
